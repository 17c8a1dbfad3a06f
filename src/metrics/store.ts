// The API that displays, plots, reports and detectors read; the implementation follows.
import type { SeriesInfo } from '../vocabulary/series.ts'

export interface SeriesStatistics {
  readonly count: number
  readonly mean: number
  readonly std: number
  readonly min: number
  readonly max: number
  readonly median: number
  readonly nonFinite: number
}
export interface Trend {
  readonly slope: number
  readonly interval: readonly [number, number]
  readonly direction: 'up' | 'down' | 'flat'
}
/** One bucket of a series' whole history: `width` iterations from `iteration` on. */
export interface HistoryBucket {
  readonly iteration: number
  readonly width: number
  readonly min: number
  readonly max: number
  readonly mean: number
  readonly last: number
  readonly count: number
  readonly nonFinite: number
}

export interface MetricsStore {
  /** Canonical names in order of first appearance. */
  names(): readonly string[]
  info(name: string): SeriesInfo
  add(name: string, value: number, iteration: number): void
  /** Newest up to 10,000 values and iterations (views, read-only; valid until the next add). */
  get(name: string): { readonly length: number; values(): Float64Array; iterations(): Float64Array } | undefined
  latest(name: string): number | undefined
  latestIteration(name: string): number | undefined
  statistics(name: string, options?: { readonly window?: number }): SeriesStatistics | null
  movingAverage(name: string, window: number): Float64Array
  computeTrend(name: string, options?: { readonly window?: number }): Trend | null
  /** The whole run from first to last iteration in bounded memory. */
  history(
    name: string,
  ):
    | {
        buckets(): readonly HistoryBucket[]
        superseded(): readonly { readonly attempt: number; readonly buckets: readonly HistoryBucket[] }[]
      }
    | undefined
}
