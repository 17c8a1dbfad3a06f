/**
 * The failures that are exact: lost numbers, broken relations, limits that the field agrees on.
 *
 * @module
 */
import { CANONICAL_METRICS } from '../../vocabulary/canonical.ts'
import type { Observation } from '../detector.ts'
import type { Finding, SustainedRule } from './sustained.ts'

/** Series in which a NaN or Infinity means that the run is lost. */
const MUST_BE_FINITE = [
  'loss/total',
  'loss/policy',
  'loss/value',
  'grad/norm',
  'grad/value_norm',
  'reward/score',
  'kl_ref/token',
  'ppo/approx_kl',
  'entropy/token',
] as const

/** Series that have a range by their definition, with the rounding that a trainer may add. */
const BOUNDED = Object.entries(CANONICAL_METRICS)
  .filter(
    ([name, { range }]) =>
      // The monitor's own measure says nothing of what the trainer logs.
      name !== 'time/silence' &&
      name.includes('/') &&
      (range[0] > Number.NEGATIVE_INFINITY || range[1] < Number.POSITIVE_INFINITY),
  )
  .map(([name, { range }]) => ({ name, low: range[0], high: range[1] }))
const ROUNDING = 1e-3

/** Difference of the first minibatch's ratio to 1 that is no rounding. */
const RATIO_TOLERANCE = 2e-3
/** KL(old || new) before the first step that is no rounding, in nats. */
const FIRST_KL_TOLERANCE_NATS = 1e-4
/** A divergence estimated without bias from thousands of tokens may be a little below 0, not this far, in nats. */
const NEGATIVE_KL_NATS = 5e-3
/** verl's own limits for the mismatch of trainer and sampler. */
const MISMATCH_KL_NATS = 0.1
const MISMATCH_ESS = 0.3
const RATIO_LIMITS = [0.5, 2] as const
/** A gradient norm that moves no weight. */
const DEAD_GRADIENT = 1e-5
/** Rounding of a sum of two numbers in bfloat16, relative to the largest of the three: four half units in the last of 8 binary digits. */
const SUM_TOLERANCE = 2 ** -7
/** Correlation of advantage and reward that a right sign does not give ten times in a row. */
const FLIPPED = -0.2

/** The rules of every preset whose series are logged. */
export const RULES: readonly SustainedRule[] = [
  {
    name: 'non-finite',
    kind: 'non-finite',
    severity: 'critical',
    reads: [MUST_BE_FINITE],
    // One can be a skipped step of mixed-precision training; two in a row are not.
    iterations: 2,
    check(observation) {
      let logged = false
      for (const name of MUST_BE_FINITE) {
        const value = observation.get(name)
        if (value === undefined) continue
        logged = true
        if (!Number.isFinite(value)) return { series: name, observed: Number.MAX_VALUE, expected: 0 }
      }
      return logged ? null : undefined
    },
  },
  {
    name: 'value-out-of-range',
    kind: 'broken-invariant',
    severity: 'critical',
    reads: [BOUNDED.map(({ name }) => name)],
    iterations: 2,
    check(observation) {
      let logged = false
      for (const { name, low, high } of BOUNDED) {
        const value = observation.get(name)
        if (value === undefined) continue
        logged = true
        if (value < low - ROUNDING) return { series: name, observed: value, expected: low, direction: 'down' }
        if (value > high + ROUNDING) return { series: name, observed: value, expected: high, direction: 'up' }
      }
      return logged ? null : undefined
    },
  },
  away('ratio-first', ['ppo/ratio_first'], 1, RATIO_TOLERANCE),
  away('approx-kl-first', ['ppo/approx_kl_first'], 0, FIRST_KL_TOLERANCE_NATS),
  {
    name: 'negative-kl',
    kind: 'broken-invariant',
    severity: 'critical',
    reads: [['ppo/approx_kl', 'mismatch/kl']],
    iterations: 3,
    check: (observation) => below(observation, ['ppo/approx_kl', 'mismatch/kl'], -NEGATIVE_KL_NATS, 0),
  },
  {
    name: 'reward-sum',
    kind: 'broken-invariant',
    severity: 'critical',
    reads: [['reward/total'], ['reward/score'], ['kl_ref/penalty_reward']],
    iterations: 3,
    check(observation) {
      const total = observation.get('reward/total')
      const score = observation.get('reward/score')
      const penalty = observation.get('kl_ref/penalty_reward')
      if (total === undefined || score === undefined || penalty === undefined) return undefined
      const sum = score + penalty
      // Whether a value is finite is the matter of another rule.
      if (!Number.isFinite(total) || !Number.isFinite(sum)) return undefined
      const tolerance = SUM_TOLERANCE * Math.max(Math.abs(total), Math.abs(score), Math.abs(penalty))
      if (Math.abs(total - sum) <= tolerance) return null
      return { series: 'reward/total', observed: total, expected: sum, direction: total > sum ? 'up' : 'down' }
    },
  },
  {
    name: 'flipped-sign',
    kind: 'broken-invariant',
    severity: 'critical',
    reads: [['adv/reward_corr']],
    iterations: 10,
    check: (observation) => below(observation, ['adv/reward_corr'], FLIPPED, 0),
  },
  {
    name: 'value-head-still',
    kind: 'broken-invariant',
    severity: 'critical',
    reads: [['value/head_update_norm']],
    iterations: 3,
    check(observation) {
      const norm = observation.get('value/head_update_norm')
      if (norm === undefined) return undefined
      return norm === 0
        ? { series: 'value/head_update_norm', observed: 0, expected: Number.MIN_VALUE, direction: 'down' }
        : null
    },
  },
  {
    name: 'train-inference-mismatch',
    kind: 'train-inference-mismatch',
    severity: 'critical',
    reads: [['mismatch/kl', 'mismatch/kl_k3', 'mismatch/ess', 'mismatch/is_ratio_mean']],
    iterations: 3,
    check(observation) {
      const ess = observation.get('mismatch/ess')
      if (ess !== undefined && ess < MISMATCH_ESS)
        return { series: 'mismatch/ess', observed: ess, expected: MISMATCH_ESS, direction: 'down' }
      for (const name of ['mismatch/kl', 'mismatch/kl_k3']) {
        const nats = observation.get(name)
        if (nats !== undefined && Math.abs(nats) > MISMATCH_KL_NATS)
          return { series: name, observed: nats, expected: MISMATCH_KL_NATS, direction: 'up' }
      }
      const ratio = observation.get('mismatch/is_ratio_mean')
      if (ratio !== undefined && (ratio < RATIO_LIMITS[0] || ratio > RATIO_LIMITS[1]))
        return { series: 'mismatch/is_ratio_mean', observed: ratio, expected: 1, direction: ratio > 1 ? 'up' : 'down' }
      const logged = ess ?? observation.get('mismatch/kl') ?? observation.get('mismatch/kl_k3') ?? ratio
      return logged === undefined ? undefined : null
    },
  },
  {
    name: 'dead-learning',
    kind: 'dead-learning',
    severity: 'critical',
    reads: [['grad/norm', 'reward/frac_zero_std']],
    iterations: 10,
    check(observation) {
      const norm = observation.get('grad/norm')
      if (norm !== undefined && norm < DEAD_GRADIENT)
        return { series: 'grad/norm', observed: norm, expected: DEAD_GRADIENT, direction: 'down' }
      const silent = observation.get('reward/frac_zero_std')
      if (silent !== undefined && silent >= 1)
        return { series: 'reward/frac_zero_std', observed: silent, expected: 0, direction: 'up' }
      return norm === undefined && silent === undefined ? undefined : null
    },
  },
]

function away(name: string, series: readonly string[], expected: number, tolerance: number): SustainedRule {
  return {
    name,
    kind: 'broken-invariant',
    severity: 'critical',
    reads: [series],
    iterations: 3,
    check(observation) {
      const value = observation.get(series[0]!)
      if (value === undefined) return undefined
      // Written so that NaN is wrong too.
      if (Math.abs(value - expected) <= tolerance) return null
      const observed = Number.isNaN(value) ? Number.MAX_VALUE : value
      return { series: series[0]!, observed, expected, direction: observed > expected ? 'up' : 'down' }
    },
  }
}

function below(
  observation: Observation,
  series: readonly string[],
  limit: number,
  expected: number,
): Finding | null | undefined {
  let logged = false
  for (const name of series) {
    const value = observation.get(name)
    if (value === undefined) continue
    logged = true
    if (value < limit) return { series: name, observed: value, expected, direction: 'down' }
  }
  return logged ? null : undefined
}
