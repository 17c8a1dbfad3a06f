/**
 * Marks the alerts of kinds that nobody wants to hear of. The mark is no part of what the detectors come to: the same run followed on with other kinds
 * muted has the same alerts.
 *
 * @module
 */
import type { Alert, AlertKind } from '../detectors/detector.ts'

/** Puts the mark on alerts. */
export interface MutedAlerts {
  one(alert: Alert): Alert
  /** The same array for the same alerts. */
  all(alerts: readonly Alert[]): readonly Alert[]
}

export function mutedAlerts(kinds: readonly AlertKind[]): MutedAlerts {
  const muted = new Set(kinds)
  let given: readonly Alert[] = []
  let marked: readonly Alert[] = []
  const one = (alert: Alert): Alert => (muted.has(alert.kind) ? { ...alert, muted: true } : alert)
  return {
    one,
    all(alerts) {
      if (muted.size === 0) return alerts
      if (alerts !== given) {
        given = alerts
        marked = alerts.map(one)
      }
      return marked
    },
  }
}
