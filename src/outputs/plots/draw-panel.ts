/**
 * One panel as parts of an ECharts option: a grid with its axes, the data, the marks, and all text at its place.
 *
 * @module
 */
import { type Extent, niceTicks } from './axis-range.ts'
import type { ChartJson } from './chart-definition.ts'
import { straightLines } from './drawn-series.ts'
import { line, text } from './graphic.ts'
import { drawLegend, LEGEND_ROW, type LegendItem } from './legend.ts'
import { LABEL_SIZE, type PlacedLabel, SAME_PLACE } from './mark-labels.ts'
import { AXIS, GRID, MUTED, ROLL_BACK, SEVERITY_COLOUR, SEVERITY_TEXT, STOP, THRESHOLD } from './palette.ts'
import type { PanelArea, PreparedPanel } from './panel.ts'
import type { PlotMarks } from './plot-marks.ts'
import { plotCount, textWidth } from './plot-text.ts'
import { spreadOut } from './series-points.ts'
import { tickLabels } from './tick-labels.ts'

const TITLE_SIZE = 15
const TICK_SIZE = 12
const NAME_SIZE = 12.5
const MESSAGE_SIZE = 13.5
/** Height of a panel's title with the space below it. */
export const TITLE_HEIGHT = 27
/** Height of a row of labels above the data. */
export const LABEL_ROW = 16

/** The parts of an option that grow with each panel. */
export type ChartParts = Record<'grid' | 'xAxis' | 'yAxis' | 'series' | 'graphic', ChartJson[]>

/** A panel with its place from left to right, and what stands above its data. */
export interface FittedPanel {
  readonly prepared: PreparedPanel
  readonly area: { readonly left: number; readonly width: number }
  readonly legend: readonly (readonly LegendItem[])[]
  readonly labels: readonly PlacedLabel[]
  readonly headerHeight: number
}

/** What all panels of a figure share. */
export interface SharedAxis {
  readonly iterations: Extent
  /** First and last iteration that exist; null in an empty run. */
  readonly ticksWithin: Extent | null
  readonly marks: PlotMarks
}

/** Width of the widest tick label of the y axis. */
export function tickLabelWidth(panel: PreparedPanel): number {
  return Math.max(0, ...panel.yTicks.map(({ label }) => textWidth(label, TICK_SIZE)))
}

/** Adds a panel, whose title begins at `top`, to the parts. */
export function drawPanel(
  parts: ChartParts,
  { prepared, legend, labels }: FittedPanel,
  area: PanelArea,
  top: number,
  shared: SharedAxis,
): void {
  const { iterations, ticksWithin, marks } = shared
  const { left, width, height } = area
  const bottom = area.top + height
  const index = parts.grid.length
  const place = { xAxisIndex: index, yAxisIndex: index }
  const yTicks = prepared.yTicks.map(({ value }) => value)
  parts.grid.push({ left, top: area.top, width, height, containLabel: false, outerBoundsMode: 'none' })
  parts.xAxis.push(axis(index, iterations.min, iterations.max, [], true))
  parts.yAxis.push(axis(index, prepared.yMin, prepared.yMax, yTicks, false))
  for (const one of prepared.series(area, iterations)) parts.series.push({ ...one, ...place })
  if (prepared.hasData) {
    const perUnit = (iterations.max - iterations.min) / width
    parts.series.push({ ...markLines(marks, prepared, perUnit), ...place })
    parts.series.push({ ...checkpointTicks(marks, prepared.yMin, perUnit), ...place })
  }

  const { graphic } = parts
  const toX = (i: number) => left + ((i - iterations.min) / (iterations.max - iterations.min)) * width
  const toY = (value: number) => bottom - ((value - prepared.yMin) / (prepared.yMax - prepared.yMin)) * height
  if (prepared.title !== '') graphic.push(text(prepared.title, left, top + 11, { size: TITLE_SIZE, weight: 'bold' }))
  graphic.push(...drawLegend(legend, left, top + TITLE_HEIGHT + LEGEND_ROW / 2))
  const labelY = (row: number) => area.top - 4 - LABEL_ROW * (row + 0.5)
  for (const label of labels) {
    const { x, row, colour } = label
    // Labels of one place stand one above the other: a leader through the lower one would only strike it out.
    if (labels.some((lower) => lower.row < row && Math.abs(lower.x - x) < SAME_PLACE)) continue
    graphic.push(line(x, area.top, x, labelY(row) + LABEL_ROW / 2 - 1, { stroke: colour, lineWidth: 1, opacity: 0.9 }))
  }
  for (const { middle, row, text: words, colour } of labels) {
    graphic.push(text(words, middle, labelY(row), { size: LABEL_SIZE, fill: colour, align: 'center', halo: true }))
  }
  for (const { value, label } of prepared.yTicks) {
    graphic.push(text(label, left - 8, toY(value), { size: TICK_SIZE, fill: MUTED, align: 'right' }))
  }
  const xTicks = prepared.hasData && ticksWithin ? iterationTicks(ticksWithin, width) : []
  for (const { value, label } of tickLabels(xTicks)) {
    graphic.push(line(toX(value), bottom, toX(value), bottom + 4, { stroke: AXIS, lineWidth: 1 }))
    graphic.push(text(label, toX(value), bottom + 14, { size: TICK_SIZE, fill: MUTED, align: 'center' }))
  }
  graphic.push(text('iteration', left + width / 2, bottom + 33, { size: NAME_SIZE, align: 'center' }))
  if (prepared.yName !== '') {
    const x = left - tickLabelWidth(prepared) - 23
    graphic.push(text(prepared.yName, x, area.top + height / 2, { size: NAME_SIZE, align: 'center', upwards: true }))
  }
  for (const { value, label } of prepared.thresholds) {
    const beyond = value > prepared.yMax ? ' (above)' : value < prepared.yMin ? ' (below)' : ''
    // Above its line; below it where there is no room, and inside where the line is not.
    const at = toY(value)
    const y = beyond === '' && at - 18 < area.top ? at + 9 : Math.min(Math.max(at - 9, area.top + 9), bottom - 9)
    const style = { size: TICK_SIZE, fill: SEVERITY_TEXT.critical, halo: true }
    graphic.push(text(`${label}${beyond}`, left + 6, y, style))
  }
  for (const { x, value, text: words, colour } of prepared.labels?.(area, iterations) ?? []) {
    graphic.push(text(words, x, toY(value), { size: LABEL_SIZE, fill: colour, halo: true }))
  }
  if (prepared.message !== null) {
    const style = { size: MESSAGE_SIZE, fill: MUTED, align: 'center', halo: true } as const
    graphic.push(text(prepared.message, left + width / 2, area.top + height / 2, style))
  }
}

function axis(index: number, min: number, max: number, ticks: readonly number[], isX: boolean): ChartJson {
  return {
    type: 'value',
    gridIndex: index,
    min,
    max,
    silent: true,
    // Labels are text of the figure, so that all have as many decimals; the ticks only carry the lines of the grid.
    axisLabel: { show: false, customValues: ticks },
    axisTick: { show: false, customValues: ticks },
    axisLine: { show: true, onZero: false, lineStyle: { color: isX ? AXIS : GRID, width: 1 } },
    splitLine: { show: !isX, lineStyle: { color: GRID, width: 1 } },
  }
}

function iterationTicks({ min, max }: Extent, width: number): number[] {
  if (min === max) return [min]
  const widest = textWidth(plotCount(max), TICK_SIZE)
  return niceTicks(min, max, Math.min(8, Math.max(2, Math.floor(width / (widest * 1.8 + 12)))), 1)
}

/** @param perUnit iterations in one unit of the figure. */
function markLines(marks: PlotMarks, prepared: PreparedPanel, perUnit: number): { readonly [key: string]: ChartJson } {
  const vertical = (iteration: number, color: string, width: number, type: ChartJson): ChartJson => ({
    xAxis: iteration,
    lineStyle: { color, width, type, opacity: 1 },
  })
  const alerts = (['info', 'warning', 'critical'] as const).flatMap((severity) => {
    const of = marks.alerts.filter((alert) => alert.severity === severity).map(({ iteration }) => iteration)
    return spreadOut(of, perUnit * 2.5).map((i) => vertical(i, SEVERITY_COLOUR[severity], 1.3, [5, 3]))
  })
  return straightLines([
    ...alerts,
    ...(typeof marks.rollbackTo === 'number' ? [vertical(marks.rollbackTo, ROLL_BACK, 1.6, [2, 3])] : []),
    ...(marks.stop ? [vertical(marks.stop.iteration, STOP, 1.8, 'solid')] : []),
    ...prepared.thresholds
      .filter(({ value }) => value >= prepared.yMin && value <= prepared.yMax)
      .map(({ value }): ChartJson => ({ yAxis: value, lineStyle: { color: THRESHOLD, width: 1.5, type: [7, 4] } })),
  ])
}

function checkpointTicks(marks: PlotMarks, yMin: number, perUnit: number): { readonly [key: string]: ChartJson } {
  return {
    type: 'scatter',
    name: 'checkpoints',
    silent: true,
    clip: false,
    z: 7,
    symbol: 'rect',
    symbolSize: [2, 8],
    symbolOffset: [0, -4],
    itemStyle: { color: ROLL_BACK, opacity: 1 },
    data: spreadOut(marks.checkpoints, perUnit * 5).map((iteration) => [iteration, yMin]),
  }
}
