/**
 * From buckets to points: every spike stays visible, nothing lies so far out that a renderer stumbles.
 *
 * @module
 */
import type { HistoryBucket } from '../../metrics/history.ts'

/** A point of a line; null ends a piece of it. */
export type Point = readonly [iteration: number, value: number | null]

/** Maps a value to the units of the axis. */
export type ToAxis = (value: number) => number

/** Iteration in the middle of what a bucket holds. */
export function bucketMiddle(bucket: HistoryBucket): number {
  const end = Math.max(bucket.iteration, Math.min(bucket.iteration + bucket.width - 1, bucket.lastIteration))
  return bucket.width === 1 ? bucket.iteration : (bucket.iteration + end) / 2
}

/** One point a value, or the smallest and the largest value of a bucket, so that the line fills what lies between. */
export function rawPoints(buckets: readonly HistoryBucket[], toAxis: ToAxis): Point[] {
  const points: Point[] = []
  let last = 0
  for (const bucket of buckets) {
    const x = bucketMiddle(bucket)
    if (bucket.count === 0) {
      points.push([x, null])
      continue
    }
    const low = toAxis(bucket.min)
    const high = toAxis(bucket.max)
    if (low === high) points.push([x, low])
    else if (Math.abs(last - low) <= Math.abs(last - high)) points.push([x, low], [x, high])
    else points.push([x, high], [x, low])
    last = points[points.length - 1]![1] ?? last
  }
  return points
}

/** A point in the middle of each bucket, with its smoothed value. */
export function smoothedPoints(buckets: readonly HistoryBucket[], values: readonly number[], toAxis: ToAxis): Point[] {
  return buckets.map((bucket, i) => {
    const value = values[i]!
    return [bucketMiddle(bucket), Number.isFinite(value) ? toAxis(value) : null]
  })
}

/** Points with no neighbour, which a line alone would not show. */
export function isolatedPoints(points: readonly Point[]): Point[] {
  return points.filter(
    ([, value], i) => value !== null && (points[i - 1]?.[1] ?? null) === null && (points[i + 1]?.[1] ?? null) === null,
  )
}

/** Of marks along an axis, those that are at least `minGap` apart (in iterations), so that ten thousand stay drawable. */
export function spreadOut(iterations: readonly number[], minGap: number): number[] {
  const kept: number[] = []
  for (const iteration of [...iterations].sort((a, b) => a - b)) {
    if (kept.length === 0 || iteration - kept[kept.length - 1]! >= minGap) kept.push(iteration)
  }
  return kept
}
