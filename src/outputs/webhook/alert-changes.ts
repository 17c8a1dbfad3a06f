/**
 * What has become of a run's alerts since they were looked at last.
 *
 * @module
 */
import type { Alert, Severity } from '../../detectors/detector.ts'
import { formerOf, isAtLeast } from '../failures.ts'
import type { AlertChange } from './notification.ts'

/** One alert that is new, or is over. */
export interface ChangedAlert {
  readonly change: AlertChange
  readonly alert: Alert
  /** Severity of the alert that it has replaced, where that grew worse or eased; null otherwise. */
  readonly before: Severity | null
}

/**
 * What a new alert means to somebody who knows of those before it: a failure that was not there, one that has grown worse, or one that has eased. Of
 * another kind than the one that it replaces, it is news.
 */
export function changeOf(alert: Alert, history: readonly Alert[]): ChangedAlert {
  const former = formerOf(alert, history)
  if (former === null || former.severity === alert.severity) return { change: 'opened', alert, before: null }
  const change = isAtLeast(alert.severity, former.severity) ? 'escalated' : 'eased'
  return { change, alert, before: former.severity }
}

/** Whether what becomes of an alert that is over is told with the one that has replaced it: it has not passed. */
export function goesOn(alert: Alert, history: readonly Alert[]): boolean {
  return history.some((one) => one.replaces === alert.id && changeOf(one, history).change !== 'opened')
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
    const passed = history.filter(
      (alert, i) =>
        before[i]?.state === 'open' && alert.state === 'resolved' && !alert.muted && !goesOn(alert, history),
    )
    const fresh = history.slice(before.length).filter(({ muted }) => !muted)
    return [
      ...passed.map((alert): ChangedAlert => ({ change: 'resolved', alert, before: null })),
      ...fresh.map((alert) => changeOf(alert, history)),
    ]
  }
}
