import type { Alias, TrainerTable } from '../alias.ts'
import { TRANSFORMERS_ALIASES } from './transformers.ts'

/** What DPO and online DPO share. */
export const PREFERENCE_ALIASES: Readonly<Record<string, Alias>> = {
  'rewards/accuracies': { canonical: 'pref/accuracy', why: '0.5 is chance; ties count as wrong' },
  'rewards/margins': { canonical: 'pref/margin' },
  'rewards/chosen': { canonical: 'pref/reward_chosen' },
  'rewards/rejected': { canonical: 'pref/reward_rejected' },
  'logps/chosen': { canonical: 'pref/logp_chosen' },
  'logps/rejected': { canonical: 'pref/logp_rejected' },
}

/** TRL's DPO. */
export const TRL_DPO: TrainerTable = {
  signatures: [['rewards/accuracies', 'logps/chosen']],
  aliases: {
    ...TRANSFORMERS_ALIASES,
    ...PREFERENCE_ALIASES,
    entropy: { canonical: 'entropy/token', masked: true },
    mean_token_accuracy: { canonical: 'loss/mean_token_accuracy' },
  },
}
