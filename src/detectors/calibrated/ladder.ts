/**
 * From a statistic to a severity, with hysteresis.
 *
 * @module
 */
import type { Severity } from '../detector.ts'

/** Thresholds of one statistic; see `thresholds.ts`. */
export interface Thresholds {
  readonly info: number
  readonly warning: number
  readonly critical: number
  /** Called with every value of the statistic: how the calibration sees what healthy runs reach. */
  readonly seen?: (statistic: number) => void
}

/** How far a statistic must fall below a threshold before the severity steps down. */
const HYSTERESIS = 1

const DOWN: readonly Severity[] = ['critical', 'warning', 'info']

/** The severity of a statistic, given what it was before; null where there is nothing to say. */
export function severityOf(statistic: number, thresholds: Thresholds, before: Severity | null): Severity | null {
  thresholds.seen?.(statistic)
  for (const severity of DOWN) {
    const held = before !== null && DOWN.indexOf(before) <= DOWN.indexOf(severity)
    if (statistic >= thresholds[severity] - (held ? HYSTERESIS : 0)) return severity
  }
  return null
}
