/**
 * One panel of a figure in the page: drawn from its definition at the width that there is, and read with mouse, finger or
 * keyboard.
 *
 * @module
 */
import { prepareAlertsPanel } from '../../plots/alerts-panel.ts'
import type { Extent } from '../../plots/axis-range.ts'
import type { ChartJson } from '../../plots/chart-definition.ts'
import { type ChartParts, drawPanel, LABEL_ROW, type SharedAxis, tickLabelWidth } from '../../plots/draw-panel.ts'
import { legendOf } from '../../plots/legend.ts'
import { markLabels, placeLabels } from '../../plots/mark-labels.ts'
import type { Panel } from '../../plots/panel.ts'
import { fitText } from '../../plots/plot-text.ts'
import { prepareSeriesPanel } from '../../plots/series-panel.ts'
import { marksWithin } from '../../plots/shared-iterations.ts'
import { inPageColours, onGround } from './colours.ts'
import { createDataTable } from './data-table.ts'
import { createCanvas } from './echarts.ts'
import { element } from './element.ts'
import { createLegend } from './legend-view.ts'
import { nearestPlace, readablePlaces, readOut } from './read-out.ts'
import type { Zoom } from './zoom.ts'

const HEIGHT = 260
/** Room below the data for tick labels and the name of the axis. */
const BELOW = 42
const MAX_LABEL_ROWS = 3
const TICK_SIZE = 12
/** A shorter drag is a click. */
const MIN_DRAG = 6

/** A panel that can be drawn again. */
export interface PanelView {
  draw(dark: boolean): void
}

/** Puts a panel into its place. */
export function createPanelView(place: HTMLElement, panel: Panel, shared: SharedAxis, zoom: Zoom): PanelView {
  const context = { marks: shared.marks, yTicks: 5 }
  const prepared = panel.kind === 'series' ? prepareSeriesPanel(panel, context) : prepareAlertsPanel(panel, context)
  const plot = place.querySelector<HTMLElement>('.plot')!
  if (prepared.yName !== '') place.querySelector('.unit')!.textContent = prepared.yName
  // The page says already why there is nothing to draw.
  if (plot.classList.contains('empty') || !prepared.hasData) return { draw: () => undefined }
  if (prepared.message !== null) plot.append(element('p', 'message', prepared.message))

  const hidden = new Set<string>()
  // What is said of the first alert stands above the chart already.
  const items = legendOf(prepared, shared.marks).filter(({ part }) => panel.kind === 'series' || part !== undefined)
  const legend = createLegend(items, (part, shown) => {
    if (shown) hidden.delete(part)
    else hidden.add(part)
    draw(dark)
  })
  const surface = element('div', 'surface')
  surface.setAttribute('aria-hidden', 'true')
  const crosshair = element('div', 'crosshair')
  const selection = element('div', 'selection')
  const tooltip = element('div', 'tooltip')
  tooltip.setAttribute('role', 'status')
  const sensor = element('div', 'sensor')
  sensor.tabIndex = 0
  sensor.setAttribute('role', 'application')
  sensor.setAttribute('aria-roledescription', 'chart')
  sensor.setAttribute('aria-label', `${prepared.title}. Arrow keys read the values, plus and minus zoom, 0 shows all.`)
  const words = place.querySelector('.words')
  if (words?.id) sensor.setAttribute('aria-describedby', words.id)
  for (const part of [crosshair, selection, tooltip]) part.hidden = true
  plot.append(surface, crosshair, selection, sensor, tooltip)
  place.append(legend.element)
  if (panel.kind === 'series') place.append(createDataTable(panel))

  const canvas = createCanvas(surface)
  const places = readablePlaces(panel, shared.marks)
  let dark = false
  let axis = shared.iterations
  let area = { left: 0, top: 0, width: 1, height: 1 }
  let reading: number | null = null

  const toX = (iteration: number) => area.left + ((iteration - axis.min) / (axis.max - axis.min)) * area.width
  const toIteration = (x: number) =>
    axis.min + (Math.min(Math.max(x - area.left, 0), area.width) / area.width) * (axis.max - axis.min)

  function draw(onDark: boolean): void {
    dark = onDark
    const width = plot.clientWidth
    if (width < 60) return
    axis = zoom.shown ?? shared.iterations
    const marks = marksWithin(shared.marks, axis)
    const yTicks = prepared.yTicks.map(({ value, label }) => ({
      value,
      label: fitText(label, TICK_SIZE, width * 0.36),
    }))
    const shown = { ...prepared, title: '', yName: '', message: null, yTicks }
    const left = tickLabelWidth(shown) + 12
    const inner = width - left - 8
    const at = (iteration: number) => left + ((iteration - axis.min) / (axis.max - axis.min)) * inner
    const labels = placeLabels(markLabels(marks), at, left - 4, left + inner + 6, MAX_LABEL_ROWS)
    const rows = Math.max(0, ...labels.map(({ row }) => row + 1))
    const top = rows * LABEL_ROW + 10
    area = { left, top, width: inner, height: HEIGHT - top - BELOW }
    const parts: ChartParts = { grid: [], xAxis: [], yAxis: [], series: [], graphic: [] }
    const fitted = { prepared: shown, area, legend: [], labels, headerHeight: 0 }
    drawPanel(parts, fitted, area, 0, { iterations: axis, ticksWithin: within(shared.ticksWithin, axis), marks })
    const option = {
      animation: false,
      ...parts,
      series: parts.series
        .map((one) => one as { readonly [key: string]: ChartJson })
        .filter(({ name }) => !hidden.has(name as string))
        // Beyond the part that is shown nothing is drawn, symbols at the edge of the axis included.
        .map((one) => ({ ...one, clip: true })),
    }
    canvas.draw(inPageColours(option, dark) as object, width, HEIGHT)
    legend.recolour(dark)
    place.dataset.from = String(axis.min)
    place.dataset.to = String(axis.max)
    if (reading !== null) show(reading)
  }

  function show(at: number | null): void {
    reading = at
    const out = at !== null && at >= axis.min && at <= axis.max
    crosshair.hidden = !out
    tooltip.hidden = !out
    if (!out) return
    const { title, lines } = readOut(panel, shared.marks, at)
    const x = toX(at)
    crosshair.style.left = `${x}px`
    crosshair.style.top = `${area.top}px`
    crosshair.style.height = `${area.height}px`
    tooltip.replaceChildren(
      element('strong', '', title),
      ...lines.map(({ label, value, colour }) => {
        const swatch = element('span', 'swatch dot')
        if (colour === null) swatch.hidden = true
        else swatch.style.color = onGround(colour, dark)
        return element('span', 'line', [swatch, element('span', 'label', label), element('span', 'value', value)])
      }),
    )
    const space = plot.clientWidth
    const size = tooltip.offsetWidth
    const beside = x + 14 + size <= space ? x + 14 : x - 14 - size
    tooltip.style.left = `${Math.min(Math.max(beside, 0), Math.max(0, space - size))}px`
    tooltip.style.top = `${area.top + 4}px`
  }

  let dragFrom: number | null = null
  const xOf = (event: PointerEvent | WheelEvent | MouseEvent) => event.clientX - plot.getBoundingClientRect().left
  const dragTo = (event: PointerEvent) => Math.min(Math.max(xOf(event), area.left), area.left + area.width)
  sensor.addEventListener('pointerdown', (event) => {
    show(nearestPlace(places, toIteration(xOf(event))))
    if (event.pointerType !== 'mouse' || event.button !== 0) return
    dragFrom = dragTo(event)
    sensor.setPointerCapture(event.pointerId)
  })
  sensor.addEventListener('pointermove', (event) => {
    show(nearestPlace(places, toIteration(xOf(event))))
    if (dragFrom === null) return
    const to = dragTo(event)
    selection.hidden = Math.abs(to - dragFrom) < MIN_DRAG
    selection.style.left = `${Math.min(dragFrom, to)}px`
    selection.style.width = `${Math.abs(to - dragFrom)}px`
    selection.style.top = `${area.top}px`
    selection.style.height = `${area.height}px`
  })
  sensor.addEventListener('pointerup', (event) => {
    const from = dragFrom
    dragFrom = null
    selection.hidden = true
    if (from !== null && Math.abs(dragTo(event) - from) >= MIN_DRAG) {
      zoom.to(toIteration(from), toIteration(dragTo(event)))
    }
  })
  sensor.addEventListener('pointercancel', () => {
    dragFrom = null
    selection.hidden = true
  })
  sensor.addEventListener('pointerleave', (event) => {
    // A finger leaves when it is lifted, and wants to read then; a tap elsewhere takes the focus away.
    if (event.pointerType !== 'mouse') return
    if (document.activeElement !== sensor || !sensor.matches(':focus-visible')) show(null)
  })
  sensor.addEventListener('blur', () => show(null))
  sensor.addEventListener('dblclick', () => zoom.reset())
  sensor.addEventListener(
    'wheel',
    (event) => {
      // Without a key the wheel scrolls the page.
      if (!event.ctrlKey && !event.metaKey) return
      event.preventDefault()
      zoom.by(event.deltaY > 0 ? 1.25 : 0.8, toIteration(xOf(event)))
    },
    { passive: false },
  )
  sensor.addEventListener('keydown', (event) => {
    const visible = places.filter((at) => at >= axis.min && at <= axis.max)
    const index = reading === null ? -1 : visible.indexOf(reading)
    const last = visible.length - 1
    const to: Readonly<Record<string, number>> = {
      ArrowLeft: index < 0 ? last : Math.max(0, index - 1),
      ArrowRight: index < 0 ? 0 : Math.min(last, index + 1),
      Home: 0,
      End: last,
    }
    if (Object.hasOwn(to, event.key)) show(visible[to[event.key]!] ?? null)
    else if (event.key === '+' || event.key === '=') zoom.by(0.5, reading ?? undefined)
    else if (event.key === '-') zoom.by(2, reading ?? undefined)
    else if (event.key === '0' || event.key === 'Escape') zoom.reset()
    else return
    event.preventDefault()
  })
  return { draw }
}

/** The iterations that both have. */
function within(ticks: Extent | null, axis: Extent): Extent | null {
  if (!ticks) return null
  const min = Math.max(ticks.min, Math.ceil(axis.min))
  const max = Math.min(ticks.max, Math.floor(axis.max))
  return min <= max ? { min, max } : null
}
