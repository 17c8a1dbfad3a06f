/**
 * What a rising reward excuses: a policy that is surer, or longer, because it earns more is what training is for.
 *
 * @module
 */
import { serialScale } from '../../stats/serial-scale.ts'
import type { Json } from '../detector.ts'

/** Rewards that set level and unit. */
const WARM_UP = 40
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

type State = { warmUp: number[]; base: number; unit: number; average: number }

/** Makes a {@link RewardCredit}. */
export function rewardCredit(): RewardCredit {
  let state = empty()
  return {
    update(value) {
      if (value === undefined || !Number.isFinite(value)) return
      if (!(state.unit > 0)) {
        state.warmUp.push(value)
        if (state.warmUp.length >= WARM_UP) learn(state)
        return
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
  return { warmUp: [], base: 0, unit: 0, average: 0 }
}

function learn(state: State): void {
  state.base = state.warmUp.reduce((a, b) => a + b, 0) / state.warmUp.length
  state.average = state.base
  const { sd } = serialScale(state.warmUp)
  state.unit = sd > 0 ? sd : Math.max(Math.abs(state.base) / 100, Number.MIN_VALUE)
  state.warmUp = []
}
