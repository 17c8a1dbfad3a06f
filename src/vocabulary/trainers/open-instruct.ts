import type { TrainerTable } from '../alias.ts'

/**
 * open-instruct's GRPO and DPO. The index of its four KL estimates is not Schulman's: `kl0` is k1, `kl1` is k2, `kl2` (the
 * default in the loss) is k3, `kl3` an importance-weighted k1. `global_step` counts episodes.
 */
export const OPEN_INSTRUCT: TrainerTable = {
  signatures: [
    ['objective/kl2_avg', 'scores'],
    ['val/stop_rate', 'val/sequence_lengths'],
    ['objective/verifiable_reward', 'val/sequence_lengths'],
    ['rewards/accuracy', 'rewards/margin', 'logps/chosen'],
  ],
  aliases: {
    'objective/kl0_avg': { canonical: 'kl_ref/token_k1', estimator: 'k1', masked: true },
    'objective/kl1_avg': { canonical: 'kl_ref/token_k2', estimator: 'k2', masked: true },
    'objective/kl2_avg': {
      canonical: 'kl_ref/token',
      estimator: 'k3',
      masked: true,
      why: 'the default of kl_estimator',
    },
    'objective/kl3_avg': { unit: 'nats/token', masked: true, why: 'k1 weighted by the importance ratio' },
    'loss/kl_avg': { unit: '', why: 'KL times beta, as a term of the loss' },
    'loss/policy_avg': { canonical: 'loss/policy', masked: true },
    'loss/total_avg': { canonical: 'loss/total', masked: true },
    train_loss: { canonical: 'loss/total', insteadOf: 'loss/total_avg' },
    'policy/clipfrac_avg': { canonical: 'ppo/clip_fraction', masked: true },
    'policy/entropy_avg': { canonical: 'entropy/token', masked: true },
    'val/ratio': { canonical: 'ppo/ratio_mean', masked: true },
    'val/ratio_var': {
      canonical: 'ppo/ratio_var',
      masked: true,
      reduction: 'variance over samples, weighted by tokens',
    },
    'val/rho_weight': { canonical: 'mismatch/is_ratio_mean', reliability: 'biased', why: 'after truncation' },
    'debug/vllm_vs_local_logprob_diff_mean': { canonical: 'mismatch/logp_abs_diff' },
    'debug/vllm_vs_local_logprob_diff_max': { canonical: 'mismatch/logp_abs_diff_max' },
    'debug/vllm_vs_local_logprob_diff_std': { canonical: 'mismatch/logp_abs_diff_std' },
    'debug/vllm_local_reverse_kl': { canonical: 'mismatch/kl' },
    scores: { canonical: 'reward/score' },
    'val/sequence_lengths': { canonical: 'length/mean' },
    'val/sequence_lengths_min': { canonical: 'length/min' },
    'val/sequence_lengths_max': { canonical: 'length/max' },
    'val/stop_rate': {
      canonical: 'eos/fraction',
      derives: [{ canonical: 'length/clip_ratio', transform: 'one-minus' }],
    },
    'val/advantages_mean': { canonical: 'adv/mean' },
    'val/advantages_min': { canonical: 'adv/min' },
    'val/advantages_max': { canonical: 'adv/max' },
    real_batch_size_ratio: {
      unit: 'fraction',
      derives: [{ canonical: 'reward/frac_zero_std', transform: 'one-minus' }],
      reliability: 'biased',
      why: 'the share of the batch that is left after filtering, an approximation of groups with a signal',
    },
    'optim/grad_norm': { canonical: 'grad/norm' },
    lr: { canonical: 'optim/lr' },
    training_step: { canonical: 'progress/step' },
    global_step: { canonical: 'progress/episode', insteadOf: 'episode', why: 'counts episodes, not steps' },
    episode: { canonical: 'progress/episode' },
    epoch: { canonical: 'progress/epoch' },
    'val/num_total_tokens': { canonical: 'progress/tokens' },
    'time/total': { canonical: 'time/step' },
    learner_tokens_per_second_step: { canonical: 'throughput/tokens_per_s' },
    'rewards/accuracy': { canonical: 'pref/accuracy' },
    'rewards/margin': { canonical: 'pref/margin' },
    'rewards/chosen': { canonical: 'pref/reward_chosen' },
    'rewards/rejected': { canonical: 'pref/reward_rejected' },
    'logps/chosen': { canonical: 'pref/logp_chosen' },
    'logps/rejected': { canonical: 'pref/logp_rejected' },
  },
  patterns: [
    { prefix: 'objective/', suffix: '_reward', canonicalPrefix: 'reward/fn/' },
    {
      prefix: 'objective/',
      suffix: '_correct_rate',
      canonicalPrefix: 'reward/fn/',
      canonicalSuffix: '/correct_rate',
    },
  ],
}
