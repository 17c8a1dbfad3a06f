/**
 * What each calibrated statistic and each rule is about, in words.
 *
 * @module
 */
import { RULES } from '../detectors/calibrated/rules.ts'
import type { StatisticName } from '../detectors/calibrated/thresholds.ts'
import { ALERT_KINDS, type AlertKind } from '../detectors/detector.ts'

/** What is compared under one name. */
export interface StatisticAbout {
  /** The kinds of failure that it speaks for, the first for its place in a list. */
  readonly kinds: readonly AlertKind[]
  /** What rises with it. */
  readonly what: string
}

const QUALITY = ['reward-hacking', 'quality-collapse', 'coherence-loss'] as const

const STATISTICS: Readonly<Record<StatisticName, StatisticAbout>> = {
  'quality-all': { kinds: QUALITY, what: 'fall of all quality signals together' },
  'quality-score': { kinds: QUALITY, what: 'fall of the held-out rewards and judges' },
  'quality-text': { kinds: QUALITY, what: 'fall of the measures of the text' },
  'quality-single': { kinds: QUALITY, what: 'fall of the quality signal that fell most' },
  kl: { kinds: ['kl-explosion'], what: 'rise of the KL to the reference beyond its forecast' },
  entropy: { kinds: ['entropy-collapse'], what: 'fall of the entropy that the reward does not explain' },
  length: { kinds: ['length-explosion'], what: 'rise of the length of the answers that the reward does not explain' },
  truncation: { kinds: ['length-explosion'], what: 'rise of the share of answers that are cut off' },
  value: { kinds: ['value-reward-mismatch'], what: 'rise of what the value head leaves unexplained' },
  forgetting: { kinds: ['catastrophic-forgetting'], what: 'fall on the fixed prompts' },
  'loss-spike': { kinds: ['loss-spike'], what: 'distance of the loss from its range' },
  gradient: { kinds: ['gradient-anomaly'], what: 'distance of the gradient norm from its range' },
  'gradient-level': { kinds: ['gradient-anomaly'], what: 'rise of the level of the gradient norm' },
}

const BUDGET: StatisticAbout = { kinds: ['kl-explosion'], what: 'KL above the budget of --kl-threshold' }

/** What a name stands for; of a rule, its kind. Null for a name that nothing has. */
export function aboutStatistic(name: string): StatisticAbout | null {
  if (Object.hasOwn(STATISTICS, name)) return STATISTICS[name as StatisticName]
  if (name === 'kl-budget') return BUDGET
  const rule = RULES.find((one) => one.name === name)
  return rule ? { kinds: [rule.kind], what: `rule ${name} broken` } : null
}

/** The place of a kind among all. */
export function rankOf(kind: AlertKind): number {
  return ALERT_KINDS.indexOf(kind)
}
