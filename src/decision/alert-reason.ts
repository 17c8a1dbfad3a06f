import type { AlertKind, Evidence } from '../detectors/detector.ts'

const WHAT: Readonly<Record<AlertKind, string>> = {
  'reward-hacking': 'Reward hacking',
  'coherence-loss': 'The answers lose coherence',
  'quality-collapse': 'The quality of the answers collapses',
  'kl-explosion': 'KL divergence too high',
  'value-reward-mismatch': 'The value head does not predict the rewards',
  'catastrophic-forgetting': 'Catastrophic forgetting',
  'entropy-collapse': 'The entropy of the policy collapses',
  'length-explosion': 'The answers grow without bound',
  'non-finite': 'A value is not finite',
  'loss-spike': 'The loss spikes',
  'gradient-anomaly': 'The gradient norm is far out of its range',
  'dead-learning': 'Nothing is learned',
  'train-inference-mismatch': 'Trainer and sampler disagree on log-probabilities',
  'broken-invariant': 'An exact relation does not hold',
  stall: 'The run stands still',
}

/**
 * One line of plain words for a piece of evidence.
 *
 * @example
 * ```ts
 * import { alertReason } from 'telltale'
 * console.log(alertReason({
 *   kind: 'kl-explosion', direction: 'up', severity: 'critical', series: ['kl_ref/token'],
 *   observed: 0.34, expected: 0.3, statistic: 0.34, threshold: 0.3, onset: { estimate: 61, interval: [61, 61] },
 * })) // KL divergence too high: kl_ref/token is 0.34, above the threshold of 0.3
 * ```
 */
export function alertReason(evidence: Evidence): string {
  const what = WHAT[evidence.kind]
  const [first, second] = evidence.series
  const observed = short(evidence.observed)
  const expected = short(evidence.expected)
  switch (evidence.kind) {
    case 'reward-hacking': {
      const way = evidence.direction === 'down' ? 'fell' : 'rose'
      return `${what}: ${second ?? 'the reward'} goes up while ${first} ${way} from ${expected} to ${observed} (they part by ${short(evidence.statistic)} standard deviations; threshold ${short(evidence.threshold)})`
    }
    case 'kl-explosion':
      return `${what}: ${first} is ${observed}, above the threshold of ${short(evidence.threshold)}`
    case 'coherence-loss':
      return `${what}: ${first} is ${observed}, ${short(evidence.statistic)} times its level of ${expected} at the start (threshold ${short(evidence.threshold)} times)`
    case 'value-reward-mismatch':
      return `${what}: ${first} is ${observed}; at ${expected} or less it is no better than a constant`
    default:
      return `${what}: ${first ?? 'a series'} is ${observed} where ${expected} was expected (statistic ${short(evidence.statistic)}, threshold ${short(evidence.threshold)})`
  }
}

function short(value: number): string {
  if (!Number.isFinite(value) || Math.abs(value) >= 1e15) return Number.isFinite(value) ? 'very many' : String(value)
  return String(Number(value.toPrecision(3)))
}
