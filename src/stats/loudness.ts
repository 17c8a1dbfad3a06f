/** How loud a signal is now, compared with what is usual. */
export interface Loudness {
  update(value: number): void
  /** At least 1: the factor by which the noise is larger than usual. */
  factor(): number
  reset(): void
  snapshot(): LoudnessState
  restore(state: LoudnessState): void
}

/** State of a {@link Loudness}; all numbers finite. */
export interface LoudnessState {
  readonly last: number
  readonly now: number
  readonly usual: number
  readonly seen: number
  readonly [key: string]: number
}

/** Values that the present loudness is the mean of, and the usual one. */
const NOW = 20
const USUAL = 400
/** Changes larger than this many usual ones count as that much: one jump is not noise. */
const WINSOR = 4
/** Factor that chance brings about. */
const BY_CHANCE = 1.2

/** Compares the size of the newest changes from value to value with the usual size. A slow drift has no influence on either. */
export function loudness(): Loudness {
  let last = 0
  let now = 0
  let usual = 0
  let seen = 0
  return {
    update(value) {
      if (seen > 0) {
        const change = Math.abs(value - last)
        const counted = seen > NOW ? Math.min(change, WINSOR * usual) : change
        now += (counted - now) / Math.min(seen, NOW)
        usual += (counted - usual) / Math.min(seen, USUAL)
      }
      last = value
      seen++
    },
    factor: () => (usual > 0 ? Math.max(1, now / usual / BY_CHANCE) : 1),
    reset() {
      last = 0
      now = 0
      usual = 0
      seen = 0
    },
    snapshot: () => ({ last, now, usual, seen }),
    restore(state) {
      ;({ last, now, usual, seen } = state)
    },
  }
}
