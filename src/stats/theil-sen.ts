import { sortedQuantile } from './median.ts'
import { selectNth } from './select.ts'

/** A line through the medians, with the interval of its slope. */
export interface TheilSenFit {
  /** Median of all pairwise slopes: change of y per unit of x. */
  readonly slope: number
  readonly intercept: number
  /** Interval of the slope at the confidence asked for. */
  readonly interval: readonly [number, number]
  /** Finite points used. */
  readonly n: number
}

/** Points below which no line is told. */
const MIN_POINTS = 4
/** Two-sided 95 % quantile of the normal distribution, and the significance level for autocorrelations. */
const Z95 = 1.959963984540054

/**
 * Theil and Sen's slope with a 95 % interval that respects autocorrelation: Gilbert's ranks of the pairwise slopes, with the
 * variance of Kendall's S widened as Hamed and Rao (1998) do, from the significant autocorrelations of the ranks of the
 * detrended series. It is never narrower than for independent noise. Non-finite points are left out.
 *
 * @returns null for fewer than four finite points or where x does not vary.
 */
export function theilSen(x: ArrayLike<number>, y: ArrayLike<number>): TheilSenFit | null {
  const [xs, ys] = finitePairs(x, y)
  const n = xs.length
  if (n < MIN_POINTS) return null
  const slopes = pairwiseSlopes(xs, ys)
  const count = slopes.length
  if (count === 0) return null
  // Three of the slopes are wanted in order, so they are selected: that takes a third of the time of sorting all.
  const middle = Math.floor((count - 1) / 2)
  const slope =
    count % 2 === 1
      ? selectNth(slopes, middle)
      : midpoint(selectNth(slopes, middle), selectNth(slopes, middle + 1, middle + 1))
  const offsets = ys.map((value, i) => value - slope * xs[i]!)
  const sortedOffsets = offsets.slice().sort()
  const variance = kendallVariance(ys) * inflation(offsets, sortedOffsets)
  const [low, high] = intervalRanks(count, variance)
  const at = (rank: number) =>
    rank <= middle ? selectNth(slopes, rank, 0, middle) : selectNth(slopes, rank, middle + 1)
  return { slope, intercept: sortedQuantile(sortedOffsets, 0.5), interval: [at(low), at(high)], n }
}

/**
 * Whether the interval of {@link theilSen} can lie wholly above 0 (`side` 1) or below it (-1). False is certain, true is not: it
 * is the answer for independent noise, whose interval is the narrowest. Costs a tenth of the fit, since nothing is sorted.
 */
export function trendCanBe(side: 1 | -1, x: ArrayLike<number>, y: ArrayLike<number>): boolean {
  const [xs, ys] = finitePairs(x, y)
  const n = xs.length
  if (n < MIN_POINTS) return false
  const variance = kendallVariance(ys)
  /** Slopes of the other side, or of none, that may lie outside the interval. */
  const spared = (count: number): number => {
    const [low, high] = intervalRanks(count, variance)
    return side === 1 ? low : count - 1 - high
  }
  const atMost = spared((n * (n - 1)) / 2)
  let count = 0
  let others = 0
  for (let i = 0; i < n && others <= atMost; i++) {
    for (let j = i + 1; j < n; j++) {
      const slope = slopeBetween(xs, ys, i, j)
      if (!Number.isFinite(slope)) continue
      count++
      if (slope * side <= 0) others++
    }
  }
  return count > 0 && others <= atMost && others <= spared(count)
}

/** The finite points. */
function finitePairs(x: ArrayLike<number>, y: ArrayLike<number>): readonly [Float64Array, Float64Array] {
  const length = Math.min(x.length, y.length)
  const xs = new Float64Array(length)
  const ys = new Float64Array(length)
  let n = 0
  for (let i = 0; i < length; i++) {
    if (!Number.isFinite(x[i]!) || !Number.isFinite(y[i]!)) continue
    xs[n] = x[i]!
    ys[n++] = y[i]!
  }
  return n === length ? [xs, ys] : [xs.subarray(0, n), ys.subarray(0, n)]
}

function pairwiseSlopes(xs: Float64Array, ys: Float64Array): Float64Array {
  const n = xs.length
  const slopes = new Float64Array((n * (n - 1)) / 2)
  let count = 0
  for (let i = 0; i < n; i++) {
    for (let j = i + 1; j < n; j++) {
      const slope = slopeBetween(xs, ys, i, j)
      if (Number.isFinite(slope)) slopes[count++] = slope
    }
  }
  return slopes.subarray(0, count)
}

/** Not finite where x is the same, or where values near the largest number overflow: nothing that can be computed with. */
function slopeBetween(xs: Float64Array, ys: Float64Array, i: number, j: number): number {
  return (ys[j]! - ys[i]!) / (xs[j]! - xs[i]!)
}

/** Where in the sorted slopes the ends of the interval stand (Gilbert 1987), for a variance of Kendall's S. */
function intervalRanks(count: number, variance: number): readonly [number, number] {
  const half = Z95 * Math.sqrt(variance)
  const rank = (at: number) => Math.min(count - 1, Math.max(0, Math.round(at)))
  return [rank((count - half) / 2 - 1), rank((count + half) / 2)]
}

/** As {@link sortedQuantile} has it. */
function midpoint(a: number, b: number): number {
  return a === b ? a : a + (b - a) * 0.5
}

/** Variance of Kendall's S for independent points, with ties in y. */
function kendallVariance(ys: Float64Array): number {
  const n = ys.length
  let variance = n * (n - 1) * (2 * n + 5)
  const sorted = ys.slice().sort()
  for (let i = 0; i < n; ) {
    let j = i + 1
    while (j < n && sorted[j] === sorted[i]) j++
    const ties = j - i
    variance -= ties * (ties - 1) * (2 * ties + 5)
    i = j
  }
  return variance / 18
}

/** How much wider than for independent noise: n/n* of Hamed and Rao, at least 1. */
function inflation(residuals: Float64Array, sorted: Float64Array): number {
  const n = residuals.length
  if (n < 10) return 1
  const centred = centredRanks(residuals, sorted)
  let power = 0
  for (let i = 0; i < n; i++) power += centred[i]! * centred[i]!
  if (power === 0) return 1
  const limit = Z95 / Math.sqrt(n)
  let sum = 0
  for (let lag = 1; lag < n - 2; lag++) {
    let product = 0
    for (let i = 0; i + lag < n; i++) product += centred[i]! * centred[i + lag]!
    const correlation = product / power
    if (Math.abs(correlation) > limit) sum += (n - lag) * (n - lag - 1) * (n - lag - 2) * correlation
  }
  return Math.max(1, 1 + (2 / (n * (n - 1) * (n - 2))) * sum)
}

/** Ranks, the mean rank for ties, less the mean of all ranks. */
function centredRanks(values: Float64Array, sorted: Float64Array): Float64Array {
  const centre = (values.length - 1) / 2
  return values.map((value) => {
    const first = firstAtLeast(sorted, value)
    let last = first
    while (sorted[last + 1] === value) last++
    return (first + last) / 2 - centre
  })
}

/** Index of the first value that is not below `value`. */
function firstAtLeast(sorted: Float64Array, value: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (sorted[middle]! < value) low = middle + 1
    else high = middle
  }
  return low
}
