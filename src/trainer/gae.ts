/**
 * Advantages: generalised advantage estimation and whitening, over padded responses.
 *
 * @module
 */

/** Advantages and returns, [batch x length] row by row; 0 where the mask is 0. */
export interface Advantages {
  /** How much better than expected each token was, in units of the reward. */
  readonly advantages: Float32Array
  /** Advantages plus values: what the value model learns. */
  readonly returns: Float32Array
}

/**
 * Generalised advantage estimation (Schulman et al. 2016): delta_t = r_t + gamma V_{t+1} - V_t,
 * A_t = delta_t + gamma lambda A_{t+1}, with V and A 0 behind the last real token.
 *
 * @param input.rewards [batch x length] row by row
 * @param input.values the same shape: the value before each token
 * @param input.mask 1 for real tokens, a run from the start of each row
 * @param input.length tokens of a row
 * @param input.gamma discount, 0 to 1
 * @param input.lambda how far advantages look ahead, 0 to 1
 *
 * @example
 * ```ts
 * import { generalizedAdvantages } from 'telltale/trainer'
 * const { advantages, returns } = generalizedAdvantages({
 *   rewards: Float32Array.of(0, 1, 0), values: Float32Array.of(0.5, 0.5, 9), mask: Float32Array.of(1, 1, 0),
 *   length: 3, gamma: 1, lambda: 1,
 * })
 * console.log([...advantages], [...returns]) // [ 0.5, 0.5, 0 ] [ 1, 1, 0 ]
 * ```
 */
export function generalizedAdvantages(input: {
  readonly rewards: Float32Array
  readonly values: Float32Array
  readonly mask: Float32Array
  readonly length: number
  readonly gamma: number
  readonly lambda: number
}): Advantages {
  const { rewards, values, mask, length, gamma, lambda } = input
  const advantages = new Float32Array(rewards.length)
  const returns = new Float32Array(rewards.length)
  for (let row = 0; row < rewards.length; row += length) {
    let advantage = 0
    let nextValue = 0
    for (let i = row + length - 1; i >= row; i--) {
      if (mask[i] === 0) continue
      advantage = rewards[i]! + gamma * nextValue - values[i]! + gamma * lambda * advantage
      nextValue = values[i]!
      advantages[i] = advantage
      returns[i] = advantage + values[i]!
    }
  }
  return { advantages, returns }
}

/**
 * Mean and standard deviation (n - 1) over the real tokens; 0 and 0 for none.
 *
 * @example
 * ```ts
 * import { maskedMoments } from 'telltale/trainer'
 * console.log(maskedMoments(Float32Array.of(1, 3, 99), Float32Array.of(1, 1, 0)).mean) // 2
 * ```
 */
export function maskedMoments(
  values: Float32Array,
  mask: Float32Array,
): { readonly mean: number; readonly std: number; readonly count: number } {
  let mean = 0
  let squares = 0
  let count = 0
  for (let i = 0; i < values.length; i++) {
    if (mask[i] === 0) continue
    count++
    const delta = values[i]! - mean
    mean += delta / count
    squares += delta * (values[i]! - mean)
  }
  return { mean, std: count > 1 ? Math.sqrt(squares / (count - 1)) : 0, count }
}

/**
 * Values shifted and scaled to mean 0 and standard deviation 1 over the real tokens; 0 elsewhere (Huang et al. 2022, detail 7).
 *
 * @example
 * ```ts
 * import { whiten } from 'telltale/trainer'
 * console.log([...whiten(Float32Array.of(1, 3, 5, 99), Float32Array.of(1, 1, 1, 0))].map(Math.round)) // [ -1, 0, 1, 0 ]
 * ```
 */
export function whiten(values: Float32Array, mask: Float32Array): Float32Array {
  const { mean, std } = maskedMoments(values, mask)
  return values.map((value, i) => (mask[i] === 0 ? 0 : (value - mean) / (std + 1e-8)))
}
