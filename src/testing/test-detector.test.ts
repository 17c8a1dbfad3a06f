import { describe, expect, it } from 'vitest'
import { calibratedPreset } from '../detectors/calibrated/preset.ts'
import type { Detector, Evidence, Json } from '../detectors/detector.ts'
import { impossibleKl } from '../detectors/impossible-kl.ts'
import { klBudget } from '../detectors/kl-budget.ts'
import { type DetectorContract, type RunValues, testDetector } from './test-detector.ts'

function noise(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 48271) % 2147483647
    return state / 2147483647 - 0.5
  }
}

function run(length: number, seed: number, values: (i: number, n: () => number) => Record<string, number>): RunValues {
  const next = noise(seed)
  return Array.from({ length }, (_, i) => values(i, next))
}

const HEALTHY = run(120, 3, (_, n) => ({ 'length/mean': 40 + 10 * n() }))
const FAILING = run(120, 5, (i, n) => ({ 'length/mean': 40 + 10 * n() + (i > 60 ? 200 : 0) }))

/** Alarms above three times the mean of the first ten lengths; `how` breaks it. */
function sound(how: Partial<Detector> = {}): Detector {
  let state: { sum: number; count: number; since: number } = { sum: 0, count: 0, since: -1 }
  return {
    name: 'too-long',
    kind: 'length-explosion',
    reads: [['length/mean']],
    update({ iteration, get }): Evidence | undefined {
      const length = get('length/mean')
      if (length === undefined || !Number.isFinite(length)) return undefined
      if (state.count < 10) {
        state = { ...state, sum: state.sum + length, count: state.count + 1 }
        return undefined
      }
      const expected = state.sum / state.count
      if (!(length > 3 * expected)) return undefined
      if (state.since < 0) state = { ...state, since: iteration }
      const onset = { estimate: state.since, interval: [state.since, state.since] as const }
      const numbers = { observed: length, expected, statistic: length / expected, threshold: 3 }
      return { kind: 'length-explosion', severity: 'critical', series: ['length/mean'], ...numbers, onset }
    },
    snapshot: () => state,
    restore(saved) {
      state = saved as typeof state
    },
    ...how,
  }
}

/** The same with another `update`, which may ask the sound one. */
function wrong(update: (sound: Detector, ...args: Parameters<Detector['update']>) => Evidence | undefined): Detector {
  const inner = sound()
  return { ...inner, update: (observation) => update(inner, observation) }
}

function failures(contract: Partial<DetectorContract>): string[] {
  const checks = testDetector({ create: sound, failing: FAILING, healthy: HEALTHY, ...contract })
  return checks.flatMap(({ name, run: attempt }) => {
    try {
      attempt()
      return []
    } catch {
      return [name]
    }
  })
}

const EVIDENCE: Evidence = {
  kind: 'length-explosion',
  severity: 'critical',
  series: ['length/mean'],
  observed: 1,
  expected: 1,
  statistic: 1,
  threshold: 1,
  onset: { estimate: 0, interval: [0, 0] },
}

describe('the contract of detectors', () => {
  it('is kept by a sound one', () => {
    expect(failures({ equivariant: { scale: ['length/mean'] }, falseAlarmRate: 0.01 })).toEqual([])
  })

  /** For each check a detector that breaks it. */
  const mutable: { values: number[] } = { values: [] }
  const broken: readonly (readonly [RegExp, Partial<DetectorContract>])[] = [
    [/declares/, { create: () => sound({ name: 'Too Long' }) }],
    [/declares/, { create: () => sound({ kinds: ['stall'] }) }],
    [/sees its failure/, { create: () => wrong(() => undefined) }],
    [/sees its failure/, { create: () => wrong((s, o) => s.update(o) && { ...EVIDENCE, kind: 'stall' }) }],
    [
      /sees its failure/,
      { create: () => wrong((s, o) => s.update(o) && { ...EVIDENCE, onset: { estimate: 500, interval: [0, 500] } }) },
    ],
    [/silent on the healthy run$/, { create: () => wrong((_, o) => (o.iteration > 100 ? EVIDENCE : undefined)) }],
    [/silent on constants/, { create: () => repeats(4) }],
    [
      /silent where nothing/,
      { create: () => wrong((s, o) => (o.get('length/mean') === undefined ? EVIDENCE : s.update(o))) },
    ],
    [/values missing|value missing/, { create: () => wrong((s, o) => (o.iteration > 1000 ? EVIDENCE : s.update(o))) }],
    [/repeated steps/, { create: () => repeats(2) }],
    [
      /survives NaN/,
      {
        create: () =>
          wrong((s, o) => (Number.isNaN(o.get('length/mean')) ? { ...EVIDENCE, observed: Number.NaN } : s.update(o))),
      },
    ],
    [
      /same twice/,
      { create: () => wrong((s, o) => s.update(o) && { ...EVIDENCE, statistic: mutable.values.push(0) }) },
    ],
    [/snapshot and restore/, { create: () => sound({ restore() {} }) }],
    [/resumed at any point/, { create: () => wrong((s, o) => (o.announced ? EVIDENCE : s.update(o))) }],
    [/JSON/, { create: () => sound({ snapshot: () => ({ at: Number.NaN }) }) }],
    [/later iterations do not change/, { create: leaking }],
    [/does not grow/, { create: growing }],
    [
      /unit of/,
      {
        create: () => wrong((s, o) => s.update(o) && ((o.get('length/mean') ?? 0) > 100 ? EVIDENCE : undefined)),
        equivariant: { scale: ['length/mean'] },
      },
    ],
    [/zero of/, { equivariant: { shift: ['length/mean'] } }],
    [
      /shuffled/,
      {
        create: () => wrong((_, o) => ((o.get('length/mean') ?? 99) < 38 && o.iteration === 3 ? EVIDENCE : undefined)),
        falseAlarmRate: 0.01,
      },
    ],
  ]

  it.each(broken)('finds what breaks %s', (name, contract) => {
    expect(failures(contract)).toContainEqual(expect.stringMatching(name))
  })

  it('has a broken detector for every check but that of versions, which no detector decides', () => {
    const names = testDetector({
      create: sound,
      failing: FAILING,
      healthy: HEALTHY,
      equivariant: { scale: ['x'], shift: ['x'] },
      falseAlarmRate: 0.1,
    }).map((check) => check.name)
    const untested = names.filter((name) => !broken.some(([pattern]) => pattern.test(name)))
    expect(untested).toEqual(['refuses a snapshot of another version or detector'])
  })
})

/** Alarms where a value comes `times` times running. */
function repeats(times: number): Detector {
  let last = Number.NaN
  let count = 0
  return wrong((s, o) => {
    const value = o.get('length/mean')
    if (value === undefined) return undefined
    count = value === last ? count + 1 : 1
    last = value
    return count >= times ? EVIDENCE : s.update(o)
  })
}

function leaking(): Detector {
  const values: number[] = []
  const inner = sound()
  return {
    ...inner,
    update(observation) {
      values.push(observation.iteration)
      if (values.length > 100) values.shift()
      return inner.update(observation)
    },
    snapshot: () => values,
  }
}

function growing(): Detector {
  let values: readonly number[] = []
  const inner = sound()
  return {
    ...inner,
    update(observation) {
      values = [...values, observation.iteration]
      return inner.update(observation)
    },
    snapshot: () => ({ values, inner: inner.snapshot() }),
    restore(saved) {
      const state = saved as { readonly values: readonly number[]; readonly inner: Json }
      values = state.values
      inner.restore(state.inner)
    },
  }
}

const KL = (kl: (i: number) => number, seed: number) =>
  run(60, seed, (i, n) => ({ 'kl_ref/token': kl(i) + 0.01 * n() }))

describe.each([
  ['kl-budget', { create: () => klBudget(0.3), failing: KL((i) => 0.01 * i, 3), healthy: KL(() => 0.1, 5) }],
  ['impossible-kl', { create: impossibleKl, failing: KL((i) => (i < 30 ? 0.1 : -0.1), 3), healthy: KL(() => 0.1, 5) }],
] satisfies [string, DetectorContract][])('%s', (_, contract) => {
  it.each(testDetector(contract).map((check) => [check.name, check] as const))('%s', (_name, check) => check.run())
})

describe('the calibrated preset', () => {
  it('has detectors of distinct names that give JSON and take it back', () => {
    const detectors = calibratedPreset()
    expect(new Set(detectors.map(({ name }) => name)).size).toBe(detectors.length)
    const fresh = calibratedPreset()
    for (const [i, detector] of detectors.entries()) {
      const saved = JSON.stringify(detector.snapshot())
      fresh[i]!.restore(JSON.parse(saved))
      expect(JSON.stringify(fresh[i]!.snapshot()), detector.name).toBe(saved)
    }
  })
})
