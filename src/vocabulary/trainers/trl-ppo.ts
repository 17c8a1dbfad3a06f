import type { TrainerTable } from '../alias.ts'

const PADS = 'the mean takes padding in, where nothing changes, so it is pulled towards its value at rest'

/**
 * TRL's PPO (`trl.experimental.ppo`): one log an update; KL, entropy and penalty are sums over a sequence. It logs no
 * explained variance, gradient norm or length.
 */
export const TRL_PPO: TrainerTable = {
  signatures: [
    ['policy/approxkl_avg', 'objective/rlhf_reward'],
    ['policy/approxkl_avg', 'val/num_eos_tokens'],
  ],
  aliases: {
    'objective/kl': {
      canonical: 'kl_ref/seq',
      estimator: 'k1',
      masked: true,
      why: 'k1 is the default of kl_estimator; with "k3" it cannot be negative. Measured at the rollout, before the update',
    },
    'objective/entropy': {
      canonical: 'entropy/seq_surprisal',
      masked: false,
      reliability: 'unusable',
      why: 'each padded position counts -1 (INVALID_LOGPROB), so that it falls, even below 0, when answers get shorter; use policy/entropy_avg',
    },
    'objective/non_score_reward': { canonical: 'kl_ref/penalty_reward', masked: true },
    'objective/rlhf_reward': { canonical: 'reward/total' },
    'objective/scores': { canonical: 'reward/score', why: 'after missing_eos_penalty, before whitening' },
    'policy/approxkl_avg': {
      canonical: 'ppo/approx_kl',
      estimator: 'k2',
      masked: false,
      reduction: 'mean over response positions with padding, averaged over epochs and minibatches',
      reliability: 'biased',
      why: PADS,
    },
    'policy/clipfrac_avg': { canonical: 'ppo/clip_fraction', masked: true },
    'policy/entropy_avg': {
      canonical: 'entropy/token',
      masked: false,
      reduction: 'mean over response positions with padding',
      reliability: 'biased',
      why: 'the mean takes padding in',
    },
    'loss/policy_avg': { canonical: 'loss/policy', masked: true },
    'loss/value_avg': { canonical: 'loss/value', masked: true, why: 'already halved, before vf_coef' },
    'val/clipfrac_avg': {
      canonical: 'value/clip_fraction',
      masked: true,
      why: 'val means the value function here, not validation',
    },
    'val/ratio': { canonical: 'ppo/ratio_mean', masked: false, reliability: 'biased', why: PADS },
    'val/ratio_var': {
      canonical: 'ppo/ratio_var',
      masked: false,
      reduction: 'variance over epochs, minibatches and ranks of the mean ratio',
      reliability: 'biased',
      why: 'not the variance over tokens; NaN where there is only one minibatch',
    },
    'val/num_eos_tokens': {
      canonical: 'eos/count',
      masked: false,
      reliability: 'biased',
      why: 'a count on the main process over raw responses: may exceed the batch where the end of sequence is the padding',
    },
    lr: { canonical: 'optim/lr' },
    eps: {
      canonical: 'throughput/episodes_per_s',
      reduction: 'mean since the start, as an integer',
      reliability: 'biased',
      why: 'episodes per second since the start, cut to an integer; not epsilon',
    },
    episode: { canonical: 'progress/episode' },
    epoch: { canonical: 'progress/epoch' },
    step: { canonical: 'progress/step' },
    kl_coef: { canonical: 'kl_ref/coef' },
    'ppo/val/var_explained': { canonical: 'value/explained_variance', why: 'TRL up to 0.11' },
  },
}
