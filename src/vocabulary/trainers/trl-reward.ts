import type { TrainerTable } from '../alias.ts'
import { TRANSFORMERS_ALIASES } from './transformers.ts'

/** TRL's reward trainer. */
export const TRL_REWARD: TrainerTable = {
  signatures: [['mean_reward', 'accuracy', 'margin']],
  aliases: {
    ...TRANSFORMERS_ALIASES,
    accuracy: { canonical: 'rm/accuracy' },
    margin: { canonical: 'rm/margin' },
    mean_reward: { canonical: 'rm/mean_reward' },
    min_reward: { canonical: 'rm/min_reward' },
    max_reward: { canonical: 'rm/max_reward' },
  },
}
