/**
 * What each calibrated statistic and each rule is about, in words.
 *
 * @module
 */
import { driftAfter } from '../detectors/calibrated/drift.ts'
import { KL_PER_TOKEN } from '../detectors/calibrated/kl-explosion.ts'
import { RULES } from '../detectors/calibrated/rules.ts'
import { SPIKE_AFTER } from '../detectors/calibrated/spike.ts'
import type { StatisticName } from '../detectors/calibrated/thresholds.ts'
import { ALERT_KINDS, type AlertKind, type Coverage } from '../detectors/detector.ts'

/** What is compared under one name. */
export interface StatisticAbout {
  /** The kinds of failure that it speaks for, the first for its place in a list. */
  readonly kinds: readonly AlertKind[]
  /** What rises with it. */
  readonly what: string
  /** What it counts; a spike is judged by single values, all others by means. */
  readonly unit: StatisticUnit
}

/** What a statistic counts. */
export type StatisticUnit = 'standard errors' | 'standard deviations' | 'iterations in a row'

/** Where a calibrated statistic comes from. */
interface StatisticSource {
  /** The detector that compares it. */
  readonly detector: string
  /** Iterations that log what it takes, before it is first compared; at least so many for what is not logged in each. */
  readonly after: number
}

const QUALITY = ['reward-hacking', 'quality-collapse', 'coherence-loss'] as const

const LEVEL = driftAfter('best', false)
const SETTLING = driftAfter('settling', false)

const STATISTICS: Readonly<Record<StatisticName, Omit<StatisticAbout, 'unit'> & StatisticSource>> = {
  'quality-all': {
    kinds: QUALITY,
    what: 'fall of all quality signals together',
    detector: 'answer-quality',
    after: LEVEL,
  },
  'quality-score': {
    kinds: QUALITY,
    what: 'fall of the held-out rewards and judges',
    detector: 'answer-quality',
    after: LEVEL,
  },
  'quality-text': {
    kinds: QUALITY,
    what: 'fall of the measures of the text',
    detector: 'answer-quality',
    after: LEVEL,
  },
  'quality-single': {
    kinds: QUALITY,
    what: 'fall of the quality signal that fell most',
    detector: 'answer-quality',
    after: LEVEL,
  },
  kl: {
    kinds: ['kl-explosion'],
    what: 'rise of the KL to the reference beyond its forecast',
    detector: 'kl-explosion',
    after: SETTLING,
  },
  entropy: {
    kinds: ['entropy-collapse'],
    what: 'fall of the entropy that the reward does not explain',
    detector: 'entropy-collapse',
    after: SETTLING,
  },
  length: {
    kinds: ['length-explosion'],
    what: 'rise of the length of the answers that the reward does not explain',
    detector: 'length-explosion',
    after: SETTLING,
  },
  truncation: {
    kinds: ['length-explosion'],
    what: 'rise of the share of answers that are cut off',
    detector: 'truncation',
    after: LEVEL,
  },
  value: {
    kinds: ['value-reward-mismatch'],
    what: 'rise of what the value head leaves unexplained',
    detector: 'value-reward-mismatch',
    after: LEVEL,
  },
  forgetting: {
    kinds: ['catastrophic-forgetting'],
    what: 'fall on the fixed prompts',
    detector: 'catastrophic-forgetting',
    after: LEVEL,
  },
  'loss-spike': {
    kinds: ['loss-spike'],
    what: 'how far the loss stays above its usual level',
    detector: 'loss-spike',
    after: SPIKE_AFTER,
  },
  gradient: {
    kinds: ['gradient-anomaly'],
    what: 'how far the gradient norm stays above its usual level',
    detector: 'gradient-anomaly',
    after: SPIKE_AFTER,
  },
  'gradient-level': {
    kinds: ['gradient-anomaly'],
    what: 'rise of the level of the gradient norm',
    detector: 'gradient-level',
    after: LEVEL,
  },
}

/** Statistics of single values. */
const OF_VALUES: ReadonlySet<string> = new Set<StatisticName>(['loss-spike', 'gradient'])

const BUDGET: StatisticAbout = {
  kinds: ['kl-explosion'],
  what: 'KL above the budget of --kl-threshold',
  unit: 'iterations in a row',
}

/** What a name stands for; of a rule, its kind. Null for a name that nothing has. */
export function aboutStatistic(name: string): StatisticAbout | null {
  if (Object.hasOwn(STATISTICS, name)) {
    const { kinds, what } = STATISTICS[name as StatisticName]
    return { kinds, what, unit: OF_VALUES.has(name) ? 'standard deviations' : 'standard errors' }
  }
  if (name === 'kl-budget') return BUDGET
  const rule = RULES.find((one) => one.name === name)
  return rule ? { kinds: [rule.kind], what: `rule ${name} broken`, unit: 'iterations in a row' } : null
}

/** Iterations that log what a statistic takes, before it is first compared. */
export function comparedAfter(name: StatisticName, logged: ReadonlySet<string>): number {
  // An absolute limit needs no history to compare with.
  if (name === 'kl' && KL_PER_TOKEN.some((series) => logged.has(series))) return driftAfter('settling', true)
  return STATISTICS[name].after
}

/** The statistics of detectors that work in a run and have compared nothing yet, one a detector. */
export function statisticsToCome(
  coverage: readonly Coverage[],
  compared: (name: StatisticName) => boolean,
): readonly StatisticName[] {
  const names = Object.keys(STATISTICS) as StatisticName[]
  return coverage.flatMap(({ detector, missing }) => {
    const its = names.filter((name) => STATISTICS[name].detector === detector)
    return missing.length === 0 && !its.some(compared) ? its.slice(0, 1) : []
  })
}

/** The place of a kind among all. */
export function rankOf(kind: AlertKind): number {
  return ALERT_KINDS.indexOf(kind)
}
