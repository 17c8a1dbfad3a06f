/**
 * Mistakes that training code really makes, to be made on purpose: what a monitor is tried on.
 *
 * @module
 */

/**
 * Faults of {@link RLAIFTrainerOptions.faults}. For demonstrations and tests of a monitor alone: each one makes the training
 * wrong in a way that happens to people, and the log shows what it looks like.
 */
export interface TrainerFaults {
  /** The value head is left out of the optimiser: it keeps the weights that it began with. */
  readonly frozenValueHead?: boolean
  /** The policy is trained on minus the reward that the log shows. */
  readonly flippedRewardSign?: boolean
  /**
   * The old log-probabilities (and the KL penalty made of them) are those of the policy this many updates ago, as where the sampler's
   * weights are not kept up to date; an integer from 1 to 100.
   */
  readonly staleLogProbUpdates?: number
}
