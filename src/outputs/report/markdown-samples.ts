import { comparisonIntroduction, forgettingWords, hasWordDiff, measuresTable, pairWords } from './content/samples.ts'
import { formatNumber } from './format.ts'
import { markdownTable } from './markdown-table.ts'
import { inlineText, markdownWords, quoted, wordDiff } from './markdown-text.ts'
import type { ReportComparison, ReportPair, TrainingReport } from './report.ts'

const MAX_PAIRS = 5

/** "Sample Changes": how the answers to the same prompts moved, then the most changed ones of the newest comparison. */
export function sampleChangesSection({ sample_changes: comparisons, forgetting, leftOut }: TrainingReport): string {
  const newest = comparisons.at(-1)
  if (!newest) {
    return '## Sample Changes\n\nNo answers were compared, so nothing can be said about how they changed.'
  }
  const measures = measuresTable(comparisons)
  const parts = [
    '## Sample Changes',
    comparisonIntroduction(newest),
    ...(measures ? [markdownTable(measures)] : []),
    ...(forgetting ? [markdownWords(forgettingWords(forgetting))] : []),
    ...newest.pairs.slice(0, MAX_PAIRS).map((pair, i) => onePair(pair, newest, i + 1)),
  ]
  const more = Math.max(0, newest.pairs.length - MAX_PAIRS)
  if (more + leftOut.comparisons > 0) parts.push('More pairs and earlier comparisons are in `training_report.json`.')
  return parts.join('\n\n')
}

function onePair(pair: ReportPair, { iteration }: ReportComparison, number: number): string {
  const parts = [
    `### ${number}. ${inlineText(pair.prompt, 120) || '(empty prompt)'}`,
    markdownWords(pairWords(pair)),
    `Iteration ${formatNumber(pair.baselineIteration)}:`,
    quoted(pair.original, 600, pair.charactersLeftOut.original),
    `Iteration ${formatNumber(iteration)}:`,
    quoted(pair.updated, 600, pair.charactersLeftOut.updated),
  ]
  if (hasWordDiff(pair)) parts.push('Changes:', wordDiff(pair.words))
  return parts.join('\n\n')
}
