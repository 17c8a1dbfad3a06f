import type { HistoryBucket } from '../../metrics/history.ts'
import { type AxisRange, axisExponent, axisRange } from './axis-range.ts'
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
 * @param finite buckets that have a finite value.
 * @param include values that shall be visible as far as that does not flatten the data.
 */
export function valueAxis(finite: readonly HistoryBucket[], include: readonly number[] = []): ValueAxis {
  const range = axisRange(
    finite.map(({ min, max }) => ({ min: bounded(min), max: bounded(max) })),
    include,
  ) ?? { min: 0, max: 1, clippedAbove: false, clippedBelow: false }
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
