import { TelltaleError } from '../errors.ts'

/** How the learning rate goes over the steps of a training. */
export interface ScheduleOptions {
  /** Peak learning rate, above 0 (0 switches learning off). */
  readonly learningRate: number
  /** `constant` by default; `linear` falls to `finalFraction` of the peak, `cosine` along half a cosine. */
  readonly shape?: 'constant' | 'linear' | 'cosine'
  /** Steps over which the rate rises linearly from 0; 0 by default. */
  readonly warmupSteps?: number
  /** Steps in all; needed by `linear` and `cosine`. */
  readonly totalSteps?: number
  /** Rate at the end as a share of the peak; 0 by default. */
  readonly finalFraction?: number
}

/**
 * The learning rate at a step (counted from 0).
 *
 * @throws TelltaleError `bad-option`
 *
 * @example
 * ```ts
 * import { learningRateSchedule } from 'telltale/trainer'
 * const rate = learningRateSchedule({ learningRate: 1, shape: 'linear', totalSteps: 4 })
 * console.log([0, 2, 4].map(rate)) // [ 1, 0.5, 0 ]
 * ```
 */
export function learningRateSchedule(options: ScheduleOptions): (step: number) => number {
  const { learningRate, shape = 'constant', warmupSteps = 0, totalSteps, finalFraction = 0 } = options
  if (!(learningRate >= 0) || !Number.isFinite(learningRate)) {
    throw new TelltaleError('bad-option', `learningRate is ${String(learningRate)}; expected a number of at least 0`)
  }
  if (shape !== 'constant' && !(totalSteps !== undefined && totalSteps > warmupSteps)) {
    throw new TelltaleError(
      'bad-option',
      `totalSteps is ${String(totalSteps)}; a ${shape} schedule needs more steps than its warm-up of ${warmupSteps}`,
    )
  }
  return (step) => {
    if (step < warmupSteps) return (learningRate * (step + 1)) / warmupSteps
    if (shape === 'constant') return learningRate
    const done = Math.min(1, (step - warmupSteps) / (totalSteps! - warmupSteps))
    const left = shape === 'linear' ? 1 - done : 0.5 * (1 + Math.cos(Math.PI * done))
    return learningRate * (finalFraction + (1 - finalFraction) * left)
  }
}
