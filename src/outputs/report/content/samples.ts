/**
 * What the reports say of how answers changed.
 *
 * @module
 */
import { metricTitle } from '../../../vocabulary/canonical.ts'
import { formatChange, formatNumber, plural } from '../format.ts'
import type { ReportComparison, ReportPair, TrainingReport } from '../report.ts'
import { code, short, type Table, text, type Words } from './rich-text.ts'

const MAX_ROWS = 12
const MAX_MEASURES = 6
/** Under this ratio two answers share too little for a word diff to help; the two texts stand side by side anyway. */
const DIFF_SIMILARITY = 0.3

/** What kind of comparison the newest one is. */
export function comparisonIntroduction({ iteration, source, driftKind, pairs }: ReportComparison): string {
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

/** The measures of the newest comparisons; null where there are none. */
export function measuresTable(comparisons: readonly ReportComparison[]): Table | null {
  const names = [...new Set(comparisons.flatMap(({ metrics }) => Object.keys(metrics)))].slice(0, MAX_MEASURES)
  if (names.length === 0) return null
  return {
    columns: [
      { heading: ['Iteration'], numeric: true },
      ...names.map((name) => ({
        heading: metricTitle(name) === name ? [code(name)] : [metricTitle(name)],
        numeric: true,
      })),
    ],
    rows: comparisons.slice(-MAX_ROWS).map(({ iteration, metrics }) => [
      [formatNumber(iteration)],
      ...names.map((name): Words => {
        const value = metrics[name]
        return [value === undefined ? '–' : formatNumber(short(value))]
      }),
    ]),
  }
}

/** Whether forgetting is seen, and on what evidence. */
export function forgettingWords({
  detected,
  measure,
  meanChange,
  interval: [from, to],
  pairs,
}: NonNullable<TrainingReport['forgetting']>): Words {
  return [
    detected ? { strong: 'Forgetting is seen' } : 'No forgetting is seen',
    `: over ${plural(pairs, 'pair')} of answers `,
    code(measure),
    ` changed by ${formatChange(short(meanChange))} on average (95 % interval ${formatChange(short(from))} to ${formatChange(short(to))}; negative is worse).`,
  ]
}

/** How much a pair of answers changed. */
export function pairWords(pair: ReportPair): Words {
  const measures = Object.entries(pair.measures)
    .slice(0, MAX_MEASURES)
    .flatMap(
      ([name, { original, updated }]): Words => [
        '; ',
        text(metricTitle(name), 60),
        ` ${formatNumber(short(original))} → ${formatNumber(short(updated))}`,
      ],
    )
  return [
    `Similarity ${formatNumber(short(pair.similarity))}; drift ${formatNumber(short(pair.drift))}; ${formatChange(pair.charactersAdded)} and -${formatNumber(pair.charactersRemoved)} characters`,
    ...measures,
  ]
}

/** Whether a word diff of the pair helps. */
export function hasWordDiff({ similarity, words }: ReportPair): boolean {
  return similarity >= DIFF_SIMILARITY && similarity < 1 && words.length > 0
}
