/**
 * Puts panels in rows and says everything in one ECharts option.
 *
 * @module
 */
import { prepareAlertsPanel } from './alerts-panel.ts'
import type { Extent } from './axis-range.ts'
import { type ChartDefinition, type FigureName, UNITS_PER_INCH } from './chart-definition.ts'
import { type ChartParts, drawPanel, type FittedPanel, LABEL_ROW, TITLE_HEIGHT, tickLabelWidth } from './draw-panel.ts'
import { LEGEND_ROW, legendOf, legendRows } from './legend.ts'
import { type MarkLabel, markLabels, placeLabels } from './mark-labels.ts'
import { INK, PAPER } from './palette.ts'
import type { FigureRow, PreparedPanel } from './panel.ts'
import { marksToJson, rowsToJson } from './panel-json.ts'
import type { PlotMarks } from './plot-marks.ts'
import { FONT_FAMILY } from './plot-text.ts'
import { prepareSeriesPanel } from './series-panel.ts'
import { sharedIterations } from './shared-iterations.ts'

const MARGIN = 14
const COLUMN_GAP = 26
const ROW_GAP = 14
/** Room for tick labels and name of the x axis. */
const BELOW = 42
const MAX_LABEL_ROWS = 3

/** Builds a figure from its rows. */
export function figure(options: {
  readonly name: FigureName
  readonly title: string
  readonly widthInches: number
  readonly heightInches: number
  readonly rows: readonly FigureRow[]
  readonly marks: PlotMarks
}): ChartDefinition {
  const { name, title, rows } = options
  const width = options.widthInches * UNITS_PER_INCH
  const height = options.heightInches * UNITS_PER_INCH
  const rowHeight = (height - 2 * MARGIN - ROW_GAP * (rows.length - 1)) / rows.length
  const { iterations, ticksWithin, marks } = sharedIterations(rows, options.marks)
  const labels = markLabels(marks)
  const parts: ChartParts = { grid: [], xAxis: [], yAxis: [], series: [], graphic: [] }
  const prepared = rows.map(({ panels }) => placeInColumns(panels, marks))
  // Series panels that begin in one column also begin their data at one place, whatever the width of their tick labels.
  const indent = (column: number) =>
    Math.max(...prepared.flat().map((p) => (p.column === column && p.aligned ? besideAxis(p.panel) : 0)))
  for (const [at, row] of prepared.entries()) {
    const top = MARGIN + at * (rowHeight + ROW_GAP)
    const columns = row.reduce((sum, { share }) => sum + share, 0)
    const unit = (width - 2 * MARGIN - COLUMN_GAP * (columns - 1)) / columns
    const fitted = row.map(({ panel, column, share, aligned }) => {
      const before = aligned ? indent(column) : besideAxis(panel)
      const left = MARGIN + column * (unit + COLUMN_GAP) + before
      const inner = unit * share + COLUMN_GAP * (share - 1) - before - 6
      return fitPanel(
        panel,
        { left, width: inner },
        iterations,
        marks,
        aligned ? labels : labels.filter((l) => l.event),
      )
    })
    const header = Math.max(...fitted.map(({ headerHeight }) => headerHeight))
    for (const one of fitted) {
      const area = { ...one.area, top: top + header, height: rowHeight - header - BELOW }
      drawPanel(parts, one, area, top, { iterations, ticksWithin, marks })
    }
  }
  return {
    name,
    title,
    width,
    height,
    rows: rowsToJson(rows),
    marks: marksToJson(options.marks),
    option: {
      animation: false,
      backgroundColor: PAPER,
      textStyle: { fontFamily: FONT_FAMILY, color: INK },
      ...parts,
    },
  }
}

interface PanelInColumn {
  readonly panel: PreparedPanel
  readonly column: number
  readonly share: number
  /** False for the alerts, whose labels are long. */
  readonly aligned: boolean
}

function placeInColumns(panels: FigureRow['panels'], marks: PlotMarks): PanelInColumn[] {
  let column = 0
  return panels.map(({ panel, share = 1 }) => {
    const at = column
    column += share
    const context = { marks, yTicks: 5 }
    const prepared = panel.kind === 'series' ? prepareSeriesPanel(panel, context) : prepareAlertsPanel(panel, context)
    return { panel: prepared, column: at, share, aligned: panel.kind === 'series' }
  })
}

/** Room for tick labels and name of the y axis. */
function besideAxis(panel: PreparedPanel): number {
  return (panel.yName === '' ? 0 : 26) + tickLabelWidth(panel) + 8
}

function fitPanel(
  prepared: PreparedPanel,
  area: { readonly left: number; readonly width: number },
  iterations: Extent,
  marks: PlotMarks,
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
