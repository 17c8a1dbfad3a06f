/**
 * What was found in a path and what can be judged of it: whose run it is, which signals it logs, which detectors can therefore work, and by which
 * options of its trainer the missing ones are turned on.
 *
 * @module
 */
import { type CheckedPath, type CheckPathOptions, checkPath } from '../check/check-path.ts'
import type { CheckedRun } from '../check/run-check.ts'
import type { AlertKind } from '../detectors/detector.ts'
import type { TrainingMonitor } from '../monitor.ts'
import { type Unwatched, unwatchedKinds, watchedKinds, whyUnwatched } from '../outputs/report/coverage-words.ts'
import { runFinder } from '../sources/find-runs.ts'
import type { SourceName } from '../sources/source.ts'
import { canonicalMetric } from '../vocabulary/canonical.ts'
import { LOGGING_OPTIONS, type LoggingOption, topicOf } from '../vocabulary/logging-options.ts'
import type { SeriesInfo } from '../vocabulary/series.ts'
import { isTrainerName, type TrainerName, tellingNames } from '../vocabulary/vocabulary.ts'

/** A kind of failure that cannot be seen in a run, why, and what would change that. */
export interface Blind {
  readonly kinds: readonly AlertKind[]
  readonly why: string
  /** As the trainer writes them, or that there is none. */
  readonly options: readonly LoggingOption[]
  /** Where the options were read. */
  readonly readIn: string
}

/** What there is to say of one run. */
export interface DiagnosedRun {
  readonly run: CheckedRun
  /** Every file or folder that belongs to it. */
  readonly files: readonly { readonly format: SourceName; readonly path: string }[]
  readonly trainer: TrainerName
  /** Names by which the trainer was told; empty where it was named, or nothing tells it. */
  readonly toldFrom: readonly string[]
  /** Series that mean something to Telltale, under the name of that meaning. */
  readonly signals: readonly SeriesInfo[]
  /** Names that no table knows, or that say nothing of failure. */
  readonly unknown: readonly string[]
  readonly works: readonly AlertKind[]
  readonly blind: readonly Blind[]
}

/** What came of a path. */
export interface DiagnosedPath {
  readonly runs: readonly DiagnosedRun[]
  readonly checked: CheckedPath
}

/** @throws TelltaleError `not-readable` where there is no run. */
export async function doctorPath(path: string, options: CheckPathOptions): Promise<DiagnosedPath> {
  const monitors = new Map<string, TrainingMonitor>()
  const runs: DiagnosedRun[] = []
  const found = path === '-' ? [] : (await runFinder([path]).find(options.signal)).runs
  const checked = await checkPath(path, {
    ...options,
    check: { ...options.check, onBegin: (run, monitor) => monitors.set(run, monitor) },
    async onRun(run) {
      const monitor = monitors.get(run.run)
      monitors.delete(run.run)
      const parts = found.find(({ parts }) => parts.some((part) => part.path === run.path))?.parts ?? []
      const files = parts.map((part) => ({ format: part.format.name, path: part.path }))
      if (monitor) runs.push(diagnosed(run, files, monitor, options.trainer !== undefined))
    },
  })
  return { runs, checked }
}

function diagnosed(
  run: CheckedRun,
  files: DiagnosedRun['files'],
  monitor: TrainingMonitor,
  wasNamed: boolean,
): DiagnosedRun {
  const store = monitor.getMetricsStore()
  const trainer = isTrainerName(run.trainer) ? run.trainer : 'own-loop'
  const infos = [...store.names()].map((name) => store.info(name))
  const logged = infos.filter(({ canonical }) => !canonical.startsWith('time/silence'))
  return {
    run,
    files,
    trainer,
    toldFrom: wasNamed
      ? []
      : tellingNames(
          trainer,
          infos.map(({ original }) => original),
        ),
    signals: logged.filter(({ canonical }) => canonicalMetric(canonical) !== undefined),
    unknown: logged.filter(({ canonical }) => canonicalMetric(canonical) === undefined).map(({ original }) => original),
    works: watchedKinds(run.coverage),
    blind: unwatchedKinds(run.coverage).map((one) => blindOf(one, trainer)),
  }
}

function blindOf(unwatched: Unwatched, trainer: TrainerName): Blind {
  const { readIn, options } = LOGGING_OPTIONS[trainer]
  const topics = unwatched.missing.flatMap((group) => topicOf(group) ?? [])
  const found = [...new Set(topics)].flatMap((topic) => options[topic] ?? [])
  return {
    kinds: unwatched.kinds,
    why: whyUnwatched(unwatched),
    options: found,
    readIn: found.length > 0 ? readIn : '',
  }
}
