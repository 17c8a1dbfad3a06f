/**
 * Puts panels in rows and says everything in one ECharts option.
 *
 * @module
 */
import type { ChartDefinition } from './chart-definition.ts'
import {
  type ChartParts,
  drawPanel,
  type FittedPanel,
  LABEL_ROW,
  type SharedAxis,
  TITLE_HEIGHT,
  tickLabelWidth,
} from './draw-panel.ts'
import { drawLegend, LEGEND_ROW, type LegendItem, legendOf, legendRows } from './legend.ts'
import { type MarkLabel, markLabels, placeLabels } from './mark-labels.ts'
import { INK, PAPER } from './palette.ts'
import type { PreparedPanel } from './panel.ts'
import { FONT_FAMILY } from './plot-text.ts'

const MARGIN = 14
const COLUMN_GAP = 26
const ROW_GAP = 14
/** Room for tick labels and name of the x axis. */
const BELOW = 42
const MAX_LABEL_ROWS = 3

/** A panel with its place in a row. */
export interface PanelInColumn {
  readonly panel: PreparedPanel
  readonly column: number
  /** Columns that it takes. */
  readonly share: number
  /** False for alerts, whose labels are long. */
  readonly aligned: boolean
}

/** A row of panels. */
export interface LaidRow {
  readonly panels: readonly PanelInColumn[]
  /** Columns of the row, those that stay empty included. */
  readonly columns: number
  /** Its part of the height, 1 where nothing is said. */
  readonly height?: number
}

/** The option of a figure of some size, in its units. */
export function layOut(options: {
  readonly width: number
  readonly height: number
  readonly rows: readonly LaidRow[]
  readonly shared: SharedAxis
  /** What all panels have in common, above them. */
  readonly legend?: readonly LegendItem[]
}): ChartDefinition['option'] {
  const { width, height, rows, shared, legend = [] } = options
  const labels = markLabels(shared.marks)
  const parts: ChartParts = { grid: [], xAxis: [], yAxis: [], series: [], graphic: [] }
  const common = commonRows(legend, width)
  parts.graphic.push(...drawLegend(common, MARGIN, MARGIN + LEGEND_ROW / 2))
  const heights = rows.map((row) => row.height ?? 1)
  const free = height - 2 * MARGIN - legendHeight(legend, width) - ROW_GAP * (rows.length - 1)
  const unitHeight = free / heights.reduce((sum, one) => sum + one, 0)
  let top = MARGIN + legendHeight(legend, width)
  // Series panels that begin in one column also begin their data at one place, whatever the width of their tick labels.
  const indent = (column: number) =>
    Math.max(
      ...rows.flatMap(({ panels }) => panels.map((p) => (p.column === column && p.aligned ? besideAxis(p.panel) : 0))),
    )
  for (const [at, { panels, columns }] of rows.entries()) {
    const unit = (width - 2 * MARGIN - COLUMN_GAP * (columns - 1)) / columns
    const fitted = panels.map(({ panel, column, share, aligned }) => {
      const before = aligned ? indent(column) : besideAxis(panel)
      const left = MARGIN + column * (unit + COLUMN_GAP) + before
      const inner = unit * share + COLUMN_GAP * (share - 1) - before - 6
      return fitPanel(panel, { left, width: inner }, shared, aligned ? labels : labels.filter((l) => l.event))
    })
    const rowHeight = unitHeight * heights[at]!
    const header = Math.max(...fitted.map(({ headerHeight }) => headerHeight))
    for (const one of fitted) {
      const area = { ...one.area, top: top + header, height: rowHeight - header - BELOW }
      drawPanel(parts, one, area, top, shared)
    }
    top += rowHeight + ROW_GAP
  }
  return {
    animation: false,
    backgroundColor: PAPER,
    textStyle: { fontFamily: FONT_FAMILY, color: INK },
    ...parts,
  }
}

function commonRows(legend: readonly LegendItem[], width: number): LegendItem[][] {
  return legendRows(legend, width - 2 * MARGIN)
}

/** Height of a legend above all rows of a figure so wide. */
export function legendHeight(legend: readonly LegendItem[], width: number): number {
  const rows = commonRows(legend, width).length
  return rows === 0 ? 0 : rows * LEGEND_ROW + ROW_GAP
}

/** Room for tick labels and name of the y axis. */
function besideAxis(panel: PreparedPanel): number {
  return (panel.yName === '' ? 0 : 26) + tickLabelWidth(panel) + 8
}

function fitPanel(
  prepared: PreparedPanel,
  area: { readonly left: number; readonly width: number },
  { iterations, marks }: SharedAxis,
  labels: readonly MarkLabel[],
): FittedPanel {
  const legend = legendRows(legendOf(prepared, marks), area.width)
  const toX = (i: number) => area.left + ((i - iterations.min) / (iterations.max - iterations.min)) * area.width
  const placed = prepared.hasData
    ? placeLabels(labels, toX, area.left - 4, area.left + area.width + 6, MAX_LABEL_ROWS)
    : []
  const labelRows = Math.max(0, ...placed.map(({ row }) => row + 1))
  return {
    prepared,
    area,
    legend,
    labels: placed,
    headerHeight: TITLE_HEIGHT + legend.length * LEGEND_ROW + labelRows * LABEL_ROW + 6,
  }
}
