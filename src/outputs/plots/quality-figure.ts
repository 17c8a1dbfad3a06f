import type { MetricsStore } from '../../metrics/store.ts'
import type { SampleComparison } from '../../quality/comparison.ts'
import type { ChartDefinition } from './chart-definition.ts'
import type { PlotMarks } from './plot-marks.ts'
import { QUALITY_SERIES, qualityMetrics } from './quality-metrics.ts'
import { comparisonData, type FigureData, figureData } from './series-data.ts'

/** What the plots read of a comparator. */
export interface PlotComparator {
  /** All comparisons, oldest first. */
  readonly comparisonHistory: readonly SampleComparison[]
}

/** `quality_metrics` of a run, from its store or, where there is none, from its comparisons. */
export function qualityFigure(
  from: {
    readonly store?: MetricsStore | undefined
    readonly comparator?: PlotComparator | null | undefined
    /** Whether an analyzer looked for alerts. */
    readonly watched: boolean
  },
  marks: PlotMarks,
): ChartDefinition {
  const watched = from.watched || marks.alerts.length > 0
  return qualityMetrics(qualityData(from.store, from.comparator), marks, { watched })
}

/** The store has what comparisons published, and the whole run; comparisons serve where there is none. */
function qualityData(store: MetricsStore | undefined, comparator: PlotComparator | null | undefined): FigureData {
  const compared = comparisonData(comparator?.comparisonHistory ?? [], QUALITY_SERIES)
  if (!store) return compared
  const stored = figureData(store, QUALITY_SERIES)
  const data: Record<string, FigureData[string]> = Object.create(null)
  for (const name of QUALITY_SERIES) data[name] = stored[name]!.buckets.length > 0 ? stored[name]! : compared[name]!
  return data
}
