/**
 * What the reports say of the series.
 *
 * @module
 */
import { formatChange, formatNumber, plural } from '../format.ts'
import type { ReportMetric, TrainingReport } from '../report.ts'
import { code, joined, short, type Table, text, type Words } from './rich-text.ts'

/** A series under its canonical name. */
export type NamedMetric = readonly [name: string, metric: ReportMetric]

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

const COLUMNS: Table['columns'] = [
  { heading: ['Metric'] },
  { heading: ['Name'] },
  { heading: ['Final'], numeric: true },
  { heading: ['Mean'], numeric: true },
  { heading: ['Min'], numeric: true },
  { heading: ['Max'], numeric: true },
  { heading: ['Trend per iteration (95 % interval)'] },
  { heading: ['Unit'] },
]

/** The series that a decision looks at first, as far as they were logged. */
export function headlineMetrics({ metrics }: TrainingReport): NamedMetric[] {
  return HEADLINE.flatMap((name) => (metrics[name] ? [[name, metrics[name]] as const] : []))
}

/** The tables of all series; a table without rows is null. */
export function metricTables(report: TrainingReport): {
  readonly introduction: string
  readonly headline: Table | null
  readonly further: Table | null
  /** Series that have no row. */
  readonly more: number
  readonly remarks: readonly Words[]
} {
  const entries = Object.entries(report.metrics)
  const others = entries
    .filter(([name]) => !HEADLINE.includes(name))
    .map((entry, index) => ({ entry, index, group: groupOf(entry[0]) }))
    .sort((a, b) => a.group - b.group || a.index - b.index)
    .map(({ entry }) => entry)
  const table = (rows: readonly NamedMetric[]): Table | null =>
    rows.length === 0 ? null : { columns: COLUMNS, rows: rows.map((entry) => row(entry, report)) }
  return {
    introduction: `Over ${plural(report.run.iterations, 'iteration')}, counted from ${report.run.lastIteration === report.run.iterations ? 1 : 0}. Trends are over the last 200 values; "flat" means that the interval holds 0.`,
    headline: table(headlineMetrics(report)),
    further: table(others.slice(0, MAX_ROWS)),
    more: Math.max(0, others.length - MAX_ROWS),
    remarks: remarks(entries),
  }
}

function row([name, metric]: NamedMetric, { run }: TrainingReport): Words[] {
  const stale =
    metric.finalIteration < (run.lastIteration ?? run.iterations - 1)
      ? ` (at ${formatNumber(metric.finalIteration)})`
      : ''
  const cell = (value: number | null): Words => [value === null ? '–' : formatNumber(value)]
  return [
    metric.title === name ? [] : [text(metric.title, 80)],
    [code(name)],
    [`${formatNumber(metric.final)}${stale}`],
    cell(metric.mean),
    cell(metric.min),
    cell(metric.max),
    [trendWords(metric)],
    [text(metric.unit, 40)],
  ]
}

function trendWords({ trend }: ReportMetric): string {
  if (trend === null) return 'too few values'
  const { direction, slope, interval } = trend
  return `${direction} ${formatChange(short(slope))} (${formatChange(short(interval[0]))} to ${formatChange(short(interval[1]))})`
}

/** What a reader of the tables has to know about some of their rows. */
function remarks(entries: readonly NamedMetric[]): Words[] {
  const lines: Words[] = []
  const names = (some: readonly NamedMetric[]): Words =>
    joined(
      some.map(([name]) => [code(name)]),
      ', ',
    )
  const bad = entries.filter(
    ([name, { trend, badDirection }]) =>
      trend !== null && trend.direction === badDirection && !name.startsWith('gold/'),
  )
  if (bad.length > 0) {
    const more = bad.length > 12 ? ` and ${formatNumber(bad.length - 12)} more` : ''
    lines.push([
      'Moving in the direction that is bad for training: ',
      ...names(bad.slice(0, 12)),
      `${more}. By itself this is no alarm: KL and entropy move so in every run that learns.`,
    ])
  }
  for (const [name, { nonFinite, count }] of entries.filter(([, metric]) => metric.nonFinite > 0).slice(0, 12)) {
    lines.push([
      code(name),
      `: ${formatNumber(nonFinite)} of ${plural(nonFinite + count, 'value')} NaN or infinite; the other columns are over the finite ones.`,
    ])
  }
  const uncertain = entries.filter(([, metric]) => metric.reliability !== 'exact')
  for (const [name, { reliability, why }] of uncertain.slice(0, 12)) {
    lines.push([code(name), ` is ${reliability}`, ...(why === null ? [] : [': ', text(why)]), '.'])
  }
  const gold = entries.filter(([name]) => name.startsWith('gold/'))
  if (gold.length > 0) {
    lines.push([
      ...names(gold.slice(0, 4)),
      ': what the run is really for, known to this experiment only; no detector reads it.',
    ])
  }
  return lines
}

function groupOf(name: string): number {
  if (name.startsWith('gold/')) return GROUPS.length + 1
  const index = GROUPS.indexOf(name.split('/', 1)[0] ?? '')
  return index < 0 ? GROUPS.length : index
}
