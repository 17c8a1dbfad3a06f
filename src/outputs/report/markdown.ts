/**
 * The Markdown report: a pure function of the report's data, for the person who comes in the morning and must decide.
 *
 * @module
 */
import { formatChange, formatDuration, formatNumber, formatQuantity, formatTime, plural } from './format.ts'
import { alertsSection } from './markdown-alerts.ts'
import { ppoSection } from './markdown-ppo.ts'
import { sampleChangesSection } from './markdown-samples.ts'
import { type Column, markdownTable } from './markdown-table.ts'
import { code, inlineText } from './markdown-text.ts'
import type { ReportMetric, TrainingReport } from './report.ts'
import { COUNTER_WORDS } from './words.ts'

/** Series that a decision looks at first. */
const HEADLINE = [
  'reward/score',
  'reward/total',
  'kl_ref/token',
  'kl_ref/seq',
  'quality/heldout_reward',
  'quality/judge',
  'quality/ref_perplexity',
  'quality/fixed_ref_perplexity',
  'quality/repetition',
  'quality/distinct_2',
  'quality/similarity',
  'entropy/token',
  'length/mean',
  'loss/policy',
  'loss/value',
  'loss/total',
]

/** The further series by the first part of their name; gold, which no detector sees, comes last. */
const GROUPS = ['reward', 'kl_ref', 'quality', 'eval', 'pref', 'rm', 'ppo', 'value', 'adv', 'loss', 'entropy', 'grad']
const MAX_ROWS = 80

const COLUMNS: readonly Column[] = [
  { heading: 'Metric' },
  { heading: 'Name' },
  { heading: 'Final', numeric: true },
  { heading: 'Mean', numeric: true },
  { heading: 'Min', numeric: true },
  { heading: 'Max', numeric: true },
  { heading: 'Trend per iteration (95 % interval)' },
  { heading: 'Unit' },
]

/** The report as Markdown, with a newline at its end. */
export function renderMarkdown(report: TrainingReport): string {
  const sections = [
    '# Training Report',
    summarySection(report),
    metricsSection(report),
    plotsSection(report),
    alertsSection(report),
    sampleChangesSection(report),
    ...(report.ppoMechanics ? [ppoSection(report.ppoMechanics)] : []),
    footer(report),
  ]
  return `${sections.join('\n\n')}\n`
}

function summarySection(report: TrainingReport): string {
  const { run, stop } = report
  const iterations =
    run.totalIterations === null
      ? formatNumber(run.iterations)
      : `${formatNumber(run.iterations)} of ${formatNumber(run.totalIterations)}`
  const early =
    stop === null ? 'No' : `Yes, after iteration ${formatNumber(stop.iteration)}: ${inlineText(stop.reason)}`
  const lines = [
    `- Run: ${inlineText(run.name)}${run.name === run.id ? '' : ` (${code(run.id)})`}, project ${inlineText(run.project)}, status **${run.status}**`,
    `- Total iterations: ${iterations}`,
    `- Training time: ${formatDuration(run.elapsedMs)}${startedWords(report)}`,
    `- Final metrics: ${finalMetrics(report)}`,
    `- Early stop: ${early}`,
    ...(stop === null
      ? []
      : [
          `- Roll back to: ${stop.rollbackTo === null ? 'no checkpoint from before the onset' : `the checkpoint of iteration ${formatNumber(stop.rollbackTo)}`}`,
        ]),
    `- Checkpoints: ${checkpointWords(run.checkpoints)}`,
  ]
  return [
    '## Summary',
    ...report.summary.text.map((paragraph) =>
      inlineText(paragraph, 4000).replace(/^(?:What to do|How sure):/, (lead) => `**${lead}**`),
    ),
    lines.join('\n'),
    trouble(report),
  ]
    .filter(Boolean)
    .join('\n\n')
}

function startedWords({ run }: TrainingReport): string {
  return run.startedUnixSeconds === null ? '' : `, from ${formatTime(run.startedUnixSeconds)}`
}

function finalMetrics({ metrics }: TrainingReport): string {
  const shown = HEADLINE.filter((name) => metrics[name])
    .slice(0, 6)
    .map((name) => `${metrics[name]!.title} ${formatQuantity(metrics[name]!.final, metrics[name]!.unit)}`)
  return shown.length === 0 ? 'none of the headline ones was logged' : shown.join(', ')
}

function checkpointWords(checkpoints: readonly number[]): string {
  if (checkpoints.length === 0) return 'none'
  const shown = checkpoints.slice(-8).map(formatNumber).join(', ')
  return checkpoints.length > 8
    ? `${plural(checkpoints.length, 'iteration')}, the newest ${shown}`
    : `iterations ${shown}`
}

/** What is not as it should be with the record itself; nothing where all is well. */
function trouble({ laterStops, callbackFailures, counters, run, leftOut }: TrainingReport): string {
  const lines = [
    ...(run.error === null ? [] : [`- The run ended with an error: ${inlineText(run.error)}`]),
    ...laterStops
      .slice(0, 5)
      .map(
        ({ iteration, severity, reason }) =>
          `- A further request to stop (${severity}, iteration ${formatNumber(iteration)}): ${inlineText(reason)}`,
      ),
    ...(laterStops.length > 5 ? [`- … and ${plural(laterStops.length - 5, 'further request')} to stop`] : []),
    ...callbackFailures
      .slice(0, 10)
      .map(
        ({ callback, problem, count }) =>
          `- The callback ${inlineText(callback, 80)} ${inlineText(problem)} (${formatNumber(count)} ×)`,
      ),
    ...(callbackFailures.length > 10 ? [`- … and ${plural(callbackFailures.length - 10, 'further problem')}`] : []),
    ...Object.entries(COUNTER_WORDS)
      .filter(([name]) => (counters[name] ?? 0) > 0)
      .map(([name, words]) => `- ${formatNumber(counters[name]!)} ${words}`),
    ...(leftOut.configuration ? ['- Some of the configuration was no plain data and was left out'] : []),
  ]
  return lines.length === 0 ? '' : `### What was not in order\n\n${lines.join('\n')}`
}

function metricsSection(report: TrainingReport): string {
  const entries = Object.entries(report.metrics)
  if (entries.length === 0) return '## Metrics\n\nNo metric was logged.'
  const headline = HEADLINE.flatMap((name) => (report.metrics[name] ? [[name, report.metrics[name]] as const] : []))
  const others = entries
    .filter(([name]) => !HEADLINE.includes(name))
    .map((entry, index) => ({ entry, index, group: groupOf(entry[0]) }))
    .sort((a, b) => a.group - b.group || a.index - b.index)
    .map(({ entry }) => entry)
  const shown = others.slice(0, MAX_ROWS)
  const parts = [
    '## Metrics',
    `Over ${plural(report.run.iterations, 'iteration')}, counted from 0. Trends are over the last 200 values; "flat" means that the interval holds 0.`,
  ]
  if (headline.length > 0)
    parts.push(
      markdownTable(
        COLUMNS,
        headline.map(([name, metric]) => row(name, metric, report)),
      ),
    )
  if (shown.length > 0) {
    if (headline.length > 0) parts.push('### Further metrics')
    parts.push(
      markdownTable(
        COLUMNS,
        shown.map(([name, metric]) => row(name, metric, report)),
      ),
    )
  }
  if (others.length > shown.length) {
    parts.push(
      `${plural(others.length - shown.length, 'further series', 'further series')} in \`training_report.json\`.`,
    )
  }
  parts.push(...remarks(entries))
  return parts.join('\n\n')
}

function row(name: string, metric: ReportMetric, { run }: TrainingReport): string[] {
  const stale = metric.finalIteration < run.iterations - 1 ? ` (at ${formatNumber(metric.finalIteration)})` : ''
  const cell = (value: number | null): string => (value === null ? '–' : formatNumber(value))
  return [
    metric.title === name ? '' : inlineText(metric.title, 80),
    code(name),
    `${formatNumber(metric.final)}${stale}`,
    cell(metric.mean),
    cell(metric.min),
    cell(metric.max),
    trendWords(metric),
    inlineText(metric.unit, 40),
  ]
}

function trendWords({ trend }: ReportMetric): string {
  if (trend === null) return 'too few values'
  const way = { up: 'up', down: 'down', flat: 'flat' }[trend.direction]
  return `${way} ${formatChange(short(trend.slope))} (${formatChange(short(trend.interval[0]))} to ${formatChange(short(trend.interval[1]))})`
}

/** What a reader of the table has to know about some of its rows. */
function remarks(entries: readonly (readonly [string, ReportMetric])[]): string[] {
  const lines: string[] = []
  const bad = entries.filter(
    ([name, { trend, badDirection }]) =>
      trend !== null && trend.direction === badDirection && !name.startsWith('gold/'),
  )
  if (bad.length > 0) {
    const names = bad.slice(0, 12).map(([name]) => code(name))
    const more = bad.length > 12 ? ` and ${formatNumber(bad.length - 12)} more` : ''
    lines.push(
      `- Moving in the direction that is bad for training: ${names.join(', ')}${more}. By itself this is no alarm: KL and entropy move so in every run that learns.`,
    )
  }
  for (const [name, { nonFinite, count }] of entries.filter(([, metric]) => metric.nonFinite > 0).slice(0, 12)) {
    lines.push(
      `- ${code(name)}: ${formatNumber(nonFinite)} of ${plural(nonFinite + count, 'value')} NaN or infinite; the other columns are over the finite ones.`,
    )
  }
  for (const [name, { reliability, why }] of entries
    .filter(([, metric]) => metric.reliability !== 'exact')
    .slice(0, 12)) {
    lines.push(`- ${code(name)} is ${reliability}${why === null ? '' : `: ${inlineText(why)}`}.`)
  }
  const gold = entries.filter(([name]) => name.startsWith('gold/')).map(([name]) => code(name))
  if (gold.length > 0) {
    lines.push(
      `- ${gold.slice(0, 4).join(', ')}: what the run is really for, known to this experiment only; no detector reads it.`,
    )
  }
  return lines.length === 0 ? [] : [lines.join('\n')]
}

function groupOf(name: string): number {
  if (name.startsWith('gold/')) return GROUPS.length + 1
  const index = GROUPS.indexOf(name.split('/', 1)[0] ?? '')
  return index < 0 ? GROUPS.length : index
}

function plotsSection({ plots }: TrainingReport): string {
  if (plots.length === 0) return '## Plots\n\nNo plots were drawn beside this report.'
  return [
    '## Plots',
    ...plots.map(({ file, title, caption }) => `![${title}](${file})\n\n*${title}: ${caption}*`),
  ].join('\n\n')
}

function footer({ versions, schemaVersion }: TrainingReport): string {
  const made = Object.entries(versions)
    .slice(0, 8)
    .map(([name, version]) => `${inlineText(name, 40)} ${inlineText(version, 40)}`)
    .join(', ')
  return `---\n\nThe same as data: [training_report.json](training_report.json) (schema ${schemaVersion}). Made by ${made}.`
}

function short(value: number): number {
  return Number.isFinite(value) ? Number(value.toPrecision(3)) : value
}
