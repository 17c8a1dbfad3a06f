import { describe, expect, it } from 'vitest'
import { testDetector } from '../../testing/test-detector.ts'
import type { Detector, Evidence } from '../detector.ts'
import { coherenceRule } from './coherence-loss.ts'
import { klThresholdRule } from './kl-explosion.ts'
import { rewardHackingRule } from './reward-hacking.ts'
import { valueMismatchRule } from './value-reward-mismatch.ts'

/** A repeatable stream of noise in [-0.5, 0.5). */
function noise(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 48271) % 2147483647
    return state / 2147483647 - 0.5
  }
}

function run(length: number, seed: number, values: (i: number, noise: () => number) => Record<string, number>) {
  const next = noise(seed)
  return Array.from({ length }, (_, i) => values(i, next))
}

const healthy = (length: number, seed: number) =>
  run(length, seed, (i, n) => ({
    'reward/score': 1 - Math.exp(-i / 20) + 0.3 * n(),
    'quality/ref_perplexity': 1.7 + 0.1 * n(),
    'kl_ref/token': 0.05 + 0.02 * n(),
    'value/explained_variance': 0.7 + 0.2 * n(),
  }))

function feed(
  detector: Detector,
  data: readonly Readonly<Record<string, number>>[],
  announcedAt = -1,
): (Evidence | undefined)[] {
  return data.map((values, i) =>
    detector.update({
      iteration: i,
      time: i,
      get: (name) => values[name],
      ...(i === announcedAt ? { announced: ['prompt-mix'] } : {}),
    }),
  )
}

const contracts = [
  {
    name: 'reward-hacking',
    create: () => rewardHackingRule({ rewardHackThreshold: 0.3, windowSize: 50 }),
    failing: run(120, 3, (i, n) => ({
      'reward/score': 0.02 * i + 0.3 * n(),
      'quality/ref_perplexity': 1.7 + 0.02 * Math.max(0, i - 30) + 0.1 * n(),
    })),
    healthy: healthy(120, 5),
  },
  {
    name: 'kl-explosion',
    create: () => klThresholdRule({ klThreshold: 0.1 }),
    failing: run(80, 3, (i, n) => ({ 'kl_ref/token': 0.002 * i + 0.01 * n() })),
    healthy: healthy(200, 7),
  },
  {
    name: 'coherence-loss',
    create: () => coherenceRule({ coherenceRatio: 2, baselineIterations: 10 }),
    failing: run(120, 3, (i, n) => ({
      'quality/ref_perplexity': 1.7 * Math.exp(0.03 * Math.max(0, i - 40)) + 0.1 * n(),
    })),
    healthy: healthy(200, 9),
  },
  {
    name: 'value-reward-mismatch',
    create: () => valueMismatchRule({ explainedVarianceFloor: 0, warmupIterations: 20, windowSize: 10 }),
    failing: run(60, 3, (_, n) => ({ 'value/explained_variance': -0.2 + 0.2 * n() })),
    healthy: healthy(200, 11),
  },
] as const

describe.each(contracts)('$name', ({ create, failing, healthy: quiet }) => {
  it.each(
    testDetector({ create: create as () => Detector, failing, healthy: quiet }).map(
      ({ name, run }) => [name, run] as const,
    ),
  )('%s', (_, check) => {
    expect(check).not.toThrow()
  })
})

describe('rewardHackingRule', () => {
  const rule = () => rewardHackingRule({ rewardHackThreshold: 0.3, windowSize: 50 })
  const at = (data: readonly Record<string, number>[]) =>
    feed(rule(), data).findIndex((evidence) => evidence !== undefined)

  it('needs the reward to rise and quality to fall, both', () => {
    const flat = run(150, 3, (i) => ({
      'reward/score': i % 2 ? 0.4 : -0.4,
      'quality/ref_perplexity': 1.7 + 0.05 * (i % 3),
    }))
    const up = flat.map((values, i) => ({ ...values, 'reward/score': values['reward/score']! + 0.03 * i }))
    const worse = flat.map((values, i) => ({
      ...values,
      'quality/ref_perplexity': values['quality/ref_perplexity']! + 0.01 * i,
    }))
    const both = up.map((values, i) => ({ ...values, 'quality/ref_perplexity': worse[i]!['quality/ref_perplexity']! }))
    expect([at(flat), at(up), at(worse)]).toEqual([-1, -1, -1])
    expect(at(both)).toBeGreaterThan(15)
    expect(at(both)).toBeLessThan(60)
  })

  it('sees the fall of a judge as it sees the rise of perplexity, and trusts the better signal', () => {
    const data = run(100, 3, (i, n) => ({
      'reward/score': 0.03 * i + 0.3 * n(),
      'quality/judge': 1 - 0.01 * i + 0.1 * n(),
      'quality/ref_perplexity': 1.7 + 0.1 * n(),
    }))
    const evidence = feed(rule(), data).find((entry) => entry !== undefined)!
    expect(evidence).toMatchObject({
      series: ['quality/judge', 'reward/score'],
      direction: 'down',
      severity: 'critical',
    })
    expect(evidence.observed).toBeLessThan(evidence.expected)
  })

  it('begins anew behind an announcement', () => {
    const data = contracts[0].failing
    const first = feed(rule(), data).findIndex((evidence) => evidence !== undefined)
    const announced = feed(rule(), data, first - 1).findIndex((evidence) => evidence !== undefined)
    expect(announced).toBeGreaterThan(first + 15)
  })
})

describe('klThresholdRule', () => {
  it('is critical above the threshold, not at it, and dates the onset back to the first excess', () => {
    const seen = feed(
      klThresholdRule({ klThreshold: 0.1 }),
      [0.1, 0.11, 0.12, 0.05, 0.2].map((kl) => ({ 'kl_ref/token': kl })),
    )
    expect(seen.map((evidence) => evidence?.onset.estimate)).toEqual([undefined, 1, 1, undefined, 4])
    expect(seen[1]).toMatchObject({ severity: 'critical', observed: 0.11, threshold: 0.1 })
  })
})

describe('coherenceRule', () => {
  it('warns at twice the perplexity of the start and is critical at four times', () => {
    const levels = [...Array(15).fill(2), ...Array(10).fill(4.2), ...Array(10).fill(8.4), ...Array(10).fill(2)]
    const severities = feed(
      coherenceRule({ coherenceRatio: 2, baselineIterations: 10 }),
      levels.map((value) => ({ 'quality/ref_perplexity': value })),
    ).map((e) => e?.severity)
    expect([...new Set(severities)]).toEqual([undefined, 'warning', 'critical'])
    expect(severities.at(-1)).toBeUndefined()
  })
})
