/** The coefficient of the KL penalty over a training. */
export interface KlController {
  /** The coefficient now. */
  readonly coefficient: number
  /** Takes the mean KL of an iteration's sequences, in nats per sequence, and how many there were. */
  update(klSequenceNats: number, sequences: number): void
  /** Takes the coefficient of a checkpoint. */
  restore(coefficient: number): void
}

/**
 * A coefficient that stays.
 *
 * @example
 * ```ts
 * import { fixedKl } from 'telltale/trainer'
 * const kl = fixedKl(0.05)
 * kl.update(12, 10)
 * console.log(kl.coefficient) // 0.05
 * ```
 */
export function fixedKl(coefficient: number): KlController {
  return { coefficient, update() {}, restore() {} }
}

/** Settings of {@link adaptiveKl}. */
export interface AdaptiveKlOptions {
  /** Nats per sequence to stay near; 6 (Ziegler et al. 2019). */
  readonly targetNats?: number
  /** Sequences over which the coefficient can change by a fifth; 10,000 (Ziegler et al. 2019). */
  readonly horizon?: number
}

/**
 * A coefficient that rises while the KL is above its target and falls below it (Ziegler et al. 2019, section 2.2): it is
 * multiplied by 1 + clip(kl / target - 1, -0.2, 0.2) n / horizon.
 *
 * @example
 * ```ts
 * import { adaptiveKl } from 'telltale/trainer'
 * const kl = adaptiveKl(0.1, { targetNats: 6, horizon: 100 })
 * kl.update(12, 10)
 * console.log(kl.coefficient.toFixed(3)) // 0.102
 * ```
 */
export function adaptiveKl(initial: number, options: AdaptiveKlOptions = {}): KlController {
  const { targetNats = 6, horizon = 10_000 } = options
  let coefficient = initial
  return {
    get coefficient() {
      return coefficient
    },
    update(klSequenceNats, sequences) {
      if (!Number.isFinite(klSequenceNats)) return
      const error = Math.min(0.2, Math.max(-0.2, klSequenceNats / targetNats - 1))
      coefficient *= 1 + (error * sequences) / horizon
    },
    restore(saved) {
      coefficient = saved
    },
  }
}
