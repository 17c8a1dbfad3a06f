import type { TrainerTable } from '../alias.ts'

/** Lightning's usual names; a module is free to log under any other. */
export const LIGHTNING: TrainerTable = {
  signatures: [
    ['train_loss', 'val_loss'],
    ['train_loss', 'epoch', 'step'],
    ['train_loss_step', 'epoch'],
  ],
  aliases: {
    train_loss: { canonical: 'loss/total' },
    train_loss_step: { canonical: 'loss/total', insteadOf: 'train_loss' },
    loss: { canonical: 'loss/total', insteadOf: 'train_loss' },
    grad_norm: { canonical: 'grad/norm' },
    learning_rate: { canonical: 'optim/lr' },
    lr: { canonical: 'optim/lr', insteadOf: 'learning_rate' },
    epoch: { canonical: 'progress/epoch' },
    step: { canonical: 'progress/step' },
    global_step: { canonical: 'progress/step', insteadOf: 'step' },
  },
  patterns: [
    { prefix: 'val_', canonicalPrefix: 'eval/' },
    { prefix: 'lr-', canonicalPrefix: 'optim/lr-' },
  ],
}
