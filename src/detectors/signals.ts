import type { Observation } from './detector.ts'

/** A series that can stand for the quality of the answers, and which way is worse. */
export interface QualitySignal {
  readonly name: string
  readonly badDirection: 'up' | 'down'
  /**
   * Share of its level by which it must have changed to matter, for a signal whose level means something. Answers drift a
   * little in every run that learns: on healthy runs of the demo the reference perplexity rose by up to an eighth.
   */
  readonly margin?: number
}

/**
 * Second signals beside the reward, the most telling first: a reward curve alone cannot reveal hacking when the proxy is well
 * matched (published: AUROC .54, chance). Text statistics of the batch come last, since they move in healthy runs too
 * (a policy that learns to answer becomes less diverse).
 */
export const QUALITY_SIGNALS: readonly QualitySignal[] = [
  { name: 'quality/heldout_reward', badDirection: 'down' },
  { name: 'quality/judge', badDirection: 'down' },
  { name: 'quality/ref_perplexity', badDirection: 'up', margin: 0.2 },
  { name: 'quality/repetition', badDirection: 'up', margin: 0.5 },
  { name: 'quality/compression', badDirection: 'down', margin: 0.2 },
]

/** The value of the first signal of a list that this iteration logged. */
export function firstLogged(
  observation: Observation,
  signals: readonly QualitySignal[],
): { readonly signal: QualitySignal; readonly value: number } | null {
  for (const signal of signals) {
    const value = observation.get(signal.name)
    if (value !== undefined) return { signal, value }
  }
  return null
}
