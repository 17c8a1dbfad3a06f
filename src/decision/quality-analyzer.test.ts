import { describe, expect, it, vi } from 'vitest'
import type { Detector, Evidence, Severity } from '../detectors/detector.ts'
import { TrainingMonitor } from '../monitor.ts'
import { theilSen, trendCanBe } from '../stats/theil-sen.ts'
import { manualClock } from '../time.ts'
import { QualityAnalyzer, type QualityAnalyzerOptions } from './quality-analyzer.ts'

// As they are, with their calls counted.
vi.mock('../stats/theil-sen.ts', async (original) => {
  const real = await original<typeof import('../stats/theil-sen.ts')>()
  return { theilSen: vi.fn(real.theilSen), trendCanBe: vi.fn(real.trendCanBe) }
})

/** A detector that says what its series says: 1 a warning, 2 critical, 3 breaks. */
function scripted(): Detector {
  return {
    name: 'scripted',
    kind: 'entropy-collapse',
    reads: [['x'], ['y', 'z']],
    update({ iteration, get }): Evidence | undefined {
      const value = get('x')
      if (value === 3) throw new Error('broken')
      const severity: Severity | undefined = value === 1 ? 'warning' : value === 2 ? 'critical' : undefined
      return (
        severity && {
          kind: 'entropy-collapse',
          severity,
          series: ['x'],
          observed: value!,
          expected: 0,
          statistic: value!,
          threshold: 1,
          onset: { estimate: iteration, interval: [iteration, iteration] },
        }
      )
    },
    snapshot: () => null,
    restore() {},
  }
}

function analyzed(options: Partial<QualityAnalyzerOptions> = {}) {
  const monitor = new TrainingMonitor({ handleSignals: false, onWarning: () => {}, clock: manualClock() })
  const analyzer = new QualityAnalyzer({ monitor, mode: 'threshold', ...options })
  monitor.registerCallback(analyzer)
  let now = 0
  const log = (...values: readonly Record<string, number>[]) => {
    for (const metrics of values) monitor.onEvent({ phase: 'iteration_end', iteration: now++, metrics })
  }
  return { monitor, analyzer, log }
}

const xs = (...values: number[]) => values.map((x) => ({ x }))

describe('alerts', () => {
  it('open once, escalate as an entry of their own, resolve after three quiet iterations, and open again', () => {
    const { analyzer, log } = analyzed({ detectors: [scripted()] })
    log(...xs(0, 1, 1, 0, 1, 2, 1, 0, 0))
    expect(analyzer.alertHistory.map(({ id, iteration, severity, state }) => [id, iteration, severity, state])).toEqual(
      [
        ['scripted-1', 1, 'warning', 'resolved'],
        ['scripted-2', 5, 'critical', 'open'],
      ],
    )
    log(...xs(0, 0, 1))
    expect(analyzer.alertHistory.map(({ id, state }) => [id, state])).toEqual([
      ['scripted-1', 'resolved'],
      ['scripted-2', 'resolved'],
      ['scripted-3', 'open'],
    ])
  })

  it('request the early stop when critical, with the newest checkpoint before the onset', () => {
    const { monitor, analyzer, log } = analyzed({ detectors: [scripted()] })
    log(...xs(0, 0, 0))
    for (const iteration of [0, 2, 3]) monitor.onEvent({ phase: 'checkpoint_saved', iteration })
    log(...xs(1))
    expect(monitor.shouldStopEarly().shouldStop).toBe(false)
    log(...xs(2))
    expect(monitor.getStop()).toMatchObject({ severity: 'critical', iteration: 4, rollbackTo: 3 })
    expect(monitor.getStop()!.reason).toBe(analyzer.alertHistory.at(-1)!.reason)
    expect(analyzer.alertHistory[0]).toMatchObject({ rollbackTo: 2 })
  })

  it('of a kind that is muted are kept and marked, and stop nothing', () => {
    const { monitor, analyzer, log } = analyzed({ detectors: [scripted()], mute: ['entropy-collapse'] })
    const recorded = vi.spyOn(monitor, 'recordAlert')
    log(...xs(0, 1, 2))
    const seen = [
      { id: 'scripted-1', severity: 'warning', muted: true, state: 'resolved' },
      { id: 'scripted-2', severity: 'critical', muted: true, state: 'open' },
    ]
    expect(analyzer.alertHistory).toMatchObject(seen)
    expect(analyzer.alertHistory).toBe(analyzer.alertHistory)
    expect(recorded.mock.calls.map(([alert]) => alert.muted)).toEqual([true, true])
    expect(monitor.shouldStopEarly().shouldStop).toBe(false)
    log({ x: 2, kl_div: 5 })
    expect(analyzer.alertHistory.at(-1)).not.toHaveProperty('muted')
    expect(monitor.getStop()).toMatchObject({ iteration: 3 })
    // What is muted is the watcher's own matter, and no part of the state.
    const heard = analyzed({ detectors: [scripted()] }).analyzer
    heard.restore(analyzer.snapshot())
    expect(heard.alertHistory.map(({ id, muted }) => [id, muted])).toEqual([
      ['scripted-1', undefined],
      ['scripted-2', undefined],
      ['kl-explosion-1', undefined],
    ])
    expect(() => analyzed({ mute: ['nonsense' as never] })).toThrow(/mute is "nonsense"; expected 'reward-hacking' or/)
  })

  it('advise with the run’s own hyper-parameters', () => {
    const { monitor, analyzer, log } = analyzed()
    monitor.onEvent({
      phase: 'training_start',
      iteration: 0,
      metadata: { config: { klCoefficient: 0.02, learningRate: 1e-4 } },
    })
    log({ kl_div: 5 })
    expect(analyzer.alertHistory[0]!.advice).toEqual([
      { do: 'roll-back', to: null },
      { do: 'raise-kl-coefficient', from: 0.02, to: 0.04 },
      { do: 'lower-learning-rate', from: 1e-4, to: 5e-5 },
    ])
  })
})

describe('a detector that breaks', () => {
  it('is left out from then on and does not take the others with it', () => {
    const { monitor, analyzer, log } = analyzed({ detectors: [scripted()] })
    log({ x: 3, kl_div: 0.01 }, { x: 3, kl_div: 0.01 }, { x: 2, kl_div: 0.5 })
    expect(analyzer.alertHistory.map(({ kind }) => kind)).toEqual(['kl-explosion'])
    expect(monitor.summary().callbackFailures).toMatchObject([{ callback: 'QualityAnalyzer', count: 1 }])
  })
})

describe('metadata that throws when it is read', () => {
  it('costs the answers of an alert, not the analyzer', () => {
    const { monitor, analyzer, log } = analyzed()
    const metadata = {
      get prompts(): never {
        throw new Error('gone')
      },
    }
    for (let i = 0; i < 30; i++) monitor.onEvent({ phase: 'response_generated', iteration: 0, metadata })
    log({ kl_div: 5 })
    expect(analyzer.alertHistory).toMatchObject([{ kind: 'kl-explosion', samples: [] }])
  })
})

describe('a long window', () => {
  it('costs no more than a short one: every trend is taken over at most 100 of its points', () => {
    const fitted = vi.mocked(theilSen)
    const asked = vi.mocked(trendCanBe)
    fitted.mockClear()
    asked.mockClear()
    const { monitor, analyzer, log } = analyzed({ windowSize: 2000 })
    const noise = (i: number) => ((i * 7919) % 101) / 101
    const iterations = 2500
    for (let i = 0; i < iterations; i++)
      log({ 'reward/score': noise(i), 'quality/ref_perplexity': 1.5 + i / 1000 + 0.01 * noise(i + 50), kl_div: 0.01 })
    log({ kl_div: 50 })
    // The time goes with the square of the points; how long that is on this machine is none of a test's business.
    const points = [...fitted.mock.calls.map(([x]) => x.length), ...asked.mock.calls.map(([, x]) => x.length)]
    expect(Math.max(...points)).toBe(100)
    expect(fitted.mock.calls.length).toBeGreaterThan(iterations / 2)
    expect(points.length).toBeLessThanOrEqual(4 * iterations)
    expect(monitor.summary().callbackFailures).toEqual([])
    expect(analyzer.alertHistory.at(-1)!.kind).toBe('kl-explosion')
  })
})

describe('coverage', () => {
  it('says what each detector needs and what has never been logged', () => {
    const { analyzer, log } = analyzed({ detectors: [scripted()] })
    const missing = () => Object.fromEntries(analyzer.coverage.map((entry) => [entry.detector, entry.missing]))
    expect(missing()).toMatchObject({ scripted: ['x', 'y | z'], 'kl-explosion': ['kl_ref/token'] })
    log({ kl_div: 0.01, z: 1 })
    expect(missing()).toMatchObject({ scripted: ['x'], 'kl-explosion': [] })
    expect(missing()['reward-hacking']).toHaveLength(2)
  })
})

describe('options', () => {
  it.each([
    [{ klThreshold: 0 }, /klThreshold is 0/],
    [{ rewardHackThreshold: Number.NaN }, /rewardHackThreshold is NaN/],
    [{ windowSize: 19 }, /windowSize is 19; expected an integer from 20/],
    [{ mode: 'magic' as never }, /mode is "magic"; expected 'threshold' or 'calibrated'/],
    [{ mode: 'threshold', falseAlarmRate: 0.01 }, /falseAlarmRate does nothing in mode 'threshold'/],
    [{ mode: 'threshold', preset: 'ppo' }, /preset does nothing in mode 'threshold'.*mode: 'calibrated'/],
    [{ mode: 'calibrated', rewardHackThreshold: 0.3 }, /rewardHackThreshold does nothing in mode 'calibrated'/],
    [{ mode: 'calibrated', windowSize: 50 }, /windowSize does nothing in mode 'calibrated'/],
    [{ mode: 'calibrated', preset: 'reinforce' as never }, /preset is "reinforce"; expected 'ppo' or 'grpo' or 'dpo'/],
    [
      { mode: 'calibrated', falseAlarmRate: 0 },
      /falseAlarmRate is 0; expected a share of runs above 0 and at most 0.5/,
    ],
    [{ mode: 'calibrated', falseAlarmRate: 0.51 }, /falseAlarmRate is 0.51/],
    [{ mode: 'calibrated', falseAlarmRate: Number.NaN }, /falseAlarmRate is NaN/],
    [{ mode: 'calibrated', klThreshold: -1 }, /klThreshold is -1/],
  ] as const)('%o is refused', (options, message) => {
    expect(() => analyzed(options)).toThrowError(
      expect.objectContaining({ code: 'bad-option', message: expect.stringMatching(message) }),
    )
  })
})

describe('mode calibrated', () => {
  const steady = (i: number, channel: number) => {
    let x = Math.imul(i + 1, 0x9e3779b1) ^ Math.imul(channel + 1, 0x85ebca6b)
    x = Math.imul(x ^ (x >>> 15), 0x2c1b3c6d)
    x = Math.imul(x ^ (x >>> 12), 0x297a2d39)
    return ((x ^ (x >>> 15)) >>> 0) / 2 ** 32 - 0.5
  }
  const iteration = (i: number, more: Record<string, number> = {}) => ({
    reward: 1 + 0.2 * steady(i, 1),
    kl_div: 0.05 + 0.01 * steady(i, 2),
    explained_variance: 0.6 + 0.1 * steady(i, 3),
    entropy: 2 + 0.1 * steady(i, 4),
    'quality/judge': 0.5 + 0.1 * steady(i, 5),
    ...more,
  })
  const iterations = (from: number, to: number, more: (i: number) => Record<string, number> = () => ({})) =>
    Array.from({ length: to - from }, (_, i) => iteration(from + i, more(from + i)))

  it('says what, since when, how sure, which answers and what to do', () => {
    const { monitor, analyzer, log } = analyzed({ mode: 'calibrated', falseAlarmRate: 0.02 })
    const answer = (at: number, response: string) =>
      monitor.onEvent({
        phase: 'reward_computed',
        iteration: at,
        metadata: { prompts: ['why ?'], responses: [response], rewards: [at] },
      })
    answer(0, 'because it rains')
    log(...iterations(0, 100))
    monitor.onEvent({ phase: 'checkpoint_saved', iteration: 60 })
    answer(100, 'so so so so')
    log(...iterations(100, 200, (i) => ({ 'quality/judge': 0.5 - (i - 100) / 40, 'kl_ref/coef': 0.03 })))
    const alert = analyzer.alertHistory.findLast(({ severity }) => severity === 'critical')!
    expect(alert).toMatchObject({
      kind: 'reward-hacking',
      detector: 'answer-quality',
      basis: 'calibrated',
      falseAlarmRate: 0.02,
      rollbackTo: 60,
      samples: [{ prompt: 'why ?', original: 'because it rains', updated: 'so so so so', rewards: [0, 100] }],
      advice: [
        { do: 'roll-back', to: 60 },
        { do: 'raise-kl-coefficient', from: 0.03, to: 0.06 },
        { do: 'read-samples' },
        { do: 'check-reward-model' },
      ],
    })
    expect(alert.reason).toMatch(
      /^Reward hacking: quality\/judge fell from .* to .* while reward\/score did not fall \(.* standard errors .*threshold/,
    )
    expect(Math.abs(alert.onset.estimate - 100)).toBeLessThan(30)
    expect(monitor.getStop()).toMatchObject({ rollbackTo: 60 })
  })

  it('takes klThreshold for a budget on top, which three iterations in a row must break', () => {
    const { analyzer, log } = analyzed({ mode: 'calibrated', klThreshold: 0.5 })
    log(...iterations(0, 5, (i) => (i === 2 ? { kl_div: 9 } : {})))
    expect(analyzer.alertHistory).toEqual([])
    log(...iterations(5, 9, () => ({ kl_div: 0.6 })))
    expect(analyzer.alertHistory).toMatchObject([
      {
        id: 'kl-budget-1',
        kind: 'kl-explosion',
        severity: 'critical',
        iteration: 7,
        basis: 'rule',
        falseAlarmRate: null,
      },
    ])
    expect(analyzer.alertHistory[0]!.reason).toBe(
      'KL divergence too high: kl_ref/token is 0.6, above its budget of 0.5 (3 iterations in a row)',
    )
    expect(analyzer.thresholds).toEqual({ falseAlarmRate: 0.01, kl: 0.5 })
  })

  it('chooses the preset from what the run logs, and keeps detectors of your own', () => {
    const own = { ...scripted(), name: 'truncation' }
    const { analyzer, log } = analyzed({ mode: 'calibrated', detectors: [own] })
    const names = () => analyzer.coverage.map(({ detector }) => detector)
    expect([analyzer.preset, names().filter((name) => name === 'truncation').length]).toEqual(['ppo', 2])
    log({ 'loss/total': 1 })
    expect([analyzer.preset, names().filter((name) => name === 'truncation').length]).toEqual(['sft', 1])
    log({ 'reward/frac_zero_std': 0 })
    expect([analyzer.preset, names().includes('value-reward-mismatch')]).toEqual(['grpo', false])
    log({ 'value/mean': 0, x: 1 })
    expect(analyzer.preset).toBe('ppo')
    expect(analyzer.alertHistory).toMatchObject([{ id: 'truncation-1', basis: 'threshold' }])
  })

  it('does not judge what the trainer’s table says is something else', () => {
    const monitor = new TrainingMonitor({ handleSignals: false, trainer: 'trl-ppo' })
    const analyzer = new QualityAnalyzer({ monitor, mode: 'calibrated' })
    monitor.registerCallback(analyzer)
    for (let i = 0; i < 20; i++)
      monitor.onEvent({
        phase: 'iteration_end',
        iteration: i,
        // A ratio that takes padding in, an entropy that falls with the length, a k1 that may be negative.
        metrics: { 'val/ratio': -5, 'objective/entropy': -1, 'objective/kl': -1, 'policy/approxkl_avg': -0.5 },
      })
    // The k2 of the update cannot be negative, biased or not.
    expect(analyzer.alertHistory.map(({ detector }) => detector)).toEqual(['impossible-kl'])
    const entropy = analyzer.coverage.find(({ detector }) => detector === 'entropy-collapse')!
    expect(entropy.missing).toEqual(['entropy/token | entropy/seq_surprisal'])
    expect(entropy.unfit).toMatchObject([{ series: 'entropy/seq_surprisal', why: expect.stringMatching(/padded/) }])
  })
})
