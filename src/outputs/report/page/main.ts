/**
 * The script of `training_report.html`: draws the charts from the definitions that lie in the page as inert JSON. Everything
 * else on the page is readable without it. Bundled into one file by the build.
 *
 * @module
 */
import type { ChartJson } from '../../plots/chart-definition.ts'
import { marksFromJson, rowsFromJson } from '../../plots/panel-json.ts'
import { plotCount } from '../../plots/plot-text.ts'
import { sharedIterations } from '../../plots/shared-iterations.ts'
import { createPanelView, type PanelView } from './panel-view.ts'
import { Zoom } from './zoom.ts'

/** What the page holds of a chart definition. */
interface PageFigure {
  readonly name: string
  readonly rows: readonly ChartJson[]
  readonly marks: ChartJson
}

const figures = (JSON.parse(document.getElementById('figures')!.textContent!) as readonly PageFigure[]).map(
  ({ name, rows, marks }) => {
    const panels = rowsFromJson(rows)
    return { name, panels, shared: sharedIterations(panels, marksFromJson(marks)) }
  },
)
const whole = figures.reduce(
  (all, { shared: { iterations, ticksWithin } }) =>
    ticksWithin ? { min: Math.min(all.min, iterations.min), max: Math.max(all.max, iterations.max) } : all,
  { min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY },
)
const zoom = new Zoom(whole.min <= whole.max ? whole : { min: 0, max: 1 }, drawAll)

const views: PanelView[] = []
for (const { name, panels, shared } of figures) {
  // All charts of the page show the same iterations.
  const axis = { ...shared, iterations: zoom.whole }
  const places = document.querySelectorAll<HTMLElement>(`#chart-${name} .panel`)
  for (const [i, { panel }] of panels.flatMap((row) => row.panels).entries()) {
    const place = places[i]
    if (place) views.push(createPanelView(place, panel, axis, zoom))
  }
}

const darkness = matchMedia('(prefers-color-scheme: dark)')
let printing = false

function drawAll(): void {
  const dark = darkness.matches && !printing
  for (const view of views) view.draw(dark)
  const { shown } = zoom
  const range = document.querySelector('#zoom output')!
  range.textContent = shown
    ? `Iterations ${plotCount(Math.max(0, Math.ceil(shown.min)))} to ${plotCount(Math.floor(shown.max))}`
    : 'All iterations'
  document.querySelector<HTMLButtonElement>('#zoom [data-zoom=all]')!.disabled = shown === null
}

const actions: Readonly<Record<string, () => void>> = {
  in: () => zoom.by(0.5),
  out: () => zoom.by(2),
  left: () => zoom.move(-0.25),
  right: () => zoom.move(0.25),
  all: () => zoom.reset(),
}
for (const button of document.querySelectorAll<HTMLButtonElement>('#zoom button')) {
  button.addEventListener('click', () => actions[button.dataset.zoom!]!())
}
document.getElementById('zoom')!.hidden = false

darkness.addEventListener('change', drawAll)
window.addEventListener('beforeprint', () => {
  printing = true
  // Paper has nothing to click.
  for (const details of document.querySelectorAll<HTMLDetailsElement>('details:not(.values)')) details.open = true
  drawAll()
})
window.addEventListener('afterprint', () => {
  printing = false
  drawAll()
})
let width = 0
new ResizeObserver(() => {
  const now = document.documentElement.clientWidth
  if (now === width) return
  width = now
  drawAll()
}).observe(document.documentElement)
