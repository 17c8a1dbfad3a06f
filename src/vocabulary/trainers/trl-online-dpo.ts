import type { TrainerTable } from '../alias.ts'
import { TRANSFORMERS_ALIASES } from './transformers.ts'
import { PREFERENCE_ALIASES } from './trl-dpo.ts'

const UNMASKED = 'the sum over a sequence takes padding in'

/** TRL's online DPO: KL, entropy and penalty are sums over a sequence that are not masked. */
export const TRL_ONLINE_DPO: TrainerTable = {
  signatures: [
    ['objective/scores_margin', 'objective/kl'],
    ['val/contain_eos_token', 'rewards/accuracies'],
  ],
  aliases: {
    ...TRANSFORMERS_ALIASES,
    ...PREFERENCE_ALIASES,
    'objective/kl': { canonical: 'kl_ref/seq', estimator: 'k1', masked: false, reliability: 'biased', why: UNMASKED },
    'objective/entropy': { canonical: 'entropy/seq_surprisal', masked: false, reliability: 'biased', why: UNMASKED },
    'objective/non_score_reward': {
      canonical: 'kl_ref/penalty_reward',
      masked: false,
      reliability: 'biased',
      why: UNMASKED,
    },
    'objective/rlhf_reward': { canonical: 'reward/total', reliability: 'biased', why: 'holds the unmasked KL penalty' },
    'objective/scores': { canonical: 'reward/score' },
    'val/contain_eos_token': { canonical: 'eos/fraction' },
    beta: { canonical: 'kl_ref/coef' },
  },
}
