import { sortedQuantile } from './median.ts'

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
  const xs: number[] = []
  const ys: number[] = []
  for (let i = 0; i < Math.min(x.length, y.length); i++) {
    if (!Number.isFinite(x[i]!) || !Number.isFinite(y[i]!)) continue
    xs.push(x[i]!)
    ys.push(y[i]!)
  }
  const n = xs.length
  if (n < MIN_POINTS) return null
  const slopes = new Float64Array((n * (n - 1)) / 2)
  let count = 0
  for (let i = 0; i < n; i++) {
    for (let j = i + 1; j < n; j++) {
      const dx = xs[j]! - xs[i]!
      const pairwise = (ys[j]! - ys[i]!) / dx
      // Values near the largest number overflow; such a pair says nothing that can be computed with.
      if (dx !== 0 && Number.isFinite(pairwise)) slopes[count++] = pairwise
    }
  }
  if (count === 0) return null
  const sorted = slopes.subarray(0, count).sort()
  const slope = sortedQuantile(sorted, 0.5)
  const offsets = Float64Array.from(ys, (value, i) => value - slope * xs[i]!)
  const intercept = sortedQuantile(Float64Array.from(offsets).sort(), 0.5)
  const variance = kendallVariance(ys) * inflation(offsets)
  const half = Z95 * Math.sqrt(variance)
  const at = (rank: number) => sorted[Math.min(count - 1, Math.max(0, Math.round(rank)))]!
  return { slope, intercept, interval: [at((count - half) / 2 - 1), at((count + half) / 2)], n }
}

/** Variance of Kendall's S for independent points, with ties in y. */
function kendallVariance(ys: readonly number[]): number {
  const n = ys.length
  let variance = n * (n - 1) * (2 * n + 5)
  const sorted = Float64Array.from(ys).sort()
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
function inflation(residuals: Float64Array): number {
  const n = residuals.length
  if (n < 10) return 1
  const ranks = rank(residuals)
  const centre = (n + 1) / 2
  let power = 0
  for (const value of ranks) power += (value - centre) ** 2
  if (power === 0) return 1
  const limit = Z95 / Math.sqrt(n)
  let sum = 0
  for (let lag = 1; lag < n - 2; lag++) {
    let product = 0
    for (let i = 0; i + lag < n; i++) product += (ranks[i]! - centre) * (ranks[i + lag]! - centre)
    const correlation = product / power
    if (Math.abs(correlation) > limit) sum += (n - lag) * (n - lag - 1) * (n - lag - 2) * correlation
  }
  return Math.max(1, 1 + (2 / (n * (n - 1) * (n - 2))) * sum)
}

/** Ranks from 1, the mean rank for ties. */
function rank(values: Float64Array): Float64Array {
  const order = Array.from(values.keys()).sort((a, b) => values[a]! - values[b]!)
  const ranks = new Float64Array(values.length)
  for (let i = 0; i < order.length; ) {
    let j = i + 1
    while (j < order.length && values[order[j]!] === values[order[i]!]) j++
    for (let k = i; k < j; k++) ranks[order[k]!] = (i + j + 1) / 2
    i = j
  }
  return ranks
}
