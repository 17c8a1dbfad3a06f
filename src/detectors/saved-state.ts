/**
 * A detector's state as it is kept: with the name and version that say who can read it.
 *
 * @module
 */
import { TelltaleError } from '../errors.ts'
import type { Detector, Json } from './detector.ts'

/** What {@link saveDetector} gives: JSON. */
export type SavedDetector = {
  readonly name: string
  readonly version: number
  readonly state: Json
}

/** The state of a detector with what {@link restoreDetector} checks. */
export function saveDetector(detector: Detector): SavedDetector {
  return { name: detector.name, version: detector.stateVersion ?? 1, state: detector.snapshot() }
}

/**
 * Restores a detector from {@link saveDetector}.
 *
 * @throws TelltaleError `bad-format` where the state is of another detector or of another version.
 */
export function restoreDetector(detector: Detector, saved: unknown): void {
  const { name, version, state } = (typeof saved === 'object' && saved !== null ? saved : {}) as Partial<SavedDetector>
  const expected = detector.stateVersion ?? 1
  if (name !== detector.name || version !== expected || state === undefined) {
    const came =
      typeof name === 'string' ? `version ${String(version)} of ${JSON.stringify(name.slice(0, 80))}` : 'something else'
    throw new TelltaleError(
      'bad-format',
      `A snapshot of detector ${detector.name}, version ${expected}, was expected; ${came} came. Replay the run's log instead.`,
    )
  }
  detector.restore(state)
}
