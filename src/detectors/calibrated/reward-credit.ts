/**
 * What a rising reward excuses: a policy that is surer, or longer, because it earns more is what training is for.
 *
 * @module
 */
import { serialScale } from '../../stats/serial-scale.ts'
import type { Json } from '../detector.ts'

/** Rewards that set level and unit. */
const WARM_UP = 40
/** Rewards at which the unit is estimated again: forty say little of how much an autocorrelated reward varies. */
const AGAIN = [80, 120, 160] as const
/** Weight of the newest reward in the moving average. */
const WEIGHT = 0.05

/** Follows how far the reward has risen, in standard deviations of an iteration's reward. */
export interface RewardCredit {
  update(value: number | undefined): void
  /** Rise of the reward's moving average since the warm-up; 0 before its end. */
  rise(): number
  reanchor(): void
  snapshot(): Json
  restore(state: Json): void
}

/** `first`: the rewards that the unit is known from, until it is known well. */
type State = { first: number[]; base: number; unit: number; average: number }

/** Makes a {@link RewardCredit}. */
export function rewardCredit(): RewardCredit {
  let state = empty()
  return {
    update(value) {
      if (value === undefined || !Number.isFinite(value)) return
      if (state.first.length < AGAIN[AGAIN.length - 1]!) {
        state.first.push(value)
        const known = state.first.length
        if (known === WARM_UP) learn(state)
        else if ((AGAIN as readonly number[]).includes(known)) state.unit = unitOf(state)
        if (known <= WARM_UP) return
      }
      // One wild value must not excuse anything for long.
      const step = Math.max(-5 * state.unit, Math.min(5 * state.unit, value - state.average))
      state.average += WEIGHT * step
    },
    rise: () => (state.unit > 0 ? (state.average - state.base) / state.unit : 0),
    reanchor() {
      state = empty()
    },
    snapshot: () => structuredClone(state),
    restore(saved) {
      state = structuredClone(saved) as unknown as State
    },
  }
}

function empty(): State {
  return { first: [], base: 0, unit: 0, average: 0 }
}

function learn(state: State): void {
  state.base = state.first.reduce((a, b) => a + b, 0) / state.first.length
  state.average = state.base
  state.unit = unitOf(state)
}

function unitOf({ first, base }: State): number {
  const { sd } = serialScale(first)
  return sd > 0 ? sd : Math.max(Math.abs(base) / 100, Number.MIN_VALUE)
}
