import type { TrainerTable } from '../alias.ts'
import { TRANSFORMERS_ALIASES } from './transformers.ts'

/** TRL's supervised fine-tuning. */
export const TRL_SFT: TrainerTable = {
  signatures: [
    ['mean_token_accuracy', 'loss'],
    ['mean_token_accuracy', 'num_tokens'],
  ],
  aliases: {
    ...TRANSFORMERS_ALIASES,
    entropy: { canonical: 'entropy/token', masked: true },
    mean_token_accuracy: { canonical: 'loss/mean_token_accuracy' },
  },
}
