import { SEVERITY_WORDS } from '../../severity-words.ts'
import { alertFacts, coverageTable, mutedFact, sortedAlerts, unwatchedList } from '../content/alerts.ts'
import { short, type Words } from '../content/rich-text.ts'
import { formatNumber, plural } from '../format.ts'
import type { ReportAlert, ReportSample, TrainingReport } from '../report.ts'
import { adviceWords, KIND_TITLES } from '../words.ts'
import { type Html, html, htmlTable, htmlWords, shortened } from './html.ts'
import { answers, wordDiff } from './samples-part.ts'

const MAX_ALERTS = 50
/** Alerts that are shown open, the decisive one; the others open on a click. */
const OPEN = 1

/** The alerts with their evidence, what to do, and the answers of that time. */
export function alertsPart(report: TrainingReport): Html {
  const sorted = sortedAlerts(report)
  const muted = mutedFact(report)
  const more = sorted.length - MAX_ALERTS
  return html`<section id="alerts" aria-labelledby="alerts-title">
<h2 id="alerts-title">Alerts</h2>
${
  report.coverage === null
    ? html`<p>Nothing was watched: no analyzer was attached to the run. That there are no alerts says nothing.</p>`
    : sorted.length === 0
      ? html`<p class="good">No alerts${muted && ' but muted ones'}.</p>`
      : sorted.slice(0, MAX_ALERTS).map((alert, i) => oneAlert(alert, report, i < OPEN))
}
${more > 0 && html`<p>${plural(more, 'further alert')} in <code>training_report.json</code>.</p>`}${muted && html`<p class="aside"><strong>${muted.label}:</strong> ${htmlWords(muted.words)}</p>`}
</section>`
}

function oneAlert(alert: ReportAlert, report: TrainingReport, open: boolean): Html {
  const { advice, samples, severity, kind, id, iteration } = alert
  return html`<details class="alert ${severity}"${open && html` open`}>
<summary><h3><span class="badge ${severity}">${SEVERITY_WORDS[severity]}</span> ${KIND_TITLES[kind]} <small>after iteration ${formatNumber(iteration)}</small></h3></summary>
<dl>${alertFacts(alert, report).map(({ label, words }) => html`<div><dt>${label}</dt><dd>${htmlWords(capitalised(words))}</dd></div>`)}
<div><dt>What to do</dt><dd>${advice.length === 0 ? 'Look at the evidence' : html`<ol>${advice.map((one) => html`<li>${adviceWords(one, report.run.checkpoints)}</li>`)}</ol>`}</dd></div>
<div><dt>Alert</dt><dd><code>${id}</code></dd></div></dl>
${samples.length > 0 && html`<h4>The most changed answers of that time</h4>`}
${samples.map((sample) => oneSample(sample, report))}
</details>`
}

function capitalised([first, ...rest]: Words): Words {
  if (first === undefined) return []
  return [typeof first === 'string' ? `${first.charAt(0).toUpperCase()}${first.slice(1)}` : first, ...rest]
}

function oneSample(sample: ReportSample, { sample_changes: comparisons }: TrainingReport): Html {
  const pair = comparisons
    .find(({ iteration }) => iteration === sample.iteration)
    ?.pairs.find(({ prompt, updated }) => prompt === sample.prompt && updated === sample.updated)
  return html`<div class="pair"><p class="prompt"><span>Prompt</span> <bdi>${shortened(sample.prompt, 400, sample.charactersLeftOut.prompt)}</bdi></p>
${sample.rewards && html`<p>Reward ${formatNumber(short(sample.rewards[0]))}, then ${formatNumber(short(sample.rewards[1]))}.</p>`}
${answers(sample, sample.iteration)}${pair ? wordDiff(pair) : null}</div>`
}

/** What was watched, what was not, and what it would have taken. */
export function coveragePart({ coverage }: TrainingReport): Html {
  const blind = (coverage ?? []).filter(({ missing }) => missing.length > 0)
  const table = coverage && coverageTable(coverage)
  const unwatched = coverage ? unwatchedList(coverage) : []
  return html`<section id="coverage" aria-labelledby="coverage-title">
<h2 id="coverage-title">Coverage</h2>
${
  coverage === null
    ? html`<p>No analyzer was attached, so nothing was watched.</p>`
    : blind.length === 0
      ? html`<p>Every detector had what it needs. The absence of an alert speaks only for what is listed here.</p>`
      : html`<p class="callout warn"><strong>${plural(blind.length, 'detector')} of ${formatNumber(coverage.length)} could not watch</strong>, because the run never logged what ${blind.length === 1 ? 'it needs' : 'they need'}.</p>`
}
${unwatched.length > 0 && html`<ul>${unwatched.map((words) => html`<li>${htmlWords(words)}</li>`)}</ul>`}
${table ? htmlTable(table, 'What was watched') : null}
</section>`
}
