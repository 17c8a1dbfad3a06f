/**
 * What a figure needs of one series: plain data taken from a store (or from comparisons), so that the figures are pure.
 *
 * @module
 */
import type { HistoryBucket } from '../../metrics/history.ts'
import type { MetricsStore } from '../../metrics/store.ts'
import type { SampleComparison } from '../../quality/comparison.ts'
import { median } from '../../stats/median.ts'
import { canonicalMetric, metricTitle } from '../../vocabulary/canonical.ts'
import { pointBucket } from './panel-json.ts'

/** The Theil-Sen line of the newest values. */
export interface TrendLine {
  /** Change per iteration, and its 95 % interval. */
  readonly slope: number
  /** 95 % interval of the slope. */
  readonly interval: readonly [number, number]
  /** `up` or `down` only where the interval excludes 0. */
  readonly direction: 'up' | 'down' | 'flat'
  /** First iteration of the window. */
  readonly fromIteration: number
  /** Last iteration of the window. */
  readonly toIteration: number
  /** Value of the line at iteration 0. */
  readonly intercept: number
  /** Iteration about which the lines of the interval turn: the middle of the window. */
  readonly pivot: number
}

/** One series of a run. */
export interface SeriesData {
  /** Canonical name. */
  readonly name: string
  /** What the series is, in plain words. */
  readonly title: string
  /** Empty where there is none. */
  readonly unit: string
  /** The whole run, oldest first; empty where nothing was logged. */
  readonly buckets: readonly HistoryBucket[]
  /** What a resumed run left behind, by attempt. */
  readonly superseded: readonly { readonly attempt: number; readonly buckets: readonly HistoryBucket[] }[]
  /** The trend of its newest values, or null where there are too few. */
  readonly trend: TrendLine | null
}

/** Series by canonical name. */
export type FigureData = Readonly<Record<string, SeriesData>>

/** Values over which the trend line is drawn, as `MetricsStore.computeTrend` does by default. */
const TREND_WINDOW = 200

/**
 * Takes the named series out of a store, those that were never logged included (with no buckets).
 *
 * @example
 * ```ts
 * import { MetricsStore } from 'telltale'
 * import { figureData } from 'telltale/plots'
 * const store = new MetricsStore()
 * for (let i = 0; i < 30; i++) store.add('reward', 0.1 * i, i)
 * const data = figureData(store, ['reward/score', 'gold/total'])
 * console.log(data['reward/score']?.trend?.direction, data['gold/total']?.buckets.length) // up 0
 * ```
 */
export function figureData(store: MetricsStore, names: readonly string[]): FigureData {
  const data: Record<string, SeriesData> = Object.create(null)
  for (const name of names) data[name] = storedSeries(store, name)
  return data
}

function storedSeries(store: MetricsStore, name: string): SeriesData {
  const history = store.history(name)
  return {
    name,
    title: metricTitle(name),
    unit: store.info(name).unit,
    buckets: history?.buckets() ?? [],
    superseded: history?.superseded() ?? [],
    trend: trendLine(store, name),
  }
}

function trendLine(store: MetricsStore, name: string): TrendLine | null {
  const trend = store.computeTrend(name, { window: TREND_WINDOW })
  const buffer = store.get(name)
  if (!trend || !buffer || !Number.isFinite(trend.slope)) return null
  const iterations = buffer.iterations().slice(-TREND_WINDOW)
  const values = buffer.values().slice(-TREND_WINDOW)
  const finite = [...iterations.keys()].filter((i) => Number.isFinite(values[i]))
  if (finite.length < 2) return null
  const intercept = median(finite.map((i) => values[i]! - trend.slope * iterations[i]!))
  if (!Number.isFinite(intercept)) return null
  return {
    slope: trend.slope,
    interval: trend.interval,
    direction: trend.direction,
    fromIteration: iterations[finite[0]!]!,
    toIteration: iterations[finite[finite.length - 1]!]!,
    intercept,
    pivot: median(finite.map((i) => iterations[i]!)),
  }
}

/**
 * The measures that comparisons published, for a run whose store is not at hand.
 *
 * @example
 * ```ts
 * import { comparisonData, QUALITY_SERIES } from 'telltale/plots'
 * const metrics = { 'quality/similarity': 0.7 }
 * const comparison = { iteration: 20, source: 'paired', driftKind: 'lexical', pairs: [], metrics } as const
 * const data = comparisonData([comparison], QUALITY_SERIES)
 * console.log(data['quality/similarity']?.buckets.map(({ iteration, last }) => [iteration, last])) // [ [ 20, 0.7 ] ]
 * ```
 */
export function comparisonData(comparisons: readonly SampleComparison[], names: readonly string[]): FigureData {
  const data: Record<string, SeriesData> = Object.create(null)
  for (const name of names) {
    // The newest comparison of an iteration counts, and iterations ascend even where a run was resumed.
    const values = new Map<number, number>()
    for (const { iteration, metrics } of comparisons) {
      const value = Object.hasOwn(metrics, name) ? metrics[name] : undefined
      if (value !== undefined) values.set(iteration, value)
    }
    data[name] = {
      name,
      title: metricTitle(name),
      unit: canonicalMetric(name)?.unit ?? '',
      buckets: [...values].sort(([a], [b]) => a - b).map(([iteration, value]) => pointBucket(iteration, value)),
      superseded: [],
      trend: null,
    }
  }
  return data
}
