import type { Alias } from '../alias.ts'

/** What the transformers trainer logs, whatever is trained. */
export const TRANSFORMERS_ALIASES: Readonly<Record<string, Alias>> = {
  loss: {
    canonical: 'loss/total',
    reduction: 'mean over the logging interval',
    why: 'a NaN or infinite step loss is replaced by the running average (logging_nan_inf_filter): look at grad_norm',
  },
  grad_norm: { canonical: 'grad/norm', reduction: 'last accumulation step of the logged step' },
  learning_rate: { canonical: 'optim/lr' },
  epoch: { canonical: 'progress/epoch' },
  step: { canonical: 'progress/step' },
  num_tokens: { canonical: 'progress/tokens' },
}
