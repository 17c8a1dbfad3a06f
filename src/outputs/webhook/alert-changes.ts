/**
 * What has become of a run's alerts since they were looked at last.
 *
 * @module
 */
import type { Alert } from '../../detectors/detector.ts'
import { type AlertChange, isAtLeast } from './notification.ts'

/** One alert that is new, or has passed. */
export interface ChangedAlert {
  readonly change: AlertChange
  readonly alert: Alert
}

/**
 * Whether an alert is what another one, which is over, has grown into: a history has an entry for each severity, and the smaller one has not passed. Each
 * broken invariant stands for itself.
 */
export function takesPlaceOf(alert: Alert, former: Alert): boolean {
  if (former.state !== 'resolved' || alert.kind !== former.kind || isAtLeast(former.severity, alert.severity))
    return false
  return alert.kind !== 'broken-invariant' || alert.detector === former.detector
}

/**
 * Gives a function that is called with all alerts of a run, muted ones too, again and again: each change comes out once, what has passed before what is
 * new. One that came and went between two calls is only new.
 */
export function alertChanges(): (history: readonly Alert[]) => readonly ChangedAlert[] {
  let seen: readonly Alert[] = []
  return (history) => {
    if (history === seen) return []
    const before = seen
    seen = history
    const over = history.filter(({ state, muted }, i) => before[i]?.state === 'open' && state === 'resolved' && !muted)
    const fresh = history.slice(before.length).filter(({ muted }) => !muted)
    const passed = over.filter((former) => !fresh.some((alert) => takesPlaceOf(alert, former)))
    return [
      ...passed.map((alert): ChangedAlert => ({ change: 'resolved', alert })),
      ...fresh.map((alert): ChangedAlert => {
        const grown = over.some((former) => takesPlaceOf(alert, former))
        return { change: grown ? 'escalated' : 'opened', alert }
      }),
    ]
  }
}
