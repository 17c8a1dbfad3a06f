import { describe, expect, it } from 'vitest'
import { TrainingMonitor } from '../monitor.ts'
import { VerbosityLevel } from '../verbosity.ts'
import { PPO_HISTORY_LIMIT, PPOMetricsTracker } from './ppo-metrics-tracker.ts'

function tracked(verbosity: VerbosityLevel = VerbosityLevel.VERBOSE) {
  const monitor = new TrainingMonitor({ handleSignals: false })
  const tracker = new PPOMetricsTracker({ verbosity })
  monitor.registerCallback(tracker)
  const iterate = (iteration: number, metrics: Record<string, number>) => {
    monitor.onEvent({ phase: 'iteration_start', iteration })
    monitor.onEvent({ phase: 'policy_update', iteration, metrics })
    monitor.onEvent({ phase: 'iteration_end', iteration })
  }
  return { tracker, iterate }
}

describe('PPOMetricsTracker', () => {
  it('records nothing in SIMPLE, as in the plan', () => {
    const { tracker, iterate } = tracked(VerbosityLevel.SIMPLE)
    iterate(0, { policy_loss: 1 })
    expect(tracker.ppoHistory).toEqual([])
    expect(tracker.getPPOSummary()).toMatchObject({
      iterations: 0,
      avgClipFraction: null,
      policyImprovement: null,
      valueAccuracy: null,
    })
  })

  it('records an iteration from all its phases, under the plan’s names or the canonical ones', () => {
    const { tracker, iterate } = tracked()
    iterate(0, {
      policy_loss: -0.1,
      'loss/policy_unclipped': -0.2,
      clip_fraction: 0.3,
      gradient_norm: 2,
      'adv/q10': -1,
      learning_rate: 1e-4,
    })
    expect(tracker.ppoHistory).toEqual([
      {
        iteration: 0,
        policyLoss: -0.1,
        policyLossUnclipped: -0.2,
        clipFraction: 0.3,
        gradientNorm: 2,
        advantageQ10: -1,
        learningRate: 1e-4,
      },
    ])
  })

  it('sums up by its formulas', () => {
    const { tracker, iterate } = tracked()
    for (let i = 0; i < 20; i++) {
      iterate(i, {
        'reward/score': i,
        'value/explained_variance': i / 20,
        'ppo/clip_fraction': i % 2,
        'loss/policy': -0.5,
        'loss/policy_unclipped': -0.75,
        'loss/value': 20 - i,
        'ppo/ratio_first': i === 7 ? 1.25 : 1,
        'grad/norm': i === 3 ? 50 : 1,
        'optim/lr': 1 / (i + 1),
        'entropy/token': i === 19 ? Number.NaN : 2,
      })
    }
    expect(tracker.getPPOSummary()).toEqual({
      iterations: 20,
      avgClipFraction: 0.5,
      policyImprovement: 18,
      valueAccuracy: 0.925,
      avgSurrogateGain: 0.5,
      avgClippingCost: 0.25,
      valueLossRatio: 1.5 / 19.5,
      avgApproxKlNats: null,
      maxApproxKlNats: null,
      maxFirstRatioError: 0.25,
      avgGradientNorm: 69 / 20,
      maxGradientNorm: 50,
      finalEntropyNats: 2,
      finalLearningRate: 1 / 20,
    })
  })

  it('keeps the newest attempt of a resumed run, and a bounded history', () => {
    const { tracker, iterate } = tracked()
    for (const i of [0, 1, 2, 1, 2]) iterate(i, { policy_loss: i })
    expect(tracker.ppoHistory.map(({ iteration }) => iteration)).toEqual([0, 1, 2])
    for (let i = 3; i < PPO_HISTORY_LIMIT + 50; i++) iterate(i, { policy_loss: i })
    expect(tracker.ppoHistory).toHaveLength(PPO_HISTORY_LIMIT)
    expect(tracker.ppoHistory[0]!.iteration).toBe(50)
  })
})
