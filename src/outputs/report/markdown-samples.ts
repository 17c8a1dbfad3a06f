import { metricTitle } from '../../vocabulary/canonical.ts'
import { formatChange, formatNumber, plural } from './format.ts'
import { markdownTable } from './markdown-table.ts'
import { code, inlineText, quoted, wordDiff } from './markdown-text.ts'
import type { ReportComparison, ReportPair, TrainingReport } from './report.ts'

const MAX_PAIRS = 5
const MAX_ROWS = 12
const MAX_MEASURES = 6
/** Under this ratio two answers share too little for a word diff to help; the two texts stand side by side anyway. */
const DIFF_SIMILARITY = 0.3

/** "Sample Changes": how the answers to the same prompts moved, then the most changed ones of the newest comparison. */
export function sampleChangesSection({ sample_changes: comparisons, forgetting, leftOut }: TrainingReport): string {
  const newest = comparisons.at(-1)
  if (!newest) {
    return '## Sample Changes\n\nNo answers were compared, so nothing can be said about how they changed.'
  }
  const parts = ['## Sample Changes', introduction(newest), measuresTable(comparisons)]
  if (forgetting) {
    const [from, to] = forgetting.interval
    const verdict = forgetting.detected ? '**Forgetting is seen**' : 'No forgetting is seen'
    parts.push(
      `${verdict}: over ${plural(forgetting.pairs, 'pair')} of answers ${code(forgetting.measure)} changed by ${formatChange(short(forgetting.meanChange))} on average (95 % interval ${formatChange(short(from))} to ${formatChange(short(to))}; negative is worse).`,
    )
  }
  parts.push(...newest.pairs.slice(0, MAX_PAIRS).map((pair, i) => onePair(pair, newest, i + 1)))
  const more = Math.max(0, newest.pairs.length - MAX_PAIRS)
  if (more + leftOut.comparisons > 0) parts.push('More pairs and earlier comparisons are in `training_report.json`.')
  return parts.filter(Boolean).join('\n\n')
}

function introduction({ iteration, source, driftKind, pairs }: ReportComparison): string {
  const how =
    source === 'regenerated'
      ? 'the current policy answered the prompts of the first iterations again'
      : 'answers to equal prompts were met in the stream'
  const drift =
    driftKind === 'semantic'
      ? "Drift is semantic (cosine distance of the reference model's vectors)."
      : 'Drift is lexical (cosine distance of hashed character n-grams): it sees words, not meaning.'
  return `Newest comparison after iteration ${formatNumber(iteration)}: ${how}. ${drift}${pairs.length === 0 ? ' It holds no pairs.' : ' The most changed answers come first.'}`
}

function measuresTable(comparisons: readonly ReportComparison[]): string {
  const names = [...new Set(comparisons.flatMap(({ metrics }) => Object.keys(metrics)))].slice(0, MAX_MEASURES)
  if (names.length === 0) return ''
  const columns = [
    { heading: 'Iteration', numeric: true },
    ...names.map((name) => ({ heading: metricTitle(name) === name ? code(name) : metricTitle(name), numeric: true })),
  ]
  const rows = comparisons.slice(-MAX_ROWS).map(({ iteration, metrics }) => [
    formatNumber(iteration),
    ...names.map((name) => {
      const value = metrics[name]
      return value === undefined ? '–' : formatNumber(short(value))
    }),
  ])
  return markdownTable(columns, rows)
}

function onePair(pair: ReportPair, { iteration }: ReportComparison, number: number): string {
  const measures = Object.entries(pair.measures)
    .slice(0, MAX_MEASURES)
    .map(
      ([name, { original, updated }]) =>
        `${inlineText(metricTitle(name), 60)} ${formatNumber(short(original))} → ${formatNumber(short(updated))}`,
    )
  const parts = [
    `### ${number}. ${inlineText(pair.prompt, 120) || '(empty prompt)'}`,
    [
      `Similarity ${formatNumber(short(pair.similarity))}`,
      `drift ${formatNumber(short(pair.drift))}`,
      `${formatChange(pair.charactersAdded)} and -${formatNumber(pair.charactersRemoved)} characters`,
      ...measures,
    ].join('; '),
    `Iteration ${formatNumber(pair.baselineIteration)}:`,
    quoted(pair.original),
    `Iteration ${formatNumber(iteration)}:`,
    quoted(pair.updated),
  ]
  if (pair.similarity >= DIFF_SIMILARITY && pair.similarity < 1 && pair.words.length > 0) {
    parts.push('Changes:', wordDiff(pair.words))
  }
  return parts.join('\n\n')
}

function short(value: number): number {
  return Number.isFinite(value) ? Number(value.toPrecision(3)) : value
}
