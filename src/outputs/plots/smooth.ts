import type { HistoryBucket } from '../../metrics/history.ts'
import type { Extent } from './axis-range.ts'
import { plotCount } from './plot-text.ts'

/** Fewest buckets that are worth smoothing. */
const MIN_BUCKETS = 10

/** A smoothed series, and how it was smoothed, in words. */
export interface Smoothed {
  /** One value a bucket; NaN where a bucket has no finite value. */
  readonly values: readonly number[]
  /** Such as `moving average of 11`. */
  readonly how: string
}

/**
 * A centred moving average over a twentieth of the run (at least five buckets), each bucket weighted by its values; at
 * the ends the window is cut off. A value beyond the axis counts as one at its edge: a spike of 1e6 would otherwise take the
 * average of its whole window off the axis. Null for a run too short for it.
 */
export function smooth(buckets: readonly HistoryBucket[], axis: Extent): Smoothed | null {
  const finite = buckets.filter((bucket) => bucket.count > 0).length
  if (finite < MIN_BUCKETS) return null
  const half = Math.max(2, Math.round(finite / 40))
  const values = buckets.map((bucket, at) => {
    if (bucket.count === 0) return Number.NaN
    let mean = 0
    let weight = 0
    for (let i = Math.max(0, at - half); i <= Math.min(buckets.length - 1, at + half); i++) {
      const { count, mean: bucketMean } = buckets[i]!
      if (count === 0) continue
      const value = Math.min(Math.max(bucketMean, axis.min), axis.max)
      weight += count
      // Weighted by shares, so that a sum of huge values cannot overflow.
      mean += (value - mean) * (count / weight)
    }
    return mean
  })
  const points = 2 * half + 1
  const width = buckets[0]!.width
  const window = width > 1 ? `${plotCount(points * width)} iterations` : String(points)
  return { values, how: `moving average of ${window}` }
}
