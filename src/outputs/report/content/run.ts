/**
 * What the reports say of the run itself.
 *
 * @module
 */
import { loggedWords, NO_END } from '../../run-words.ts'
import { SEVERITY_WORDS } from '../../severity-words.ts'
import { formatDuration, formatNumber, formatQuantity, formatTime, plural } from '../format.ts'
import type { TrainingReport } from '../report.ts'
import { COUNTER_WORDS } from '../words.ts'
import { headlineMetrics } from './metrics.ts'
import { code, type Fact, text, type Words } from './rich-text.ts'

/** The run in a few facts. */
export function runFacts(report: TrainingReport): Fact[] {
  const { run, stop } = report
  const fact = (label: string, ...words: Words): Fact => ({ label, words })
  const iterations = `${
    run.totalIterations === null
      ? formatNumber(run.iterations)
      : `${formatNumber(run.iterations)} of ${formatNumber(run.totalIterations)}`
  }${loggedWords(run, ', ')}`
  const time =
    run.startedUnixSeconds === null || run.elapsedMs === null
      ? 'unknown: the log has no times'
      : `${formatDuration(run.elapsedMs)}, from ${formatTime(run.startedUnixSeconds)}`
  return [
    fact(
      'Run',
      text(run.name),
      ...(run.name === run.id ? [] : [' (', code(run.id), ')']),
      ', project ',
      text(run.project),
      ...(run.status === 'running' && !run.live ? [', ', { strong: NO_END }] : [', status ', { strong: run.status }]),
    ),
    fact('Total iterations', iterations),
    fact('Training time', time),
    fact('Final metrics', finalMetrics(report)),
    stop === null
      ? fact('Early stop', 'No')
      : fact('Early stop', `Yes, after iteration ${formatNumber(stop.iteration)}: `, text(stop.reason)),
    ...(stop === null
      ? []
      : [
          fact(
            'Roll back to',
            stop.rollbackTo === null
              ? 'no checkpoint from before the onset'
              : `the checkpoint of iteration ${formatNumber(stop.rollbackTo)}`,
          ),
        ]),
    fact('Checkpoints', checkpointWords(run.checkpoints)),
  ]
}

/** What is not as it should be with the record itself; nothing where all is well. */
export function troubleLines({
  stop,
  alerts,
  laterStops: all,
  callbackFailures,
  counters,
  run,
  leftOut,
}: TrainingReport): Words[] {
  // With the early stop off an alert's request is nothing beside the alert.
  const laterStops = stop === null ? all.filter(({ reason }) => !alerts.some((alert) => alert.reason === reason)) : all
  return [
    ...(run.error === null ? [] : [['The run ended with an error: ', text(run.error)]]),
    ...laterStops
      .slice(0, 5)
      .map(({ iteration, severity, reason }) => [
        `A further request to stop (${SEVERITY_WORDS[severity]}, iteration ${formatNumber(iteration)}): `,
        text(reason),
      ]),
    ...(laterStops.length > 5 ? [[`… and ${plural(laterStops.length - 5, 'further request')} to stop`]] : []),
    ...callbackFailures
      .slice(0, 10)
      .map(({ callback, problem, count }) => [
        'The callback ',
        text(callback, 80),
        ' ',
        text(problem),
        ` (${formatNumber(count)} ×)`,
      ]),
    ...(callbackFailures.length > 10 ? [[`… and ${plural(callbackFailures.length - 10, 'further problem')}`]] : []),
    ...Object.entries(COUNTER_WORDS)
      .filter(([name]) => (counters[name] ?? 0) > 0)
      .map(([name, words]) => [`${formatNumber(counters[name]!)} ${words}`]),
    ...(leftOut.configuration ? [['Some of the configuration was no plain data and was left out']] : []),
  ]
}

/** What the report was made by. */
export function madeBy({ versions }: TrainingReport): Words {
  return Object.entries(versions)
    .slice(0, 8)
    .flatMap(([name, version], i) => [...(i === 0 ? [] : [', ']), text(name, 40), ' ', text(version, 40)])
}

function finalMetrics(report: TrainingReport): string {
  const shown = headlineMetrics(report)
    .slice(0, 6)
    .map(([, { title, final, unit }]) => `${title} ${formatQuantity(final, unit)}`)
  return shown.length === 0 ? 'none of the headline ones was logged' : shown.join(', ')
}

function checkpointWords(checkpoints: readonly number[]): string {
  if (checkpoints.length === 0) return 'none'
  const shown = checkpoints.slice(-8).map(formatNumber).join(', ')
  return checkpoints.length > 8
    ? `${plural(checkpoints.length, 'iteration')}, the newest ${shown}`
    : `iterations ${shown}`
}
