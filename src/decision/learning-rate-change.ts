/**
 * A jump of the logged learning rate announces itself: what follows it is another regime, not a failure.
 *
 * @module
 */
import type { Json } from '../detectors/detector.ts'

/** Factor by which the rate must change at once. */
const FACTOR = 1.5
/** How much larger than the newest changes a jump is: warm-up, cosine and linear decay change by as much as before. */
const TIMES_USUAL = 3
/** Changes that make the usual one, and of which so many must be known. */
const CHANGES = 5
const NEEDED = 3

/** Finds jumps in a learning rate. A pure function of the values so far, so that live and replay agree. */
export interface LearningRateChange {
  /** Takes the rate that an iteration logged; true where it has jumped. */
  update(rate: number | undefined): boolean
  /** The run goes on elsewhere: the next rate is compared with nothing. */
  reset(): void
  snapshot(): Json
  restore(state: Json): void
}

/** Makes a {@link LearningRateChange}. */
export function learningRateChange(): LearningRateChange {
  let last: number | null = null
  let changes: number[] = []
  return {
    update(rate) {
      if (rate === undefined || !Number.isFinite(rate) || rate < 0) return false
      const before = last
      last = rate
      if (before === null) return false
      const change = Math.abs(rate - before)
      const usual = changes.length < NEEDED ? Number.POSITIVE_INFINITY : Math.max(...changes)
      const [low, high] = rate < before ? [rate, before] : [before, rate]
      const jumped = high >= FACTOR * low && change > TIMES_USUAL * usual
      // A jump is no measure of what is usual.
      if (!jumped) changes = [...changes.slice(1 - CHANGES), change]
      return jumped
    },
    reset() {
      last = null
      changes = []
    },
    snapshot: () => ({ last, changes: [...changes] }),
    restore(state) {
      const saved = state as { readonly last: number | null; readonly changes: readonly number[] }
      last = saved.last
      changes = [...saved.changes]
    },
  }
}
