import type { ChartDefinition } from './chart-definition.ts'
import { figure } from './figure.ts'
import { firstLogged } from './first-logged.ts'
import { BLUE } from './palette.ts'
import type { PlotMarks } from './plot-marks.ts'
import type { FigureData } from './series-data.ts'

/** Series that {@link klDivergence} reads: the first that was logged is drawn; thresholds belong to the first alone. */
export const KL_SERIES = [
  'kl_ref/token',
  'kl_ref/token_k1',
  'kl_ref/token_k3',
  'kl_ref/token_k2',
  'kl_ref/seq',
] as const

/**
 * How far the policy is from its reference, with the threshold: 12 by 5 inches.
 *
 * @example
 * ```ts
 * import { MetricsStore } from 'telltale'
 * import { figureData, KL_SERIES, klDivergence, NO_MARKS } from 'telltale/plots'
 * const { name, width, height } = klDivergence(figureData(new MetricsStore(), KL_SERIES), NO_MARKS)
 * console.log(name, width, height) // kl_divergence 1200 500
 * ```
 */
export function klDivergence(data: FigureData, marks: PlotMarks): ChartDefinition {
  const series = firstLogged(data, KL_SERIES)
  return figure({
    name: 'kl_divergence',
    title: 'KL divergence of the policy from its reference by iteration, with its threshold',
    widthInches: 12,
    heightInches: 5,
    rows: [{ panels: [{ panel: { kind: 'series', title: series.title, measure: 'KL', series, colour: BLUE } }] }],
    marks,
  })
}
