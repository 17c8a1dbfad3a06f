import type { Alert } from '../../detectors/detector.ts'

/** A failure that comes and goes is told of so often in a run, at each severity. */
export const MAX_TELLS = 3

/** Counts how often people have been called, by run, kind and severity. */
export interface WornAlerts {
  /** Counts one more. `just-worn` comes once: for the first alert that nobody is told of. */
  count(run: string, alert: Pick<Alert, 'kind' | 'severity'>): 'fresh' | 'just-worn' | 'worn'
}

export function wornAlerts(): WornAlerts {
  const times = new Map<string, number>()
  return {
    count(run, { kind, severity }) {
      const key = `${run} ${kind} ${severity}`
      const count = (times.get(key) ?? 0) + 1
      times.set(key, count)
      return count <= MAX_TELLS ? 'fresh' : count === MAX_TELLS + 1 ? 'just-worn' : 'worn'
    },
  }
}
