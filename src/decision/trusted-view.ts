/**
 * What of an iteration a detector gets to see: only series that mean, by the trainer's table, what it would judge.
 *
 * @module
 */
import type { AlertKind, Detector, Observation } from '../detectors/detector.ts'
import type { SeriesInfo } from '../vocabulary/series.ts'

/** Kinds that are about exact relations, where a biased series would be judged for what it never claimed. */
const EXACT_KINDS: ReadonlySet<AlertKind> = new Set([
  'broken-invariant',
  'train-inference-mismatch',
  'value-reward-mismatch',
])

/** Why a detector cannot judge a series, or null where it can. */
export function unfitBecause(detector: Detector, info: SeriesInfo): string | null {
  if (info.reliability === 'unusable') return info.why ?? 'the trainer logs something else under this name'
  if (detector.accepts) {
    if (detector.accepts(info)) return null
    return info.estimator ? `it is the ${info.estimator} estimate` : 'its meaning is not the one that is judged'
  }
  if (!EXACT_KINDS.has(detector.kind)) return null
  if (info.reliability !== 'exact') return info.why ?? 'it is not exact'
  // A mean of k1 = x is a sample of a divergence, and may lie on either side of what an exact relation says.
  return detector.kind === 'broken-invariant' && info.estimator === 'k1'
    ? 'it is the k1 estimate, which may be negative'
    : null
}

/**
 * Makes the view of one detector. A series' meaning stands from its first value on, so each is asked about once.
 *
 * @param meaning what a series that has been logged means.
 */
export function trustedView(
  detector: Detector,
  meaning: (name: string) => SeriesInfo,
): (observation: Observation) => Observation {
  const fit = new Map<string, boolean>()
  let seen: Observation
  const get = (name: string): number | undefined => {
    const value = seen.get(name)
    if (value === undefined) return undefined
    let known = fit.get(name)
    if (known === undefined) {
      known = unfitBecause(detector, meaning(name)) === null
      fit.set(name, known)
    }
    return known ? value : undefined
  }
  return (observation) => {
    seen = observation
    return { ...observation, get }
  }
}
