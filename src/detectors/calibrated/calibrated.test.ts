import { describe, expect, it } from 'vitest'
import { testDetector } from '../../testing/test-detector.ts'
import { randomStream } from '../../trainer/random.ts'
import type { AlertKind, Detector, Evidence } from '../detector.ts'
import { answerQuality } from './answer-quality.ts'
import { catastrophicForgetting } from './catastrophic-forgetting.ts'
import { entropyCollapse, entropyGone } from './entropy-collapse.ts'
import { gradientLevel } from './gradient-level.ts'
import { klExplosion } from './kl-explosion.ts'
import { severityOf } from './ladder.ts'
import { lengthExplosion, truncation } from './length-explosion.ts'
import { calibratedPreset, PRESETS, spikeDetectors } from './preset.ts'
import { RULES } from './rules.ts'
import { sustained } from './sustained.ts'
import { DEFAULT_FALSE_ALARM_RATE, type StatisticName, thresholdsFor } from './thresholds.ts'
import { valueRewardMismatch } from './value-reward-mismatch.ts'

/** Fixed, so that a new calibration does not move what these tests see. */
const THRESHOLDS = { info: 2, warning: 3.5, critical: 5 }
const NEVER = {
  info: Number.POSITIVE_INFINITY,
  warning: Number.POSITIVE_INFINITY,
  critical: Number.POSITIVE_INFINITY,
}
const ONSET = 200

type Values = Readonly<Record<string, number>>

/** A run of some series: each is a function of the iteration, the iterations into the fault, and its own noise. */
function run(
  seed: number,
  length: number,
  series: Readonly<Record<string, (t: number, into: number, noise: () => number) => number>>,
  faulty: boolean,
): readonly Values[] {
  const random = randomStream(seed, 'calibrated test')
  const noise = () => random.normal()
  return Array.from({ length }, (_, t) =>
    Object.fromEntries(
      Object.entries(series).map(([name, value]) => [name, value(t, faulty ? Math.max(0, t - ONSET) : 0, noise)]),
    ),
  )
}

interface Case {
  readonly create: () => Detector
  readonly series: Parameters<typeof run>[2]
  readonly kind: AlertKind
  /** Iteration of the first critical evidence; measured, and exact, so that a change of a detector shows. */
  readonly critical: number
}

const all = () => answerQuality({ all: THRESHOLDS, score: THRESHOLDS, text: THRESHOLDS, single: THRESHOLDS })
const learning = (t: number) => 1 - Math.exp(-t / 150)

const CASES: Readonly<Record<string, Case>> = {
  'reward hacking': {
    create: all,
    series: {
      'reward/score': (t, into, noise) => 3 * learning(t) + 0.01 * into + noise(),
      'quality/judge': (_, into, noise) => 0.5 + 0.3 * (noise() - 0.03 * into),
      'quality/ref_perplexity': (_, into, noise) => Math.exp(1.2 + 0.05 * (noise() + 0.06 * into)),
      'quality/distinct_2': (_, into, noise) => 0.65 - 0.03 * (noise() + 0.06 * into),
    },
    kind: 'reward-hacking',
    critical: 249,
  },
  'quality collapse': {
    create: all,
    series: {
      'reward/score': (t, into, noise) => 3 * learning(t) - 0.04 * into + noise(),
      'quality/judge': (_, into, noise) => 0.5 + 0.3 * (noise() - 0.03 * into),
    },
    kind: 'quality-collapse',
    critical: 289,
  },
  'loss of coherence': {
    create: all,
    series: {
      'reward/score': (t, _, noise) => 3 * learning(t) + noise(),
      'quality/heldout_reward': (_, __, noise) => noise(),
      'quality/ref_perplexity': (_, into, noise) => Math.exp(1.2 + 0.05 * (noise() + 0.06 * into)),
      'quality/repetition': (_, into, noise) => 0.06 + 0.015 * (noise() + 0.1 * into),
    },
    kind: 'coherence-loss',
    critical: 244,
  },
  'growth of KL': {
    create: () => klExplosion(THRESHOLDS),
    series: {
      'kl_ref/token': (t, into, noise) => 0.1 * learning(t) * Math.exp(into / 80 + 0.1 * noise()),
    },
    kind: 'kl-explosion',
    critical: 359,
  },
  'collapse of entropy': {
    create: () => entropyCollapse(THRESHOLDS),
    series: {
      'entropy/token': (t, into, noise) => (1 - 0.2 * learning(t)) * Math.exp(-into / 240 + 0.02 * noise()),
      'reward/score': (t, _, noise) => 3 * learning(t) + noise(),
    },
    kind: 'entropy-collapse',
    critical: 264,
  },
  'entropy that is gone': {
    create: entropyGone,
    series: { 'entropy/token': (_, into, noise) => Math.exp((into > 0 ? -3 : 0) + 0.1 * noise()) },
    kind: 'entropy-collapse',
    critical: 210,
  },
  'growth of answers': {
    create: () => lengthExplosion(THRESHOLDS),
    series: {
      'length/mean': (_, into, noise) => 100 * Math.exp(into / 150 + 0.03 * noise()),
      'reward/score': (t, _, noise) => 3 * learning(t) + noise(),
    },
    kind: 'length-explosion',
    critical: 249,
  },
  'cut answers': {
    create: () => truncation(THRESHOLDS),
    series: { 'length/clip_ratio': (_, into, noise) => 0.02 + Math.min(0.9, 0.01 * into) + 0.005 * noise() },
    kind: 'length-explosion',
    critical: 249,
  },
  'value model that loses touch': {
    create: () => valueRewardMismatch(THRESHOLDS),
    series: {
      'value/explained_variance': (t, into, noise) =>
        1 - (1 - 0.7 * learning(t)) * (into > 0 ? 3 : 1) * Math.exp(0.05 * noise()),
    },
    kind: 'value-reward-mismatch',
    critical: 224,
  },
  'forgetting on fixed prompts': {
    create: () => catastrophicForgetting(THRESHOLDS),
    series: {
      'quality/fixed_ref_perplexity': (_, into, noise) => Math.exp(0.7 + 0.05 * (noise() + 0.06 * into)),
      'eval/benchmark': (_, into, noise) => 0.6 + 0.02 * (noise() - 0.03 * into),
    },
    kind: 'catastrophic-forgetting',
    critical: 269,
  },
  'loss that jumps and stays': {
    create: () => spikeDetectors(THRESHOLDS, NEVER)[0]!,
    series: { 'loss/total': (_, into, noise) => 0.5 + 0.05 * noise() + (into > 0 ? 4 : 0) },
    kind: 'loss-spike',
    critical: 205,
  },
  'gradient that jumps and stays': {
    create: () => spikeDetectors(NEVER, THRESHOLDS)[1]!,
    series: { 'grad/norm': (_, into, noise) => (into > 0 ? 8 : 1) * Math.exp(0.1 * noise()) },
    kind: 'gradient-anomaly',
    critical: 205,
  },
  'gradient that grows': {
    create: () => gradientLevel(THRESHOLDS),
    series: { 'grad/norm': (_, into, noise) => Math.exp(into / 60 + 0.3 * noise()) },
    kind: 'gradient-anomaly',
    critical: 289,
  },
}

function watch(detector: Detector, values: readonly (Values | null)[]): (Evidence | undefined)[] {
  return values.map((row, t) =>
    detector.update({
      iteration: t,
      time: t,
      get: (name) => (row && Object.hasOwn(row, name) ? row[name] : undefined),
    }),
  )
}

describe.each(Object.entries(CASES))('%s', (_, { create, series, kind, critical }) => {
  const failing = run(1, 500, series, true)
  const healthy = run(1, 500, series, false)
  for (const check of testDetector({ create, failing, healthy })) it(check.name, () => check.run())

  it('is called by its name, at exactly this iteration, with an onset close to the true one', () => {
    const seen = watch(create(), failing)
    const at = seen.findIndex((evidence) => evidence?.severity === 'critical')
    expect({ at, kind: seen[at]?.kind }).toEqual({ at: critical, kind })
    expect(Math.abs(seen[at]!.onset.estimate - ONSET)).toBeLessThanOrEqual(40)
  })

  it('is silent through gaps, and sees the fault through them', () => {
    const random = randomStream(2, 'gaps')
    const gaps = (rows: readonly Values[]) => rows.map((row) => (random.uniform() < 0.2 ? null : row))
    expect(watch(create(), gaps(healthy)).some((evidence) => evidence?.severity === 'critical')).toBe(false)
    expect(watch(create(), gaps(failing)).some((evidence) => evidence?.severity === 'critical')).toBe(true)
  })

  it('does not stop for one wild value', () => {
    for (const factor of [-1e9, 1e9]) {
      const wild = healthy.map((row, t) =>
        t === 300 ? Object.fromEntries(Object.entries(row).map(([name, value]) => [name, value * factor])) : row,
      )
      expect(watch(create(), wild).some((evidence) => evidence?.severity === 'critical')).toBe(false)
    }
  })

  it('starts anew where something is announced', () => {
    const detector = create()
    watch(detector, healthy)
    const announced = { iteration: 500, time: 500, get: () => undefined, announced: ['resume'] }
    expect(detector.update(announced)).toBeUndefined()
    const fresh = create()
    const later = failing.slice(300)
    const again = (one: Detector) =>
      later.map((row, i) => one.update({ iteration: 501 + i, time: 0, get: (name) => row[name] }))
    fresh.update(announced)
    expect(again(detector)).toEqual(again(fresh))
  })
})

/** What each exact rule calls wrong, and what it calls right. */
const EXACT: Readonly<Record<string, { readonly wrong: Values; readonly right: Values; readonly after: number }>> = {
  'non-finite': { wrong: { 'loss/total': Number.NaN }, right: { 'loss/total': 1 }, after: 2 },
  'value-out-of-range': { wrong: { 'ppo/clip_fraction': 1.2 }, right: { 'ppo/clip_fraction': 1 }, after: 2 },
  'ratio-first': { wrong: { 'ppo/ratio_first': 1.01 }, right: { 'ppo/ratio_first': 1 + 1e-6 }, after: 3 },
  'approx-kl-first': { wrong: { 'ppo/approx_kl_first': 1e-3 }, right: { 'ppo/approx_kl_first': -1e-9 }, after: 3 },
  'negative-kl': { wrong: { 'ppo/approx_kl': -0.02 }, right: { 'ppo/approx_kl': -1e-4 }, after: 3 },
  'reward-sum': {
    wrong: { 'reward/total': 0.58, 'reward/score': 0.6, 'kl_ref/penalty_reward': -0.04 },
    // The difference of 0.0025 is what bfloat16 may round away at this magnitude.
    right: { 'reward/total': 0.56, 'reward/score': 0.6025, 'kl_ref/penalty_reward': -0.04 },
    after: 3,
  },
  'flipped-sign': { wrong: { 'adv/reward_corr': -0.7 }, right: { 'adv/reward_corr': 0.6 }, after: 10 },
  'value-head-still': { wrong: { 'value/head_update_norm': 0 }, right: { 'value/head_update_norm': 1e-9 }, after: 3 },
  'train-inference-mismatch': { wrong: { 'mismatch/ess': 0.1 }, right: { 'mismatch/ess': 0.95 }, after: 3 },
  'dead-learning': { wrong: { 'grad/norm': 1e-8 }, right: { 'grad/norm': 1e-3 }, after: 10 },
}

describe('exact rules', () => {
  it('are all tested here', () => {
    expect(RULES.map(({ name }) => name).sort()).toEqual(Object.keys(EXACT).sort())
  })

  it.each(RULES.map((rule) => [rule.name, rule] as const))('%s', (name, rule) => {
    const { wrong, right, after } = EXACT[name]!
    const create = () => sustained(rule)
    const failing = Array.from({ length: 40 }, (_, t) => (t < 20 ? right : wrong))
    const healthy = Array.from({ length: 40 }, () => right)
    for (const check of testDetector({ create, failing, healthy })) {
      check.run()
    }
    const seen = watch(create(), failing)
    expect(seen.findIndex((evidence) => evidence !== undefined)).toBe(20 + after - 1)
    expect(seen.at(-1)).toMatchObject({ kind: rule.kind, onset: { estimate: 20, interval: [20, 20] } })
    // Less than asked for in a row is nothing, and what is not logged is neither right nor wrong.
    const short = failing.map((_, t) => (t % after === 0 ? right : wrong))
    expect(watch(create(), short).every((evidence) => evidence === undefined)).toBe(true)
    const sparse = failing.flatMap((row) => [row, {}])
    expect(watch(create(), sparse).findIndex((evidence) => evidence !== undefined)).toBe(2 * (20 + after - 1))
  })
})

it('a mismatch of exactly 0 is seen as in order', () => {
  const rule = RULES.find(({ name }) => name === 'train-inference-mismatch')!
  const observation = (values: Values) => ({ iteration: 0, time: 0, get: (name: string) => values[name] })
  expect(rule.check(observation({ 'mismatch/kl': 0 }))).toBeNull()
  expect(rule.check(observation({ 'mismatch/kl': 0.2 }))).toMatchObject({ series: 'mismatch/kl', direction: 'up' })
  expect(rule.check(observation({ 'mismatch/is_ratio_mean': 3 }))).toMatchObject({ observed: 3, direction: 'up' })
  expect(rule.check(observation({}))).toBeUndefined()
})

describe('limits that hold wherever a run began', () => {
  it.each([
    ['kl_ref/token', klExplosion(THRESHOLDS), 0.9, 0.3],
    ['value/explained_variance', valueRewardMismatch(THRESHOLDS), -1, -0.1],
  ] as const)('%s', (name, detector, wrong, right) => {
    const random = randomStream(3, name)
    const from = (level: number) =>
      Array.from({ length: 200 }, () => ({ [name]: level * (1 + 0.05 * random.normal()) }))
    expect(watch(detector, from(right)).some((evidence) => evidence?.severity === 'critical')).toBe(false)
    detector.update({ iteration: 200, time: 0, get: () => undefined, announced: ['resume'] })
    expect(watch(detector, from(wrong)).some((evidence) => evidence?.severity === 'critical')).toBe(true)
  })

  it('do not hold for a whole answer, which may be long', () => {
    const random = randomStream(4, 'sequence')
    const values = Array.from({ length: 200 }, () => ({ 'kl_ref/seq': 40 * (1 + 0.05 * random.normal()) }))
    expect(watch(klExplosion(THRESHOLDS), values).every((evidence) => evidence === undefined)).toBe(true)
  })
})

it('answers that have become longer are a length explosion, whatever that does to their text', () => {
  const values = run(
    5,
    400,
    {
      'length/mean': (_, into, noise) => 100 * Math.exp(Math.min(0.5, 0.02 * into) + 0.02 * noise()),
      'quality/ref_perplexity': (_, into, noise) => Math.exp(1.2 + 0.05 * (noise() + 0.1 * into)),
      'reward/score': (_, into, noise) => 0.05 * into + noise(),
    },
    true,
  )
  expect(watch(all(), values).find((evidence) => evidence?.severity === 'critical')?.kind).toBe('length-explosion')
})

describe('the sum of the rewards', () => {
  const rule = RULES.find(({ name }) => name === 'reward-sum')!
  const check = (total: number, score: number, penalty: number) => {
    const values: Values = { 'reward/total': total, 'reward/score': score, 'kl_ref/penalty_reward': penalty }
    return rule.check({ iteration: 0, time: 0, get: (name) => values[name] })
  }

  it('holds for numbers of any magnitude, as float32, bfloat16 and four printed digits round them', () => {
    const bfloat16 = (value: number) => {
      const bits = new DataView(new ArrayBuffer(4))
      bits.setFloat32(0, value)
      bits.setUint32(0, (bits.getUint32(0) + 0x8000) & 0xffff0000)
      return bits.getFloat32(0)
    }
    const random = randomStream(3)
    for (let i = 0; i < 5000; i++) {
      const scale = 10 ** (12 * random.uniform() - 6)
      const score = scale * (2 * random.uniform() - 1)
      const penalty = -scale * random.uniform()
      for (const round of [Math.fround, bfloat16, (value: number) => Number(value.toPrecision(4))]) {
        const logged = [round(round(score) + round(penalty)), round(score), round(penalty)] as const
        expect(check(...logged), `${logged}`).toBeNull()
      }
    }
    expect(check(0, 0, 0)).toBeNull()
  })

  it('does not where the penalty is left out, added, or on another score', () => {
    expect(check(1, 1, -0.05)).toMatchObject({ observed: 1, expected: 0.95, direction: 'up' })
    expect(check(1.05, 1, -0.05)).toMatchObject({ direction: 'up' })
    expect(check(-1.05, 1, -0.05)).toMatchObject({ expected: 0.95, direction: 'down' })
  })

  it('says nothing of an iteration in which one of the three is missing or not finite', () => {
    expect(check(Number.NaN, 1, -0.05)).toBeUndefined()
    expect(check(1, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY)).toBeUndefined()
    expect(rule.check({ iteration: 0, time: 0, get: (name) => (name === 'reward/total' ? 9 : 1) })).not.toBeUndefined()
    expect(
      rule.check({ iteration: 0, time: 0, get: (name) => (name === 'kl_ref/penalty_reward' ? undefined : 1) }),
    ).toBeUndefined()
  })
})

describe('thresholds', () => {
  const names = calibratedStatistics()

  it('rise as the rate falls, and with the severity', () => {
    for (const name of names) {
      let last = { info: -1, warning: -1, critical: -1 }
      for (const rate of [0.5, 0.1, 0.05, 0.01, 0.001, 1e-6]) {
        const now = thresholdsFor(name, rate)
        expect(now.info).toBeLessThan(now.warning)
        expect(now.warning).toBeLessThan(now.critical)
        expect(now.critical).toBeGreaterThan(last.critical)
        last = now
      }
    }
  })

  it.each([0, -0.1, 0.51, Number.NaN, Number.POSITIVE_INFINITY])('refuse a rate of %s', (rate) => {
    expect(() => calibratedPreset({ falseAlarmRate: rate })).toThrow(/above 0 and at most 0\.5/)
  })

  it('step down only when the statistic has fallen well below', () => {
    expect(severityOf(5, THRESHOLDS, null)).toBe('critical')
    expect(severityOf(4.5, THRESHOLDS, 'critical')).toBe('critical')
    expect(severityOf(3.9, THRESHOLDS, 'critical')).toBe('warning')
    expect(severityOf(4.5, THRESHOLDS, 'warning')).toBe('warning')
    expect(severityOf(1.5, THRESHOLDS, 'info')).toBe('info')
    expect(severityOf(1.5, THRESHOLDS, null)).toBeNull()
  })
})

describe('presets', () => {
  it.each(PRESETS)('%s has detectors with names of their own, all declared kinds included', (preset) => {
    const detectors = calibratedPreset({ preset })
    expect(new Set(detectors.map(({ name }) => name)).size).toBe(detectors.length)
    for (const { kind, kinds } of detectors) if (kinds) expect(kinds).toContain(kind)
  })

  it('of ppo holds every statistic of the table, once', () => {
    const asked: string[] = []
    calibratedPreset({
      thresholds: (name) => {
        asked.push(name)
        return thresholdsFor(name, DEFAULT_FALSE_ALARM_RATE)
      },
    })
    expect(asked.sort()).toEqual([...calibratedStatistics()].sort())
  })

  it('shows every value of a statistic to whoever calibrates it', () => {
    const seen: number[] = []
    const detector = klExplosion({ ...NEVER, seen: (statistic) => seen.push(statistic) })
    watch(detector, run(1, 300, CASES['growth of KL']!.series, false))
    expect(seen.length).toBeGreaterThan(20)
  })
})

function calibratedStatistics(): readonly StatisticName[] {
  const names: StatisticName[] = []
  calibratedPreset({
    thresholds: (name) => {
      names.push(name)
      return NEVER
    },
  })
  return names
}

it('calls nobody for a KL that grows fast but is still small, and does once it matters', () => {
  const values = Array.from({ length: 600 }, (_, t) => ({
    'kl_ref/token':
      Math.exp(0.05 * Math.sin(7 * t)) * (t < 250 ? 0.002 * learning(t) : 0.002 * Math.exp((t - 250) / 50)),
  }))
  const evidence = watch(klExplosion(THRESHOLDS), values)
  const first = (severity: string) => evidence.findIndex((one) => one?.severity === severity)
  expect(first('warning')).toBeGreaterThan(250)
  expect(values[first('warning')]!['kl_ref/token']).toBeLessThan(0.03)
  expect(first('critical')).toBeGreaterThan(first('warning'))
  expect(evidence[first('critical')]!.observed).toBeGreaterThanOrEqual(0.05)
  expect(values[first('critical')]!['kl_ref/token']).toBeLessThan(0.1)
})
