import { comparisonIntroduction, forgettingWords, hasWordDiff, measuresTable, pairWords } from '../content/samples.ts'
import { formatNumber, plural } from '../format.ts'
import type { ReportComparison, ReportPair, ReportSample, TrainingReport } from '../report.ts'
import { type Html, html, htmlTable, htmlWords, shortened } from './html.ts'

/** Pairs of the newest comparison that are shown open; the others open on a click. */
const OPEN = 3
/** Pairs of each earlier comparison. */
const EARLIER_PAIRS = 3
const MAX_ANSWER = 2000
const MAX_DIFF = 4000

/** How the answers to the same prompts moved, pair by pair. */
export function samplesPart({ sample_changes: comparisons, forgetting, leftOut }: TrainingReport): Html {
  const newest = comparisons.at(-1)
  const measures = measuresTable(comparisons)
  const earlier = comparisons.slice(0, -1).toReversed()
  return html`<section id="samples" aria-labelledby="samples-title">
<h2 id="samples-title">Sample changes</h2>
${
  newest
    ? html`<p>${comparisonIntroduction(newest)}</p>
${forgetting && html`<p>${htmlWords(forgettingWords(forgetting))}</p>`}
${newest.pairs.map((pair, i) => onePair(pair, newest, i < OPEN))}
${measures && html`<h3>Over the run</h3>${htmlTable(measures, 'Measures of the comparisons')}`}
${earlier.length > 0 && html`<h3>Earlier comparisons</h3>`}
${earlier.map((comparison) => earlierComparison(comparison))}`
    : html`<p>No answers were compared, so nothing can be said about how they changed.</p>`
}
${leftOut.comparisons + leftOut.pairs > 0 && html`<p class="aside">Left out: ${plural(leftOut.comparisons, 'older comparison')} and ${plural(leftOut.pairs, 'pair')} that changed less.</p>`}
</section>`
}

function onePair(pair: ReportPair, { iteration }: ReportComparison, open: boolean): Html {
  const prompt = shortened(pair.prompt, 400, pair.charactersLeftOut.prompt)
  return html`<details class="pair"${open && html` open`}>
<summary><h3 class="prompt"><span>Prompt</span> <bdi>${prompt.trim() === '' ? '(empty)' : prompt}</bdi></h3></summary>
<p class="aside">${htmlWords(pairWords(pair))}</p>
${answers(pair, iteration)}
${wordDiff(pair)}
</details>`
}

function earlierComparison(comparison: ReportComparison): Html {
  const { iteration, pairs } = comparison
  const shown = pairs.slice(0, EARLIER_PAIRS)
  return html`<details class="earlier"><summary>After iteration ${formatNumber(iteration)}: ${shown.length < pairs.length ? `the ${plural(shown.length, 'most changed pair')} of ${formatNumber(pairs.length)}` : plural(pairs.length, 'pair')}</summary>
${shown.map((pair) => onePair(pair, comparison, false))}</details>`
}

/** The two answers side by side. */
export function answers(
  {
    original,
    updated,
    baselineIteration,
    charactersLeftOut,
  }: Pick<ReportSample, 'original' | 'updated' | 'baselineIteration' | 'charactersLeftOut'>,
  iteration: number,
): Html {
  return html`<div class="answers">
${oneAnswer(original, baselineIteration, charactersLeftOut.original)}
${oneAnswer(updated, iteration, charactersLeftOut.updated)}
</div>`
}

function oneAnswer(answer: string, iteration: number, more: number): Html {
  return html`<div><h4>Iteration ${formatNumber(iteration)}</h4><blockquote dir="auto">${
    answer.trim() === '' ? html`<em>(empty)</em>` : shortened(answer, MAX_ANSWER, more)
  }</blockquote></div>`
}

/** What went is struck out, what came is underlined; nothing where the two answers share too little for that to help. */
export function wordDiff(pair: ReportPair): Html | null {
  if (!hasWordDiff(pair)) return null
  let left = MAX_DIFF
  const runs = pair.words.flatMap(({ kind, text }): Html[] => {
    if (left <= 0) return []
    const shown = text.slice(0, left)
    left -= text.length
    if (kind === 'kept') return [html`${shown}`]
    // The space after a run is not part of what changed.
    const words = shown.trimEnd()
    const space = shown.slice(words.length)
    return [kind === 'removed' ? html`<del>${words}</del>${space}` : html`<ins>${words}</ins>${space}`]
  })
  return html`<div class="diff"><h4>Word by word</h4><p dir="auto">${runs}${left < 0 && ` … (${formatNumber(-left)} more characters)`}</p></div>`
}
