import type { AlertBasis, AlertKind, Evidence } from '../detectors/detector.ts'

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
 * One line of plain words for a piece of evidence: what was seen, against what.
 *
 * @param basis where its threshold comes from: a `threshold` by default.
 * @param original the trainer's own name of the first series, told where the mistake may be in the logging.
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
export function alertReason(evidence: Evidence, basis: AlertBasis = 'threshold', original?: string): string {
  if (evidence.kind === 'stall') {
    const [silent, usual] = [evidence.observed, evidence.expected].map((seconds) => `${short(seconds)} s`)
    return `${WHAT.stall}: no event for ${silent}, where ${usual} at the most were usual (threshold ${short(evidence.threshold)} s)`
  }
  const words =
    basis === 'rule'
      ? ruleWords(evidence, original)
      : basis === 'calibrated'
        ? driftWords(evidence)
        : levelWords(evidence)
  return `${WHAT[evidence.kind]}: ${words}`
}

/** Evidence against a fixed threshold. */
function levelWords(evidence: Evidence): string {
  const { first, second, observed, expected } = parts(evidence)
  switch (evidence.kind) {
    case 'reward-hacking': {
      const way = evidence.direction === 'down' ? 'fell' : 'rose'
      return `${second} goes up while ${first} ${way} from ${expected} to ${observed} (they part by ${short(evidence.statistic)} standard deviations; threshold ${short(evidence.threshold)})`
    }
    case 'kl-explosion':
      return `${first} is ${observed}, above the threshold of ${short(evidence.threshold)}`
    case 'coherence-loss':
      return `${first} is ${observed}, ${short(evidence.statistic)} times its level of ${expected} at the start (threshold ${short(evidence.threshold)} times)`
    case 'value-reward-mismatch':
      return `${first} is ${observed}; at ${expected} or less it is no better than a constant`
    default:
      return `${first} is ${observed} where ${expected} was expected (statistic ${short(evidence.statistic)}, threshold ${short(evidence.threshold)})`
  }
}

/** Evidence of a calibrated detector: a series has left what it used to be. */
function driftWords(evidence: Evidence): string {
  const { first, second, observed, expected } = parts(evidence)
  const way = evidence.observed >= evidence.expected ? 'rose' : 'fell'
  const moved = `${first} ${way} from ${expected} to ${observed}`
  const beyond = ` (${short(evidence.statistic)} standard errors beyond what healthy runs do; threshold ${short(evidence.threshold)})`
  switch (evidence.kind) {
    case 'reward-hacking':
      return `${moved} while ${second} did not fall${beyond}`
    case 'kl-explosion':
      return `${first} is ${observed} where at most ${expected} was to be expected of a run that settles${beyond}`
    case 'entropy-collapse':
      return `${moved}, which the reward does not explain${beyond}`
    case 'length-explosion':
      // The signals of quality raise it, too: what moved is then theirs, and not the length.
      if (evidence.series[0]?.startsWith('quality/'))
        return `they became longer by a fifth or more, while ${moved}${beyond}`
      return `${moved}, which the reward does not explain${beyond}`
    case 'catastrophic-forgetting':
      return `on prompts that stayed the same ${moved}${beyond}`
    case 'loss-spike':
    case 'gradient-anomaly':
      return `${first} stays at about ${observed}, where ${expected} is usual (${short(evidence.statistic)} standard deviations; threshold ${short(evidence.threshold)})`
    default:
      return `${moved}${beyond}`
  }
}

/** Evidence of a rule: what must not be was so several iterations in a row. */
function ruleWords(evidence: Evidence, original: string | undefined): string {
  const { first, observed, expected } = parts(evidence)
  const row = ` (${short(evidence.statistic)} iterations in a row)`
  switch (evidence.kind) {
    case 'non-finite':
      return `${first} is NaN or infinite${row}`
    case 'kl-explosion':
      return `${first} is ${observed}, above its budget of ${expected}${row}`
    case 'train-inference-mismatch':
      return `${first} is ${observed}; the limit is ${expected}${row}`
    case 'dead-learning':
      return evidence.series[0] === 'reward/frac_zero_std'
        ? `${first} is ${observed}: in no group of answers do the rewards differ${row}`
        : `${first} is ${observed}: no weight moves${row}`
    case 'broken-invariant':
      return `${brokenWords(evidence, original)}${row}`
    default:
      return `${first} is ${observed} where ${expected} was expected${row}`
  }
}

function brokenWords(evidence: Evidence, original: string | undefined): string {
  const { first, observed, expected } = parts(evidence)
  switch (evidence.series[0]) {
    case 'ppo/ratio_first':
    case 'ppo/approx_kl_first':
      return `${first} is ${observed}; before the first step it is ${expected} exactly, so the old log-probabilities are wrong`
    case 'adv/reward_corr':
      return `${first} is ${observed}: what scores well is made rarer, so a sign is flipped`
    case 'reward/total':
      return `${first} is ${observed} where reward/score and kl_ref/penalty_reward make ${expected}, so one of the three is not what its name says`
    case 'value/head_update_norm':
      return `${first} is 0: the value head does not move`
    default: {
      const side = evidence.direction === 'up' ? 'above' : 'below'
      const logged = original === undefined || original === first ? '' : `, logged as ${original.slice(0, 100)},`
      return `${first}${logged} is ${observed}, and by its definition it cannot be ${side} ${expected}: the log is wrong`
    }
  }
}

function parts(evidence: Evidence) {
  const [first = 'a series', second = 'the reward'] = evidence.series
  // State is JSON, which has no NaN: the largest number stands for it.
  const observed = evidence.observed === Number.MAX_VALUE ? 'not finite' : short(evidence.observed)
  return { first, second, observed, expected: short(evidence.expected) }
}

function short(value: number): string {
  if (!Number.isFinite(value) || Math.abs(value) >= 1e15) return Number.isFinite(value) ? 'very many' : String(value)
  return String(Number(value.toPrecision(3)))
}
