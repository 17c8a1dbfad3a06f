import type { TrainerTable } from '../alias.ts'

/** CleanRL's ppo.py, and summarize_from_feedback_details' ppo.py, which has the names of TRL's PPO under `ppo/`. */
export const CLEANRL: TrainerTable = {
  signatures: [
    ['losses/policy_loss', 'losses/value_loss'],
    ['ppo/policy/approxkl_avg', 'ppo/policy/clipfrac_avg'],
  ],
  aliases: {
    'losses/policy_loss': { canonical: 'loss/policy', reduction: 'last minibatch' },
    'losses/value_loss': { canonical: 'loss/value', reduction: 'last minibatch' },
    'losses/entropy': { canonical: 'entropy/token', reduction: 'last minibatch' },
    'losses/approx_kl': { canonical: 'ppo/approx_kl', estimator: 'k3', reduction: 'last minibatch' },
    'losses/old_approx_kl': { unit: 'nats/token', estimator: 'k1', reduction: 'last minibatch' },
    'losses/clipfrac': {
      canonical: 'ppo/clip_fraction',
      reliability: 'biased',
      why: 'share with |r - 1| above the clip range, whether or not the clipped branch is the active one',
    },
    'losses/explained_variance': {
      canonical: 'value/explained_variance',
      why: 'of the values at the rollout; NaN where the returns do not vary',
    },
    'charts/learning_rate': { canonical: 'optim/lr' },
    'charts/SPS': { unit: 'steps/s', reduction: 'mean since the start' },
    'charts/episodic_return': { canonical: 'reward/score', reduction: 'sum over one episode' },
    'charts/episodic_length': { canonical: 'length/mean', reduction: 'one episode' },
    'objective/kl': { canonical: 'kl_ref/seq', estimator: 'k1' },
    'objective/entropy': { canonical: 'entropy/seq_surprisal' },
    'objective/non_score_reward': { canonical: 'kl_ref/penalty_reward' },
    'objective/scores': { canonical: 'reward/score', insteadOf: 'charts/episodic_return' },
    'objective/score_total': { canonical: 'reward/total' },
    'objective/validation_score': {
      unit: 'reward',
      why: 'score of a validation set, with the penalty for a missing end of sequence',
    },
    'ppo/policy/approxkl_avg': { canonical: 'ppo/approx_kl', insteadOf: 'losses/approx_kl', estimator: 'k2' },
    'ppo/policy/clipfrac_avg': { canonical: 'ppo/clip_fraction', insteadOf: 'losses/clipfrac' },
    'ppo/policy/entropy_avg': { canonical: 'entropy/token', insteadOf: 'losses/entropy' },
    'ppo/loss/policy_avg': { canonical: 'loss/policy', insteadOf: 'losses/policy_loss' },
    'ppo/loss/value_avg': { canonical: 'loss/value', insteadOf: 'losses/value_loss' },
    'ppo/val/clipfrac_avg': {
      canonical: 'value/clip_fraction',
      why: 'val means the value function here, not validation',
    },
    'ppo/val/ratio': { canonical: 'ppo/ratio_mean' },
    'ppo/val/ratio_var': {
      canonical: 'ppo/ratio_var',
      reduction: 'variance over minibatches of the mean ratio',
      reliability: 'biased',
      why: 'not the variance over tokens',
    },
    'ppo/val/num_eos_tokens': { canonical: 'eos/count', reliability: 'biased', why: 'a count over raw responses' },
    'ppo/lr': { canonical: 'optim/lr', insteadOf: 'charts/learning_rate' },
    'ppo/episode': { canonical: 'progress/episode' },
    'ppo/eps': { canonical: 'throughput/episodes_per_s', why: 'episodes per second since the start; not epsilon' },
  },
}
