import type { HistoryBucket } from '../../metrics/history.ts'
import { type AxisRange, axisExponent, axisRange, type Extent } from './axis-range.ts'
import { plotText } from './plot-text.ts'
import type { ToAxis } from './series-points.ts'

/** A y axis that was fitted to values; its ends are in units of the axis, which is divided where numbers are long. */
export interface ValueAxis {
  readonly range: AxisRange
  /** Of the power of ten by which it is divided. */
  readonly exponent: number
  readonly divisor: number
  readonly yMin: number
  readonly yMax: number
  readonly toAxis: ToAxis
}

/**
 * @param groups buckets of each series that shares the axis; a short series beside a long one is not taken for values far out.
 * @param include values that shall be visible as far as that does not flatten the data.
 */
export function valueAxis(groups: readonly (readonly HistoryBucket[])[], include: readonly number[] = []): ValueAxis {
  const ranges = groups.flatMap((buckets) => axisRange(extentsOf(buckets), include) ?? [])
  const range: AxisRange =
    ranges.length === 0
      ? { min: 0, max: 1, clippedAbove: false, clippedBelow: false }
      : ranges.reduce((a, b) => ({
          min: Math.min(a.min, b.min),
          max: Math.max(a.max, b.max),
          clippedAbove: a.clippedAbove || b.clippedAbove,
          clippedBelow: a.clippedBelow || b.clippedBelow,
        }))
  const exponent = axisExponent(Math.max(Math.abs(range.min), Math.abs(range.max)))
  const divisor = 10 ** exponent
  const yMin = range.min / divisor
  const yMax = range.max / divisor
  // Values beyond the axis stay near it: coordinates of 1e300 are more than a renderer can clip. Adding 0 makes -0, which
  // JSON does not know, a 0.
  const reach = 2 * (yMax - yMin)
  const toAxis: ToAxis = (value) => Math.min(Math.max(value / divisor, yMin - reach), yMax + reach) + 0
  return { range, exponent, divisor, yMin, yMax, toAxis }
}

function extentsOf(buckets: readonly HistoryBucket[]): readonly Extent[] {
  return buckets.filter(({ count }) => count > 0).map(({ min, max }) => ({ min: bounded(min), max: bounded(max) }))
}

/** The difference of two values of 1e308 is infinite; nobody sees that these are drawn at 1e300. */
export function bounded(value: number): number {
  return Math.min(Math.max(value, -1e300), 1e300)
}

/** What an axis measures, with its unit and the power of ten by which it is divided. */
export function axisName(measure: string, unit: string, exponent: number): string {
  const known = unit !== '' && unit !== measure ? `${measure} (${plotText(unit, 24)})` : measure
  return exponent === 0 ? known : `${known} ×10${superscript(exponent)}`
}

function superscript(exponent: number): string {
  return Array.from(String(exponent), (digit) => (digit === '-' ? '⁻' : '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(digit)])).join('')
}
