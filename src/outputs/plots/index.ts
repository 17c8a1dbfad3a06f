/**
 * `telltale/plots`: the figures of a run as PNG and SVG.
 *
 * @module telltale/plots
 */
export {
  type ChartDefinition,
  type ChartJson,
  FIGURE_NAMES,
  type FigureName,
  UNITS_PER_INCH,
} from './chart-definition.ts'
export { KL_SERIES, klDivergence } from './kl-divergence.ts'
export { LOSS_SERIES, lossCurves } from './loss-curves.ts'
export {
  type AllPlotsInput,
  type PlotAnalyzer,
  type PlotFile,
  PlotManager,
} from './plot-manager.ts'
export { NO_MARKS, type PlotMarks, plotMarks } from './plot-marks.ts'
export { PPO_SERIES, ppoMechanics } from './ppo-mechanics.ts'
export type { PlotComparator } from './quality-figure.ts'
export { QUALITY_SERIES, qualityMetrics } from './quality-metrics.ts'
export { REWARD_SERIES, rewards } from './rewards.ts'
export { comparisonData, type FigureData, figureData, type SeriesData, type TrendLine } from './series-data.ts'
