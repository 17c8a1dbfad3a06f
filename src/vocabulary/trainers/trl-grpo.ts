import type { Alias, AliasPattern, TrainerTable } from '../alias.ts'

/** What GRPO and RLOO share: lengths, rewards and the transformers trainer's own names. */
export const TRL_ONLINE_ALIASES: Readonly<Record<string, Alias>> = {
  loss: {
    canonical: 'loss/total',
    why: 'about 0 by construction while on-policy, and may rise with the KL term: its level says nothing about failure',
  },
  grad_norm: { canonical: 'grad/norm', reduction: 'last accumulation step of the logged step' },
  learning_rate: { canonical: 'optim/lr' },
  epoch: { canonical: 'progress/epoch' },
  step: { canonical: 'progress/step' },
  num_tokens: { canonical: 'progress/tokens' },
  step_time: { canonical: 'time/step' },
  'completions/mean_length': { canonical: 'length/mean' },
  completion_length: { canonical: 'length/mean', insteadOf: 'completions/mean_length', why: 'name before April 2025' },
  'completions/min_length': { canonical: 'length/min' },
  'completions/max_length': { canonical: 'length/max' },
  'completions/clipped_ratio': {
    canonical: 'length/clip_ratio',
    derives: [{ canonical: 'eos/fraction', transform: 'one-minus' }],
  },
  'completions/mean_terminated_length': { unit: 'tokens', why: '0 where no answer terminated' },
  'completions/min_terminated_length': { unit: 'tokens', why: '0 where no answer terminated' },
  'completions/max_terminated_length': { unit: 'tokens', why: '0 where no answer terminated' },
  reward: { canonical: 'reward/score', reduction: 'mean of the weighted sum over the reward functions' },
  entropy: { canonical: 'entropy/token', masked: true },
}

export const TRL_ONLINE_PATTERNS: readonly AliasPattern[] = [
  { prefix: 'rewards/', suffix: '/mean', canonicalPrefix: 'reward/fn/' },
  { prefix: 'rewards/', suffix: '/std', canonicalPrefix: 'reward/fn/', canonicalSuffix: '/std' },
]

/** TRL's GRPO. `kl` is there only with a beta above 0, which is not the default. */
export const TRL_GRPO: TrainerTable = {
  signatures: [
    ['reward', 'frac_reward_zero_std'],
    ['reward', 'reward_std', 'completions/mean_length'],
    ['reward', 'reward_std', 'completion_length'],
  ],
  aliases: {
    ...TRL_ONLINE_ALIASES,
    reward_std: {
      canonical: 'reward/std',
      reliability: 'biased',
      why: 'over the batch since January 2026, before that the mean of the groups: above 0 does not mean that there is a signal; use frac_reward_zero_std',
    },
    frac_reward_zero_std: { canonical: 'reward/frac_zero_std', reduction: 'share of samples' },
    kl: { canonical: 'kl_ref/token', estimator: 'k3', masked: true },
    policy_loss: { canonical: 'loss/policy', masked: true, why: 'logged only with an entropy bonus' },
    'clip_ratio/region_mean': {
      canonical: 'ppo/clip_fraction',
      masked: true,
      why: '0 is normal with one update a rollout',
    },
    clip_ratio: { canonical: 'ppo/clip_fraction', insteadOf: 'clip_ratio/region_mean', masked: true },
    'clip_ratio/low_mean': { canonical: 'ppo/clip_fraction_low', masked: true },
    'clip_ratio/high_mean': { canonical: 'ppo/clip_fraction_high', masked: true },
    'sampling/sampling_logp_difference/mean': { canonical: 'mismatch/logp_abs_diff', masked: true },
    'sampling/sampling_logp_difference/max': { canonical: 'mismatch/logp_abs_diff_max', masked: true },
    'sampling/importance_sampling_ratio/mean': {
      canonical: 'mismatch/is_ratio_mean',
      reliability: 'biased',
      why: 'after truncation',
    },
    'sampling/importance_sampling_ratio/min': { canonical: 'mismatch/is_ratio_min' },
    'sampling/importance_sampling_ratio/max': {
      canonical: 'mismatch/is_ratio_max',
      reliability: 'biased',
      why: 'after truncation',
    },
  },
  patterns: TRL_ONLINE_PATTERNS,
}
