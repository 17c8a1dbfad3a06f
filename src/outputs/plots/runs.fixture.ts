/** Small deterministic runs for the tests of the figures, with the shapes that real ones have. */
import type { Alert } from '../../detectors/detector.ts'
import { MetricsStore } from '../../metrics/store.ts'
import type { PlotMarks } from './plot-marks.ts'

/** Mulberry32: the same numbers for the same seed on every machine. */
export function seededNoise(seed: number): () => number {
  let state = seed >>> 0
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
  // The sum of four uniforms is bell-shaped enough, and exact on every platform.
  return () => (uniform() + uniform() + uniform() + uniform() - 2) * 1.7
}

/** One iteration of everything that is drawn; `hack` from 0 (healthy) to 1. */
export function addIteration(store: MetricsStore, i: number, noise: () => number, hack = 0): void {
  const learned = 1 - 1 / (1 + i / 18)
  store.add('reward', 0.35 + 0.85 * learned + 0.06 * noise(), i)
  store.add('kl_div', 0.005 + 0.09 * learned + 0.012 * noise() + 1.3 * hack, i)
  store.add('policy_loss', -0.02 - 0.015 * learned + 0.008 * noise(), i)
  store.add('value_loss', 0.09 + 0.5 / (1 + i / 8) + 0.03 * Math.abs(noise()) + 0.4 * hack, i)
  store.add('loss', 0.04 + 0.25 / (1 + i / 8) + 0.02 * noise() + 0.2 * hack, i)
  store.add('clip_fraction', Math.max(0, 0.08 + 0.03 * noise() + 0.12 * hack), i)
  store.add('approx_kl', Math.max(0, 0.006 + 0.003 * noise() + 0.02 * hack), i)
  store.add('entropy', 0.5 - 0.12 * learned + 0.02 * noise() + 0.35 * hack, i)
  store.add('adv/mean', 0.02 * noise(), i)
  store.add('adv/q10', -1.2 + 0.12 * noise() - hack, i)
  store.add('adv/q90', 1.25 + 0.12 * noise() + hack, i)
  store.add('value/explained_variance', Math.min(0.97, 0.45 + 0.3 * learned + 0.08 * noise() - 0.5 * hack), i)
  if (i % 10 === 0) {
    store.add('quality/ref_perplexity', 1.7 + 0.08 * noise() + 7 * hack, i)
    store.add('quality/repetition', Math.max(0, 0.04 + 0.01 * noise() + 0.1 * hack), i)
    store.add('quality/distinct_2', 0.7 - 0.1 * learned + 0.02 * noise() - 0.15 * hack, i)
    store.add('quality/similarity', 1 - 0.55 * learned + 0.02 * noise() - 0.2 * hack, i)
  }
}

/** A run that learns; with `hackFrom` its policy finds the reward model's blind spots from there on. */
export function exampleStore(iterations: number, hackFrom = Number.POSITIVE_INFINITY, seed = 7): MetricsStore {
  const store = new MetricsStore()
  const noise = seededNoise(seed)
  for (let i = 0; i < iterations; i++) addIteration(store, i, noise, Math.min(1, Math.max(0, (i - hackFrom) / 40) ** 2))
  return store
}

export const EXAMPLE_THRESHOLD = { name: 'kl_ref/token', value: 0.3, label: 'threshold 0.3' }

/** What the analyzer and the monitor would say of a hacked run of 80 iterations. */
export const EXAMPLE_MARKS: PlotMarks = {
  alerts: [
    {
      iteration: 58,
      severity: 'warning',
      kind: 'reward-hacking',
      reason: 'Reward hacking: reward/score goes up while quality/ref_perplexity rose from 1.7 to 2.2',
    },
    {
      iteration: 64,
      severity: 'warning',
      kind: 'kl-explosion',
      reason: 'KL divergence too high: kl_ref/token is 0.31, above the threshold of 0.3',
    },
    {
      iteration: 70,
      severity: 'warning',
      kind: 'coherence-loss',
      reason: 'The answers lose coherence: quality/ref_perplexity is 4.1',
    },
    {
      iteration: 74,
      severity: 'critical',
      kind: 'kl-explosion',
      reason: 'KL divergence too high: kl_ref/token is 0.62, twice the threshold of 0.3',
    },
  ],
  stop: { iteration: 74, reason: 'KL divergence too high: kl_ref/token is 0.62, twice the threshold of 0.3' },
  checkpoints: [0, 20, 40, 60],
  thresholds: [EXAMPLE_THRESHOLD],
  rollbackTo: 40,
}

/** An alert with everything but its iteration, kind and severity made up. */
export function exampleAlert(iteration: number, severity: Alert['severity'] = 'warning'): Alert {
  return {
    id: `kl-explosion-${iteration}`,
    detector: 'kl-explosion',
    kind: 'kl-explosion',
    severity,
    iteration,
    series: ['kl_ref/token'],
    observed: 0.4,
    expected: 0.3,
    statistic: 0.4,
    threshold: 0.3,
    onset: { estimate: iteration, interval: [iteration, iteration] },
    reason: 'KL divergence too high: kl_ref/token is 0.4, above the threshold of 0.3',
    rollbackTo: null,
    advice: [],
    basis: 'threshold',
    falseAlarmRate: null,
    samples: [],
    ...{ state: 'open', replaces: null },
  }
}
