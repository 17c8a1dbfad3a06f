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
 * Gives a function that is called with all alerts of a run, muted ones too, again and again: each change comes out once, in order. A history has an entry
 * for each severity: where a graver one takes the place of another, that is one change, and nothing has passed.
 */
export function alertChanges(): (history: readonly Alert[]) => readonly ChangedAlert[] {
  let seen: readonly Alert[] = []
  return (history) => {
    if (history === seen) return []
    const before = seen
    seen = history
    const passed = history.filter(
      ({ state, muted }, i) => before[i]?.state === 'open' && state === 'resolved' && !muted,
    )
    const fresh = history.slice(before.length).filter(({ muted }) => !muted)
    const followed = new Set<Alert>()
    const news = fresh.map((alert): ChangedAlert => {
      const former = [...passed, ...fresh].findLast(
        (one) => one !== alert && one.kind === alert.kind && one.state === 'resolved' && !followed.has(one),
      )
      if (former === undefined) return { change: 'opened', alert }
      followed.add(former)
      return { change: isAtLeast(former.severity, alert.severity) ? 'opened' : 'escalated', alert }
    })
    return [
      ...news,
      ...passed.filter((one) => !followed.has(one)).map((alert): ChangedAlert => ({ change: 'resolved', alert })),
    ]
  }
}
