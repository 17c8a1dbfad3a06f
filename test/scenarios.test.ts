import { beforeAll, describe, expect, it } from 'vitest'
import { loadPretrained } from '../src/demo/pretrain.ts'
import { pretrainedDir } from '../src/demo/run-demo.ts'
import { SCENARIO_DEFINITIONS, SCENARIOS, type Scenario } from '../src/demo/scenarios.ts'
import { learnFromRevisions, learnReward } from '../src/demo/stages.ts'
import { type StartingPoint, trainScenario } from '../src/demo/train-scenario.ts'
import type { MetricsStore } from '../src/metrics/store.ts'
import { TrainingMonitor } from '../src/monitor.ts'
import { SampleComparator } from '../src/quality/sample-comparator.ts'

/** As long as each signature takes; most need 24, reward hacking its time, and two are there at once. */
const ITERATIONS: Partial<Record<Scenario, number>> = {
  'reward-hacking': 70,
  'frozen-value-head': 12,
  'stale-logprobs': 12,
}
const BATCH_SIZE = 16

let start: StartingPoint
let healthy: MetricsStore

beforeAll(async () => {
  const { model, tokenizer } = await loadPretrained(pretrainedDir())
  const world = { tokenizer, seed: 1, progress: { start() {}, update() {}, done() {} }, signal: undefined }
  await learnFromRevisions(model, world)
  const { rewardModel } = await learnReward(model, world)
  start = { policy: model, rewardModel, tokenizer }
  healthy = await run('healthy')
})

async function run(scenario: Scenario): Promise<MetricsStore> {
  const monitor = new TrainingMonitor({ earlyStop: 'off', handleSignals: false })
  monitor.registerCallback(new SampleComparator({ sampleSize: 5 }))
  const iterations = ITERATIONS[scenario] ?? 24
  await monitor.run(() => trainScenario(start, { scenario, seed: 1, iterations, batchSize: BATCH_SIZE, monitor }))
  return monitor.getMetricsStore()
}

function values(store: MetricsStore, name: string): readonly number[] {
  const series = store.get(name)
  if (!series) throw new Error(`${name} was not logged`)
  return [...series.values()]
}

/** Mean of the last eight iterations. */
function end(store: MetricsStore, name: string): number {
  return values(store, name)
    .slice(-8)
    .reduce((sum, value) => sum + value / 8, 0)
}

/** What each scenario's log must show, against the healthy run from the same models with the same seed. */
const SIGNATURES: Readonly<Record<Scenario, (store: MetricsStore) => void>> = {
  healthy(store) {
    expect(end(store, 'reward/score')).toBeGreaterThan(values(store, 'reward/score')[0]!)
    expect(end(store, 'kl_ref/token')).toBeLessThan(0.2)
    expect(end(store, 'value/explained_variance')).toBeGreaterThan(0.4)
    expect(end(store, 'adv/reward_corr')).toBeGreaterThan(0.15)
    expect(Math.min(...values(store, 'value/head_update_norm'))).toBeGreaterThan(0)
    expect(Math.max(...values(store, 'ppo/approx_kl_first').map(Math.abs))).toBeLessThan(1e-6)
  },
  'reward-hacking'(store) {
    expect(end(store, 'reward/score')).toBeGreaterThan(end(healthy, 'reward/score'))
    expect(end(store, 'kl_ref/token')).toBeGreaterThan(3 * end(healthy, 'kl_ref/token'))
    expect(end(store, 'quality/ref_perplexity')).toBeGreaterThan(1.3 * end(healthy, 'quality/ref_perplexity'))
    const gold = values(store, 'gold/total')
    const means = gold.slice(4, -4).map((_, i) => gold.slice(i, i + 9).reduce((sum, value) => sum + value / 9, 0))
    expect(Math.max(...means)).toBeGreaterThan(end(store, 'gold/total') + 0.2)
  },
  'kl-explosion'(store) {
    expect(end(store, 'kl_ref/token')).toBeGreaterThan(3 * end(healthy, 'kl_ref/token'))
    expect(end(store, 'ppo/approx_kl')).toBeGreaterThan(10 * end(healthy, 'ppo/approx_kl'))
  },
  'value-failure'(store) {
    expect(values(store, 'value/head_update_norm').every((norm) => norm === 0)).toBe(true)
    expect(values(store, 'optim/value_lr').every((rate) => rate === 0)).toBe(true)
    expect(end(store, 'value/explained_variance')).toBeLessThan(end(healthy, 'value/explained_variance') - 0.2)
    expect(end(store, 'loss/value')).toBeGreaterThan(3 * end(healthy, 'loss/value'))
  },
  'frozen-value-head'(store) {
    expect(values(store, 'value/head_update_norm').every((norm) => norm === 0)).toBe(true)
    expect(Math.min(...values(store, 'optim/value_lr'))).toBeGreaterThan(0)
    expect(Math.max(...values(store, 'value/explained_variance').map(Math.abs))).toBeLessThan(0.05)
  },
  'entropy-collapse'(store) {
    expect(end(store, 'entropy/token')).toBeLessThan(0.6 * end(healthy, 'entropy/token'))
  },
  'length-explosion'(store) {
    expect(end(store, 'length/mean')).toBeGreaterThan(1.3 * end(healthy, 'length/mean'))
    expect(end(store, 'length/clip_ratio')).toBeGreaterThan(end(healthy, 'length/clip_ratio'))
  },
  'sign-flip'(store) {
    expect(Math.max(...values(store, 'adv/reward_corr'))).toBeLessThan(0)
    expect(end(store, 'reward/score')).toBeLessThan(values(store, 'reward/score')[0]! - 0.5)
  },
  'stale-logprobs'(store) {
    // The first iteration has no earlier weights to be stale.
    expect(Math.min(...values(store, 'ppo/approx_kl_first').slice(1))).toBeGreaterThan(1e-5)
    expect(
      values(store, 'ppo/ratio_first')
        .slice(1)
        .filter((ratio) => Math.abs(ratio - 1) > 1e-3).length,
    ).toBeGreaterThan(7)
  },
}

describe('every scenario shows its signature in the log', () => {
  it.each(SCENARIOS)('%s', async (scenario) => {
    SIGNATURES[scenario](scenario === 'healthy' ? healthy : await run(scenario))
  })

  it('changes one thing a scenario', () => {
    for (const scenario of SCENARIOS) {
      const { cause, freshValueHead, ...changes } = SCENARIO_DEFINITIONS[scenario]
      expect(cause.length).toBeGreaterThan(10)
      expect(Object.keys(changes)).toHaveLength(scenario === 'healthy' ? 0 : 1)
    }
  })
})
