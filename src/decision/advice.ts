/**
 * What to do about each kind of failure, as data; the outputs word it.
 *
 * @module
 */
import type { Advice, Evidence, Observation } from '../detectors/detector.ts'

/** What advice is drawn from beside the evidence. */
export interface AdviceFacts {
  /** Newest existing checkpoint before the onset, or null. */
  readonly rollbackTo: number | null
  /** Hyper-parameters as the run told them. */
  readonly config: Readonly<Record<string, unknown>>
  /** The closed iteration that raised the alert: the coefficient in force may have moved since the start. */
  readonly closed: Observation
}

/** What to do, the first thing first, with the run's own hyper-parameters where it told them. */
export function adviceFor(evidence: Evidence, facts: AdviceFacts): readonly Advice[] {
  const { config, closed } = facts
  const rollBack: Advice = { do: 'roll-back', to: facts.rollbackTo }
  const klCoefficient = number(closed.get('kl_ref/coef'), config.klCoefficient, config.kl_coef, config.beta)
  const learningRate = number(config.learningRate, config.learning_rate, closed.get('optim/lr'))
  const entropyBonus = number(config.entropyCoefficient, config.entropy_coef, config.entropy_coeff)
  const raiseKl: Advice = { do: 'raise-kl-coefficient', from: klCoefficient, to: times(klCoefficient, 2) }
  const lowerRate: Advice = { do: 'lower-learning-rate', from: learningRate, to: times(learningRate, 0.5) }
  const raiseEntropy: Advice = { do: 'raise-entropy-bonus', from: entropyBonus, to: times(entropyBonus, 2) }
  const readSamples: Advice = { do: 'read-samples' }
  switch (evidence.kind) {
    case 'reward-hacking':
      return [rollBack, raiseKl, readSamples, { do: 'check-reward-model' }]
    case 'quality-collapse':
      return [rollBack, lowerRate, raiseKl, readSamples]
    case 'coherence-loss':
      return [rollBack, readSamples, raiseKl, lowerRate]
    case 'kl-explosion':
      return [rollBack, raiseKl, lowerRate]
    case 'value-reward-mismatch':
      return [{ do: 'check-value-model' }]
    case 'catastrophic-forgetting':
      return [rollBack, { do: 'mix-in-old-data' }, raiseKl, lowerRate]
    case 'entropy-collapse':
      return [rollBack, raiseEntropy, raiseKl, lowerRate]
    case 'length-explosion':
      return [readSamples, { do: 'limit-length' }, { do: 'check-reward-model' }, rollBack]
    case 'non-finite':
      return [rollBack, { do: 'check-precision' }, lowerRate]
    case 'loss-spike':
      return [{ do: 'check-batch' }, rollBack, lowerRate]
    case 'gradient-anomaly':
      return [{ do: 'check-batch' }, { do: 'clip-gradients' }, rollBack, lowerRate]
    case 'dead-learning':
      return [{ do: 'check-learning-signal' }]
    case 'train-inference-mismatch':
      return [{ do: 'check-sampler' }, rollBack]
    case 'broken-invariant':
      // What is trained on may be wrong, and not only what is logged.
      return evidence.series[0] === 'reward/total'
        ? [{ do: 'check-log' }, { do: 'check-advantage-sign' }]
        : [{ do: brokenBy(evidence.series[0]) }]
    case 'stall':
      return [{ do: 'check-process' }]
  }
}

/** Where the mistake is that breaks a relation. */
function brokenBy(series: string | undefined) {
  switch (series) {
    case 'ppo/ratio_first':
    case 'ppo/approx_kl_first':
      return 'check-old-log-probs'
    case 'adv/reward_corr':
      return 'check-advantage-sign'
    case 'value/head_update_norm':
      return 'check-value-model'
    default:
      return 'check-log'
  }
}

function times(value: number | null, factor: number): number | null {
  return value ? value * factor : null
}

/** The first that is a number. */
function number(...candidates: readonly unknown[]): number | null {
  for (const candidate of candidates) {
    if (typeof candidate === 'number' && Number.isFinite(candidate)) return candidate
  }
  return null
}
