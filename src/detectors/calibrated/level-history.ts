/**
 * Where a series went since a failure began: the reward tells hacking from collapse, the length an answer that rambles from one that games.
 *
 * @module
 */
import { mean } from '../../stats/mean.ts'
import { serialScale } from '../../stats/serial-scale.ts'
import type { Json } from '../detector.ts'
import { BLOCK } from './drift.ts'

/** Blocks that are remembered. */
const MEMORY = 128
/** Newest blocks that make the level of now. */
const NOW = 6
/** Single values that the unit is estimated from. */
const NEWEST = 120
/** Blocks before the failure that make the level of before. */
const BEFORE = 24

/** Follows the level of a series by blocks of iterations. */
export interface LevelHistory {
  update(value: number | undefined, iteration: number): void
  /**
   * Change from before `iteration` to the newest blocks, in the unit of the series and in standard deviations of one iteration's value; null where too
   * little is known.
   */
  changeSince(iteration: number): { readonly change: number; readonly deviations: number } | null
  reanchor(): void
  snapshot(): Json
  restore(state: Json): void
}

type State = {
  block: number[]
  count: number
  values: number[]
  starts: number[]
  start: number
  newest: number[]
}

/** Makes a {@link LevelHistory}. */
export function levelHistory(): LevelHistory {
  let state = empty()
  return {
    update(value, iteration) {
      if (value !== undefined && Number.isFinite(value)) {
        if (state.start < 0) state.start = iteration
        state.block.push(value)
        state.newest.push(value)
        if (state.newest.length > NEWEST) state.newest.shift()
      }
      if (++state.count < BLOCK) return
      if (state.block.length > 0) {
        state.values.push(mean(state.block))
        state.starts.push(state.start)
        if (state.values.length > MEMORY) {
          state.values.shift()
          state.starts.shift()
        }
      }
      state.block = []
      state.count = 0
      state.start = -1
    },
    changeSince(iteration) {
      const { values, starts } = state
      let split = starts.findIndex((start) => start >= iteration)
      if (split < 0) split = values.length
      const before = values.slice(Math.max(0, split - BEFORE), split)
      const now = values.slice(-Math.max(1, Math.min(NOW, values.length - split)))
      if (before.length < 3 || split >= values.length) return null
      const { sd: unit } = serialScale(state.newest)
      const change = mean(now) - mean(before)
      return { change, deviations: unit > 0 ? change / unit : Math.sign(change) * 10 }
    },
    reanchor() {
      state = empty()
    },
    snapshot: () => structuredClone(state) as unknown as Json,
    restore(saved) {
      state = structuredClone(saved) as unknown as State
    },
  }
}

function empty(): State {
  return { block: [], count: 0, values: [], starts: [], start: -1, newest: [] }
}
