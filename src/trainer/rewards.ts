/**
 * From scores of whole answers to rewards of single tokens.
 *
 * @module
 */
import type { Rollout } from './rollout.ts'

/** Rewards [batchSize x responseLength] with what they are made of. */
export interface TokenRewards {
  readonly rewards: Float32Array
  /** Mean KL(policy || reference) per token by the k1 estimator (may be negative) and by k3 (may not), in nats. */
  readonly klToken: number
  readonly klTokenK3: number
  /** Mean over sequences of the k1 sum, in nats. */
  readonly klSequence: number
  /** Mean over sequences of score minus the KL penalty. */
  readonly total: number
}

/**
 * The penalty -beta (log p - log ref) on every token, and the score on the last (Ziegler et al. 2019).
 *
 * @param scores one number a response, penalties for missing ends included.
 */
export function tokenRewards(
  rollout: Rollout,
  logProbs: Float32Array,
  refLogProbs: Float32Array,
  scores: ArrayLike<number>,
  klCoefficient: number,
): TokenRewards {
  const { mask, lengths } = rollout
  const batch = lengths.length
  const length = mask.length / batch
  const rewards = new Float32Array(mask.length)
  let k1 = 0
  let k3 = 0
  let tokens = 0
  let total = 0
  for (let r = 0; r < batch; r++) {
    for (let t = 0; t < lengths[r]!; t++) {
      const i = r * length + t
      const difference = logProbs[i]! - refLogProbs[i]!
      rewards[i] = -klCoefficient * difference
      k1 += difference
      k3 += Math.exp(-difference) - 1 + difference
      tokens++
    }
    const last = r * length + Math.max(0, lengths[r]! - 1)
    rewards[last] = rewards[last]! + scores[r]!
    total += scores[r]!
  }
  return {
    rewards,
    klToken: k1 / Math.max(1, tokens),
    klTokenK3: k3 / Math.max(1, tokens),
    klSequence: k1 / batch,
    total: (total - klCoefficient * k1) / batch,
  }
}
