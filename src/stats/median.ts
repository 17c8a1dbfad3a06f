import { selectNth } from './select.ts'

/** The middle of the values (mean of the two middle ones for an even count); NaN for none. Values must be finite. */
export function median(values: ArrayLike<number>): number {
  return quantile(values, 0.5)
}

/** So few are sorted faster by hand than by a call of the engine's own sort. */
const FEW = 16

/** The quantile by linear interpolation, as numpy's default; NaN for no values. `q` from 0 to 1. Values must be finite. */
export function quantile(values: ArrayLike<number>, q: number): number {
  if (values.length === 0) return Number.NaN
  return sortedQuantile(sorted(values), q)
}

function sorted(values: ArrayLike<number>): Float64Array {
  const copy = new Float64Array(values)
  if (copy.length > FEW) return copy.sort()
  for (let i = 1; i < copy.length; i++) {
    const value = copy[i]!
    let at = i
    while (at > 0 && copy[at - 1]! > value) copy[at] = copy[--at]!
    copy[at] = value
  }
  return copy
}

/** {@link quantile} of values that are sorted already. */
export function sortedQuantile(sorted: ArrayLike<number>, q: number): number {
  const at = (sorted.length - 1) * q
  const low = Math.floor(at)
  const a = sorted[low]!
  const b = sorted[Math.min(low + 1, sorted.length - 1)]!
  // Equal neighbours may be infinite, and their difference is then no number.
  return a === b ? a : a + (b - a) * (at - low)
}

/**
 * The middle of the first `n` values of a buffer, which is reordered: for code that computes one often. Equal to {@link median}.
 *
 * @param n at least 1. The values must be finite.
 */
export function medianInPlace(buffer: Float64Array, n: number): number {
  const middle = n >> 1
  const high = selectNth(buffer, middle, 0, n - 1)
  if (n % 2 === 1) return high
  let low = buffer[0]!
  for (let i = 1; i < middle; i++) if (buffer[i]! > low) low = buffer[i]!
  // As sortedQuantile has it, so that both give the same bits.
  return low === high ? low : low + (high - low) * 0.5
}
