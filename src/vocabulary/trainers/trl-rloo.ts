import type { TrainerTable } from '../alias.ts'
import { TRL_ONLINE_ALIASES, TRL_ONLINE_PATTERNS } from './trl-grpo.ts'

const SEQUENCE = 'share of sequences'

/**
 * TRL's RLOO: the names of GRPO with other meanings. Names alone do not tell it from a GRPO without vLLM, so it has no
 * signature of its own and must be named.
 */
export const TRL_RLOO: TrainerTable = {
  signatures: [],
  aliases: {
    ...TRL_ONLINE_ALIASES,
    reward_std: { canonical: 'reward/std' },
    frac_reward_zero_std: {
      canonical: 'reward/frac_zero_std',
      reliability: 'biased',
      why: 'of rewards after the KL penalty, so almost never 0 spread while beta is not 0',
    },
    kl: {
      canonical: 'kl_ref/token',
      estimator: 'k1',
      masked: true,
      why: 'the mean per token; the penalty in the reward uses the sum per sequence',
    },
    'clip_ratio/region_mean': { canonical: 'ppo/clip_fraction', reduction: SEQUENCE },
    clip_ratio: { canonical: 'ppo/clip_fraction', insteadOf: 'clip_ratio/region_mean', reduction: SEQUENCE },
    'clip_ratio/low_mean': { canonical: 'ppo/clip_fraction_low', reduction: SEQUENCE },
    'clip_ratio/high_mean': { canonical: 'ppo/clip_fraction_high', reduction: SEQUENCE },
  },
  patterns: TRL_ONLINE_PATTERNS,
}
