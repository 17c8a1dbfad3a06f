import { headlineMetrics } from '../content/metrics.ts'
import { short } from '../content/rich-text.ts'
import { runFacts, troubleLines } from '../content/run.ts'
import { formatQuantity } from '../format.ts'
import type { ReportMetric, TrainingReport } from '../report.ts'
import { type Html, html, htmlWords, shortened } from './html.ts'

const MAX_TILES = 6
/** Facts that stand elsewhere on the page: in its head, and as tiles. */
const ELSEWHERE: ReadonlySet<string> = new Set(['Run', 'Final metrics'])

/** What happened, what to do, how sure, the final numbers, the run's facts and what was not in order with its record. */
export function summaryPart(report: TrainingReport): Html {
  const trouble = troubleLines(report)
  return html`<section id="summary" aria-labelledby="summary-title">
<h2 id="summary-title">Summary</h2>
${report.summary.text.map(paragraph)}
${tiles(report)}
<dl class="facts">${runFacts(report)
    .filter(({ label }) => !ELSEWHERE.has(label))
    .map(({ label, words }) => html`<div><dt>${label}</dt><dd>${htmlWords(words)}</dd></div>`)}</dl>
${trouble.length > 0 && html`<h3>What was not in order</h3>\n<ul>${trouble.map((words) => html`<li>${htmlWords(words)}</li>`)}</ul>`}
</section>`
}

function paragraph(text: string): Html {
  const lead = /^(What to do|How sure): /.exec(text)
  const rest = shortened(text.slice(lead?.[0].length ?? 0), 4000)
  if (!lead) return html`<p class="lead">${rest}</p>`
  const kind = lead[1] === 'What to do' ? 'do' : 'sure'
  return html`<div class="callout ${kind}"><h3>${lead[1]!}</h3><p>${rest.charAt(0).toUpperCase()}${rest.slice(1)}</p></div>`
}

function tiles(report: TrainingReport): Html | null {
  const families = new Set<string>()
  const shown = headlineMetrics(report).filter(([name]) => {
    // One reward, one KL, one loss; of quality all that were logged in the run itself.
    const family = name.startsWith('quality/') ? name.replace('quality/fixed_', 'quality/') : name.split('/', 1)[0]!
    return !families.has(family) && families.add(family)
  })
  if (shown.length === 0) return null
  return html`<ul class="tiles" aria-label="Final metrics">${shown.slice(0, MAX_TILES).map(([, metric]) => tile(metric))}</ul>`
}

function tile({ title, final, unit, firstTenth, lastTenth, trend }: ReportMetric): Html {
  const per = unit === 'fraction' || unit === 'reward' ? '' : unit
  const shown = (value: number): string =>
    formatQuantity(short(value), unit === 'fraction' ? unit : '').replace(' ', '\u00a0')
  const change = firstTenth === null || lastTenth === null ? '' : `from ${shown(firstTenth)} to ${shown(lastTenth)}`
  const arrow = trend === null ? '' : { up: '↗', down: '↘', flat: '→' }[trend.direction]
  return html`<li><span class="name">${title}</span>
<span class="final">${shown(final)} ${arrow !== '' && html`<span class="trend" title="trend of the newest values">${arrow}</span>`}</span>
<span class="change">${[change, per].filter((part) => part !== '').join(', ')}</span></li>`
}
