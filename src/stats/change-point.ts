/** Where a series left its level, with the places that explain it nearly as well. */
export interface ChangePoint {
  /** Index of the last value that is still at the level. */
  readonly index: number
  readonly from: number
  readonly to: number
}

/** Loss of log-likelihood within which a place is in the interval: about 95 % for one parameter. */
const INTERVAL_LOSS = 2
/** Values before the change that its level is taken from, at least and at most. */
const MIN_BEFORE = 3

/**
 * The place from which a step or a ramp upwards explains the values best, against the level before it (least squares).
 *
 * @param values oldest first; at least four, or the last index is given.
 */
export function changePoint(values: ArrayLike<number>): ChangePoint {
  const n = values.length
  if (n <= MIN_BEFORE) return { index: Math.max(0, n - 1), from: 0, to: Math.max(0, n - 1) }
  const residuals = new Float64Array(n).fill(Number.POSITIVE_INFINITY)
  let best = n - 1
  for (let j = MIN_BEFORE - 1; j < n - 1; j++) {
    residuals[j] = Math.min(brokenLine(values, j, 0), brokenLine(values, j, 1))
    if (residuals[j]! < residuals[best]!) best = j
  }
  const variance = residuals[best]! / Math.max(1, n - 3)
  const enough = residuals[best]! + 2 * INTERVAL_LOSS * variance
  let from = best
  let to = best
  while (from > 0 && residuals[from - 1]! <= enough) from--
  while (to < n - 2 && residuals[to + 1]! <= enough) to++
  return { index: best, from, to }
}

/** Squares that are left when values are a level up to j and rise from there: by a constant (power 0) or evenly (power 1). */
function brokenLine(values: ArrayLike<number>, j: number, power: 0 | 1): number {
  const n = values.length
  let sumX = 0
  let sumY = 0
  let sumXX = 0
  let sumXY = 0
  let sumYY = 0
  for (let i = 0; i < n; i++) {
    const x = i <= j ? 0 : power === 0 ? 1 : i - j
    const y = values[i]!
    sumX += x
    sumY += y
    sumXX += x * x
    sumXY += x * y
    sumYY += y * y
  }
  const xx = sumXX - (sumX * sumX) / n
  const xy = sumXY - (sumX * sumY) / n
  const yy = sumYY - (sumY * sumY) / n
  // Only a rise is a change of the sort that is looked for.
  return xy > 0 && xx > 0 ? Math.max(0, yy - (xy * xy) / xx) : yy
}
