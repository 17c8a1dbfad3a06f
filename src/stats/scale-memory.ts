import { mean } from './mean.ts'
import type { SerialScale } from './serial-scale.ts'

/** The newest estimates of a scale: one, from a few dozen values, is often far too small where shocks are rare. */
export interface ScaleMemory {
  /** Estimates that are remembered now. */
  readonly size: number
  add(scale: SerialScale): void
  /** The newest standard deviation or the mean of all, whichever is larger: what has become louder is believed at once, what has become quieter only after a while. */
  sd(): number
  /** Mean autocorrelation. */
  autocorrelation(): number
  reset(): void
  snapshot(): ScaleMemoryState
  restore(state: ScaleMemoryState): void
}

/** State of a {@link ScaleMemory}: the estimates, oldest first. */
export interface ScaleMemoryState {
  readonly sds: readonly number[]
  readonly autocorrelations: readonly number[]
  readonly [key: string]: readonly number[]
}

/** Estimates that are remembered. */
export const ESTIMATES = 12

/** Makes a {@link ScaleMemory}. */
export function scaleMemory(): ScaleMemory {
  let sds: number[] = []
  let autocorrelations: number[] = []
  return {
    get size() {
      return sds.length
    },
    add(scale) {
      sds.push(scale.sd)
      autocorrelations.push(scale.autocorrelation)
      if (sds.length <= ESTIMATES) return
      sds.shift()
      autocorrelations.shift()
    },
    sd: () => Math.max(sds[sds.length - 1] ?? Number.NaN, mean(sds)),
    autocorrelation: () => mean(autocorrelations),
    reset() {
      sds = []
      autocorrelations = []
    },
    snapshot: () => ({ sds: [...sds], autocorrelations: [...autocorrelations] }),
    restore(state) {
      sds = [...state.sds]
      autocorrelations = [...state.autocorrelations]
    },
  }
}
