import type { Alert } from '../../detectors/detector.ts'
import type { ChangedAlert } from './alert-changes.ts'

/** A failure that comes and goes is told of so often in a run, at each severity. Each broken relation is a failure of its own. */
export const MAX_TELLS = 3

/** What is to be told of a change. */
export interface Telling {
  /** What people are told; null for nothing. */
  readonly told: ChangedAlert | null
  /** Comes once: this is the first of its kind that nobody is told of, since it has come too often. */
  readonly isJustWorn: boolean
}

/** Knows what people were told of. */
export interface ToldAlerts {
  /**
   * A change of an alert of a run. What has passed or eased is told to those who know of it, and calls nobody; what is new or has grown worse is told
   * {@link MAX_TELLS} times a kind and severity.
   */
  take(run: string, changed: ChangedAlert): Telling
}

const SILENCE: Telling = { told: null, isJustWorn: false }

export function toldAlerts(): ToldAlerts {
  /** Alerts that people know of, and not yet what has become of them; and all that came here. */
  const known = new Set<string>()
  const met = new Set<string>()
  const times = new Map<string, number>()
  return {
    take(run, changed) {
      const { change, alert } = changed
      const id = `${run} ${alert.id}`
      if (change === 'resolved') return known.delete(id) ? { told: changed, isJustWorn: false } : SILENCE
      met.add(id)
      const formerId = `${run} ${alert.replaces}`
      const isFormerKnown = known.delete(formerId)
      if (change === 'eased' && met.has(formerId)) {
        if (!isFormerKnown) return SILENCE
        known.add(id)
        return { told: changed, isJustWorn: false }
      }
      const key = `${run} ${failureOf(alert)} ${alert.severity}`
      const count = (times.get(key) ?? 0) + 1
      times.set(key, count)
      // Who knows of it as it was before hears when it has passed.
      if (count > MAX_TELLS && isFormerKnown && change !== 'opened') known.add(id)
      if (count > MAX_TELLS) return { told: null, isJustWorn: count === MAX_TELLS + 1 }
      // One that is over already, too: another one may have replaced it in the meantime, of which more is told.
      known.add(id)
      // Whoever does not know what it was before has nothing to compare it with.
      return { told: isFormerKnown ? changed : { change: 'opened', alert, before: null }, isJustWorn: false }
    },
  }
}

/** What of it comes and goes: that one exact relation is broken says nothing of the others. */
function failureOf({ kind, detector }: Alert): string {
  return kind === 'broken-invariant' ? `${kind} ${detector}` : kind
}
