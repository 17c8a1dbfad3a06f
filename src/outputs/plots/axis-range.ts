/**
 * Where axes begin and end: all of the data as a rule, but a few values far out do not flatten the rest.
 *
 * @module
 */

/** Values of a part of a run, to be fitted on an axis. */
export interface Extent {
  readonly min: number
  readonly max: number
}

/** Fewest extents for which a value may be called far out. */
const MIN_FOR_CLIPPING = 8
/** Share of the extents at either end that may be far out. */
const FAR_OUT_SHARE = 0.03
/** Spans of the bulk beyond which the ends are clipped: up to here the bulk keeps a seventh of the height. */
const CLIP_BEYOND_SPANS = 6
/** Spans of the bulk beyond it that stay on a clipped axis. */
const KEPT_SPANS = 2

/** A range for values, and whether something lies outside of it. */
export interface AxisRange {
  readonly min: number
  readonly max: number
  readonly clippedAbove: boolean
  readonly clippedBelow: boolean
}

/**
 * The range of an axis for some extents (finite numbers, of at most 1e290 in size).
 *
 * @param include values that shall be visible as far as that does not flatten the data (thresholds).
 * @returns null where there is nothing.
 */
export function axisRange(extents: readonly Extent[], include: readonly number[] = []): AxisRange | null {
  if (extents.length === 0) return null
  const mins = extents.map((e) => e.min).sort((a, b) => a - b)
  const maxs = extents.map((e) => e.max).sort((a, b) => a - b)
  const all = { min: mins[0]!, max: maxs[maxs.length - 1]! }
  let { min, max } = all
  if (extents.length >= MIN_FOR_CLIPPING) {
    const skip = Math.max(1, Math.floor(extents.length * FAR_OUT_SHARE))
    const low = mins[skip]!
    const high = maxs[maxs.length - 1 - skip]!
    // A series that is constant but for one spike has no span of its own; its level is the measure then.
    const span = high > low ? high - low : Math.abs(high)
    if (span > 0) {
      if (max > high + CLIP_BEYOND_SPANS * span) max = largestBelow(maxs, high + KEPT_SPANS * span)
      if (min < low - CLIP_BEYOND_SPANS * span) min = smallestAbove(mins, low - KEPT_SPANS * span)
    }
  }
  const clippedAbove = max < all.max
  const clippedBelow = min > all.min
  const span = max - min
  for (const value of include) {
    if (!Number.isFinite(value)) continue
    if (value > max && (span === 0 || value - min <= 12 * span)) max = value
    if (value < min && (span === 0 || max - value <= 12 * span)) min = value
  }
  const nonNegative = min >= 0
  const nonPositive = max <= 0
  if (max === min) {
    const half = Math.abs(max) * 0.2 || 0.5
    min -= half
    max += half
  } else {
    const margin = (max - min) * 0.06
    // From zero where the data come near it anyway: heights can be compared then.
    min = nonNegative && min < 0.4 * max ? 0 : min - margin
    max = nonPositive && max > 0.4 * min ? 0 : max + margin
  }
  if (nonNegative && min < 0) min = 0
  else if (nonPositive && max > 0) max = 0
  return { min, max, clippedAbove, clippedBelow }
}

function largestBelow(sorted: readonly number[], limit: number): number {
  let best = sorted[0]!
  for (const value of sorted) if (value <= limit) best = value
  return best
}

function smallestAbove(sorted: readonly number[], limit: number): number {
  for (const value of sorted) if (value >= limit) return value
  return sorted[sorted.length - 1]!
}

/** The power of ten by which an axis is divided, so that its labels stay short; 0 for ordinary numbers. */
export function axisExponent(largest: number): number {
  if (!(largest > 0) || (largest >= 1e-3 && largest < 1e5)) return 0
  return Math.max(-300, Math.floor(Math.log10(largest)))
}

/** Round numbers from `min` to `max`, about `count` of them, at least `minStep` apart. */
export function niceTicks(min: number, max: number, count: number, minStep = 0): number[] {
  const raw = Math.max((max - min) / Math.max(1, count), minStep)
  if (!(raw > 0) || !Number.isFinite(raw)) return [min]
  const power = 10 ** Math.floor(Math.log10(raw))
  const steps = [1, 2, 2.5, 5, 10]
    .map((f) => f * power)
    .filter((s) => s >= minStep && (minStep < 1 || Number.isInteger(s)))
  // The step whose number of ticks is nearest to what was asked for, in proportion.
  const off = (step: number) => Math.abs(Math.log((max - min) / step / count))
  const step = steps.reduce((best, s) => (off(s) < off(best) ? s : best), 10 * power)
  const ticks: number[] = []
  for (let i = Math.ceil(min / step - 1e-9); i * step <= max + step * 1e-9 && ticks.length < 50; i++) {
    ticks.push(Number((i * step).toPrecision(12)))
  }
  return ticks
}

/** First and last of some iterations; null where there is none. */
export function extentOf(iterations: readonly number[]): Extent | null {
  let min = Number.POSITIVE_INFINITY
  let max = Number.NEGATIVE_INFINITY
  for (const iteration of iterations) {
    if (!Number.isFinite(iteration)) continue
    if (iteration < min) min = iteration
    if (iteration > max) max = iteration
  }
  return min > max ? null : { min, max }
}

/** The range of iterations: from the first to the last, or a little around a single one. */
export function iterationRange(iterations: readonly number[]): Extent {
  const seen = extentOf(iterations)
  if (seen === null) return { min: 0, max: 1 }
  const { min, max } = seen
  if (min === max) return { min: min - 1, max: max + 1 }
  const margin = (max - min) * 0.015
  return { min: min - margin, max: max + margin }
}
