/**
 * The HTML report: a pure function of the report's data and its chart definitions. One file that asks nobody for anything;
 * all text is there without a script, which only draws the charts.
 *
 * @module
 */
import type { ChartDefinition } from '../../plots/chart-definition.ts'
import { iterationsWords, readStatusWords } from '../../run-words.ts'
import { sortedAlerts } from '../content/alerts.ts'
import { formatDuration, formatNumber, formatTime } from '../format.ts'
import type { TrainingReport } from '../report.ts'
import { alertsPart, coveragePart } from './alerts-part.ts'
import { chartsPart } from './charts-part.ts'
import { type Html, html, inertJson, trusted } from './html.ts'
import { configurationPart, footerPart, metricsPart, ppoPart } from './other-parts.ts'
import { hashSource } from './page-files.ts'
import { samplesPart } from './samples-part.ts'
import { summaryPart } from './summary-part.ts'

/** What the page is made of beside the report. */
export interface PageParts {
  readonly figures: readonly ChartDefinition[]
  readonly script: string
  readonly style: string
}

/** The report as a page. */
export function renderHtml(report: TrainingReport, { figures, script, style }: PageParts): string {
  // Nothing is loaded from anywhere, and nothing runs but this script; data: is the icon that a browser would ask a server for.
  const policy = `default-src 'none'; script-src ${hashSource(script)}; style-src ${hashSource(style)}; img-src data:; base-uri 'none'; form-action 'none'`
  const data = figures.map(({ name, rows, marks }) => ({ name, rows, marks }))
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>Training report: ${report.run.name}</title>
<link rel="icon" href="data:,">
<style>${trusted(style)}</style>
</head>
<body>
<a class="skip" href="#summary">Skip to the summary</a>
${head(report)}
<main>
${summaryPart(report)}
${alertsPart(report)}
${chartsPart(report, figures)}
${samplesPart(report)}
${metricsPart(report)}
${coveragePart(report)}
${report.ppoMechanics && ppoPart(report.ppoMechanics)}
${configurationPart(report)}
</main>
${footerPart(report)}
<script type="application/json" id="figures">${inertJson(data)}</script>
<script>${trusted(script)}</script>
</body>
</html>
`.markup
}

function head(report: TrainingReport): Html {
  const { run, ppoMechanics } = report
  const alerts = sortedAlerts(report).length
  const times =
    run.startedUnixSeconds === null || run.elapsedMs === null
      ? []
      : [formatDuration(run.elapsedMs), `started ${formatTime(run.startedUnixSeconds)}`]
  const facts = [iterationsWords(run), ...times]
  const sections: readonly (readonly [id: string, title: string])[] = [
    ['summary', 'Summary'],
    ['alerts', alerts > 0 ? `Alerts (${formatNumber(alerts)})` : 'Alerts'],
    ['charts', 'Charts'],
    ['samples', 'Samples'],
    ['metrics', 'Metrics'],
    ['coverage', 'Coverage'],
    ...(ppoMechanics ? [['ppo', 'PPO'] as const] : []),
    ['configuration', 'Configuration'],
  ]
  return html`<header>
<p class="eyebrow">Training report <span>project <bdi>${run.project}</bdi></span></p>
<h1><bdi>${run.name}</bdi> <span class="badge status-${run.status}">${run.live ? run.status : readStatusWords(run.status)}</span></h1>
<p class="aside">${facts.join(' · ')}${run.name !== run.id && html` · <code>${run.id}</code>`}</p>
</header>
<nav aria-label="Sections"><ul>${sections.map(([id, title]) => html`<li><a href="#${id}">${title}</a></li>`)}</ul></nav>`
}
