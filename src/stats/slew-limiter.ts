/** A signal that moves at most a few of its usual steps from one value to the next. */
export interface SlewLimiter {
  /** Takes a value and gives the limited signal. */
  update(value: number): number
  reset(): void
  snapshot(): SlewLimiterState
  restore(state: SlewLimiterState): void
}

/** State of a {@link SlewLimiter}; all numbers finite. */
export interface SlewLimiterState {
  /** The limited signal. */
  readonly level: number
  /** Usual step: running mean of the size of the changes. */
  readonly step: number
  /** Values so far. */
  readonly seen: number
  readonly [key: string]: number
}

/** Usual steps that the signal may move by in one value. */
const STEPS = 2
/** Values before a step can be called usual: until then the signal is followed as it is. */
const LEARNING = 10
/** Values that the running mean of the steps remembers. */
const MEMORY = 50

/**
 * Follows a signal, but never faster than two of its usual steps a value. In autocorrelated noise one wild value is followed by many that lie
 * near it: together they look like a new level. The limited signal is under way when the wild one comes back, so that what
 * is left of it is short; a drift, which is slower than the noise, passes unchanged.
 *
 * @param minStep smallest limit, in the unit of the signal, at least 0.
 */
export function slewLimiter(minStep: number): SlewLimiter {
  let level = 0
  let step = 0
  let seen = 0
  return {
    update(value) {
      if (seen === 0) {
        level = value
        seen = 1
        return level
      }
      const change = value - level
      const limit = seen <= LEARNING ? Number.POSITIVE_INFINITY : Math.max(STEPS * step, minStep)
      const moved = Math.max(-limit, Math.min(limit, change))
      level += moved
      // The usual step is learned from the limited signal, so that one wild value does not widen its own limit.
      step += (Math.abs(moved) - step) / Math.min(seen, MEMORY)
      seen++
      return level
    },
    reset() {
      level = 0
      step = 0
      seen = 0
    },
    snapshot: () => ({ level, step, seen }),
    restore(state) {
      ;({ level, step, seen } = state)
    },
  }
}
