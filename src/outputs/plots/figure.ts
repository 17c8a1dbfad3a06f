import { prepareAlertsPanel } from './alerts-panel.ts'
import { type ChartDefinition, type FigureName, UNITS_PER_INCH } from './chart-definition.ts'
import { type LaidRow, layOut } from './lay-out.ts'
import type { FigureRow } from './panel.ts'
import { marksToJson, rowsToJson } from './panel-json.ts'
import type { PlotMarks } from './plot-marks.ts'
import { prepareSeriesPanel } from './series-panel.ts'
import { sharedIterations } from './shared-iterations.ts'

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
  const shared = sharedIterations(rows, options.marks)
  const laid = rows.map(({ panels }) => placeInColumns(panels, shared.marks))
  return {
    name,
    title,
    width,
    height,
    rows: rowsToJson(rows),
    marks: marksToJson(options.marks),
    option: layOut({ width, height, rows: laid, shared }),
  }
}

function placeInColumns(panels: FigureRow['panels'], marks: PlotMarks): LaidRow {
  let column = 0
  const placed = panels.map(({ panel, share = 1 }) => {
    const at = column
    column += share
    const context = { marks, yTicks: 5 }
    const prepared = panel.kind === 'series' ? prepareSeriesPanel(panel, context) : prepareAlertsPanel(panel, context)
    return { panel: prepared, column: at, share, aligned: panel.kind === 'series' }
  })
  return { panels: placed, columns: column }
}
