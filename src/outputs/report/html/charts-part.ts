import type { ChartDefinition } from '../../plots/chart-definition.ts'
import type { Panel } from '../../plots/panel.ts'
import { rowsFromJson } from '../../plots/panel-json.ts'
import { SEVERITY_WORDS } from '../../severity-words.ts'
import { sortedAlerts } from '../content/alerts.ts'
import { short } from '../content/rich-text.ts'
import { formatNumber, formatQuantity, listed, plural } from '../format.ts'
import { PLOTS } from '../plot-files.ts'
import type { TrainingReport } from '../report.ts'
import { KIND_TITLES } from '../words.ts'
import { type Html, html } from './html.ts'

/** The places of the charts, each with its essentials in words; the page's script draws into them. */
export function chartsPart(report: TrainingReport, figures: readonly ChartDefinition[]): Html {
  const shown = PLOTS.flatMap(({ name, title, caption }) => {
    const chart = figures.find((one) => one.name === name)
    return chart ? [{ chart, title, caption }] : []
  })
  return html`<section id="charts" aria-labelledby="charts-title">
<h2 id="charts-title">Charts</h2>
<noscript><p class="callout warn">The charts are drawn by a script, which is off. What each shows is told in words below; the picture files beside this report show the same.</p></noscript>
<div id="zoom" class="zoom" role="group" aria-label="Part of the run that all charts show" hidden>
<output>All iterations</output>
<span class="buttons"><button type="button" data-zoom="left" aria-label="Earlier">←</button><button type="button" data-zoom="right" aria-label="Later">→</button><button type="button" data-zoom="in" aria-label="Zoom in">+</button><button type="button" data-zoom="out" aria-label="Zoom out">−</button><button type="button" data-zoom="all" disabled>Show all</button></span>
<span class="hint">Drag across a chart to zoom in, double-click to show all.</span>
</div>
<div class="figures">
${shown.map(({ chart, title, caption }) => oneFigure(chart, title, caption, report))}
</div>
</section>`
}

function oneFigure(chart: ChartDefinition, title: string, caption: string, report: TrainingReport): Html {
  const rows = rowsFromJson(chart.rows)
  const panels = rows.flatMap((row) => row.panels)
  const columns = Math.max(...rows.map((row) => row.panels.reduce((sum, { share = 1 }) => sum + share, 0)))
  return html`<section class="figure columns-${columns}" id="chart-${chart.name}" aria-labelledby="chart-${chart.name}-title">
<h3 id="chart-${chart.name}-title">${title}</h3>
<p class="aside">${caption}</p>
<div class="panels">${panels.map(({ panel, share = 1 }, i) => onePanel(panel, share, `chart-${chart.name}-${i}`, report))}
</div>
</section>`
}

function onePanel(panel: Panel, share: number, id: string, report: TrainingReport): Html {
  const nothing = nothingToDraw(panel, report)
  return html`
<figure class="panel share-${share}">
<figcaption><h4>${panel.title}</h4><span class="unit"></span>${nothing === null && html`<p class="words" id="${id}">${panelWords(panel, report)}</p>`}</figcaption>
<div class="plot${nothing !== null && ' empty'}">${nothing !== null && html`<p class="message">${nothing}</p>`}</div>
</figure>`
}

/** Why a panel has no chart; null where it has one. */
function nothingToDraw(panel: Panel, report: TrainingReport): string | null {
  if (panel.kind === 'alerts') {
    if (sortedAlerts(report).length > 0) return null
    if (report.coverage === null) return 'Nothing looked for alerts'
    return report.alerts.length > 0 ? 'No alerts but muted ones' : 'No alerts'
  }
  const { name, buckets, superseded } = panel.series
  return buckets.length === 0 && superseded.length === 0 ? `No data: ${name} was not logged` : null
}

/** What a panel shows, for who does not see it. */
function panelWords(panel: Panel, report: TrainingReport): string {
  if (panel.kind === 'alerts') return alertWords(report)
  const { name, unit, buckets } = panel.series
  const metric = report.metrics[name]
  if (!metric) return `${plural(buckets.length, 'value')}, from comparisons.`
  const { final, finalIteration, mean, min, max, nonFinite } = metric
  const inUnit = (value: number): string => formatQuantity(short(value), unit === 'fraction' ? unit : '')
  const range =
    mean === null || min === null || max === null
      ? 'no finite value'
      : `mean ${inUnit(mean)}, from ${inUnit(min)} to ${inUnit(max)}`
  const others = nonFinite > 0 ? `; ${plural(nonFinite, 'value')} NaN or infinite` : ''
  const way = metric.trend ? `; trend ${metric.trend.direction}` : ''
  return `Final ${formatQuantity(short(final), unit)} at iteration ${formatNumber(finalIteration)}; ${range}${way}${others}.`
}

function alertWords(report: TrainingReport): string {
  const alerts = report.alerts.filter(({ muted }) => !muted)
  const each = alerts.map(
    ({ severity, kind, iteration }) =>
      `${SEVERITY_WORDS[severity]}, ${KIND_TITLES[kind].toLowerCase()} at iteration ${formatNumber(iteration)}`,
  )
  return `${plural(alerts.length, 'alert')}: ${listed(each, 6)}.`
}
