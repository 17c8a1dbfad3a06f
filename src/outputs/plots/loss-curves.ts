import type { ChartDefinition } from './chart-definition.ts'
import { figure } from './figure.ts'
import { BLUE, GREEN, PURPLE } from './palette.ts'
import type { PlotMarks } from './plot-marks.ts'
import type { FigureData } from './series-data.ts'

/** Series that {@link lossCurves} reads. */
export const LOSS_SERIES = ['loss/policy', 'loss/value', 'loss/total'] as const

/**
 * Policy, value and total loss side by side: 15 by 4 inches, as in the plan.
 *
 * @example
 * ```ts
 * import { MetricsStore } from 'telltale'
 * import { figureData, LOSS_SERIES, lossCurves, NO_MARKS } from 'telltale/plots'
 * const { name, width, height } = lossCurves(figureData(new MetricsStore(), LOSS_SERIES), NO_MARKS)
 * console.log(name, width, height) // loss_curves 1500 400
 * ```
 */
export function lossCurves(data: FigureData, marks: PlotMarks): ChartDefinition {
  const colours = [BLUE, GREEN, PURPLE]
  const panels = LOSS_SERIES.map((name, i) => {
    const series = data[name]!
    return { panel: { kind: 'series' as const, title: series.title, measure: 'loss', series, colour: colours[i]! } }
  })
  return figure({
    name: 'loss_curves',
    title: 'Loss curves: policy, value and total loss by iteration',
    widthInches: 15,
    heightInches: 4,
    rows: [{ panels }],
    marks,
  })
}
