import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { QualityAnalyzer, type QualityAnalyzerOptions } from '../src/decision/quality-analyzer.ts'
import { replayRun } from '../src/log/replay-run.ts'
import { TrainingMonitor } from '../src/monitor.ts'
import { SampleComparator } from '../src/quality/sample-comparator.ts'
import { manualClock } from '../src/time.ts'

const dir = mkdtempSync(join(tmpdir(), 'telltale-replay-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

type Options = Omit<QualityAnalyzerOptions, 'monitor'>

const MODES: readonly Options[] = [
  { mode: 'threshold', klThreshold: 0.3 },
  { mode: 'calibrated', klThreshold: 0.3 },
]

/** Noise that is the same in every run. */
function noise(i: number, channel: number): number {
  let x = Math.imul(i + 1, 0x9e3779b1) ^ Math.imul(channel + 1, 0x85ebca6b)
  x = Math.imul(x ^ (x >>> 15), 0x2c1b3c6d)
  x = Math.imul(x ^ (x >>> 12), 0x297a2d39)
  return ((x ^ (x >>> 15)) >>> 0) / 2 ** 32 - 0.5
}

function watched(options: Options, outputDir: string) {
  // The clock stands still, so that no callback is over its budget because the machine is busy.
  const clock = manualClock({ unixSeconds: 1_700_000_000 })
  const monitor = new TrainingMonitor({ outputDir, runId: 'run', handleSignals: false, onWarning: () => {}, clock })
  monitor.registerCallback(new SampleComparator({ comparisonFrequency: 20 }))
  const analyzer = new QualityAnalyzer({ monitor, ...options })
  monitor.registerCallback(analyzer)
  return { monitor, analyzer }
}

const WORDS = ['tree', 'water', 'bread', 'stone', 'light', 'river', 'night', 'paper', 'wind', 'road']

/** One iteration of a run that goes wrong in several ways; `bad` is how wrong. */
function iterate(monitor: TrainingMonitor, iteration: number, bad: number): void {
  const n = (channel: number) => noise(iteration, channel)
  const prompts = ['a', 'b', 'c', 'd'].map((prompt) => `${prompt}${iteration % 3}`)
  const responses = prompts.map((_, p) =>
    Array.from({ length: 12 }, (_, w) => (bad > 0.5 && w > 2 ? 'so' : WORDS[(w * 3 + p + iteration) % 10])).join(' '),
  )
  monitor.onEvent({ phase: 'response_generated', iteration, metadata: { prompts, responses } })
  const rewards = Float32Array.from(prompts, (_, p) => 1 + n(p))
  monitor.onEvent({ phase: 'reward_computed', iteration, metadata: { prompts, responses, rewards } })
  monitor.onEvent({
    phase: 'iteration_end',
    iteration,
    metrics: {
      reward: 1 + 0.2 * n(10) + bad,
      kl_div: 0.05 + 0.01 * n(11) + 0.3 * bad,
      ...(iteration % 7 === 3 ? {} : { entropy: 2 + 0.1 * n(12) - 1.5 * bad }),
      explained_variance: iteration % 11 === 5 ? Number.NaN : 0.6 + 0.1 * n(13) - bad,
      gradient_norm: 1 + 0.2 * n(14),
      loss: 0.1 + 0.1 * n(15),
      learning_rate: iteration < 90 ? 1e-5 : 1e-6,
      'quality/judge': 0.5 + 0.1 * n(16) - bad,
    },
  })
}

/** A run with checkpoints, an announcement, a learning-rate drop, a gap, repeated steps and a step back. */
function eventful(monitor: TrainingMonitor, each: () => void): void {
  const step = (iteration: number, bad = 0) => {
    iterate(monitor, iteration, bad)
    if (iteration % 20 === 0) monitor.onEvent({ phase: 'checkpoint_saved', iteration })
    each()
  }
  monitor.onEvent({ phase: 'training_start', iteration: 0, metadata: { config: { klCoefficient: 0.05 } } })
  for (let i = 0; i < 60; i++) step(i)
  monitor.announce('prompt-mix')
  for (let i = 60; i < 130; i++) if (i % 17 !== 0) step(i)
  step(129)
  step(128)
  for (let i = 130; i < 170; i++) step(i, (i - 130) / 40)
  // The trainer goes back to a checkpoint.
  monitor.onEvent({ phase: 'iteration_start', iteration: 140 })
  for (let i = 140; i < 240; i++) step(i)
  for (let i = 240; i < 300; i++) step(i, (i - 240) / 30)
}

describe.each(MODES)('an analyzer in %o', (options) => {
  it('comes to the same in a replay as live, bit for bit', async () => {
    const outputDir = join(dir, `live-${options.mode}`)
    const { monitor, analyzer } = watched(options, outputDir)
    eventful(monitor, () => {})
    await monitor.close()
    expect(analyzer.alertHistory.length).toBeGreaterThan(2)
    expect(analyzer.alertHistory.some(({ samples }) => samples.length > 0)).toBe(true)
    let replayed: QualityAnalyzer | null = null
    const replay = await replayRun(outputDir, (again) => {
      replayed = new QualityAnalyzer({ monitor: again, ...options })
      again.registerCallback(replayed)
    })
    expect(replay.report).toMatchObject({ damagedCount: 0, missing: 0, repeated: 0 })
    expect(JSON.stringify(replayed!.snapshot())).toBe(JSON.stringify(analyzer.snapshot()))
    expect(replayed!.alertHistory).toEqual(analyzer.alertHistory)
    expect(replay.monitor.getStop()).toEqual(monitor.getStop())
  })

  it('comes to the same where metadata holds what a log can only have as something else', async () => {
    const outputDir = join(dir, `odd-${options.mode}`)
    const { monitor, analyzer } = watched(options, outputDir)
    for (let iteration = 0; iteration < 60; iteration++) {
      const answers = ['one two three', null, 7, `\ud83d so ${iteration}`]
      const metadata = { prompts: ['a', 'b', 'c', null], responses: answers, rewards: [1, null, Number.NaN, -0] }
      monitor.onEvent({ phase: 'response_generated', iteration, metadata })
      monitor.onEvent({ phase: 'policy_update', iteration, metadata: { clip_fraction: iteration === 9 ? NaN : 0.1 } })
      const metrics = { kl_div: iteration < 40 ? 0.01 : 2, reward: noise(iteration, 1) }
      monitor.onEvent({ phase: 'iteration_end', iteration, metrics })
    }
    await monitor.close()
    expect(analyzer.alertHistory.length).toBeGreaterThan(0)
    let replayed: QualityAnalyzer | null = null
    const replay = await replayRun(outputDir, (again) => {
      replayed = new QualityAnalyzer({ monitor: again, ...options })
      again.registerCallback(replayed)
    })
    expect(JSON.stringify(replayed!.snapshot())).toBe(JSON.stringify(analyzer.snapshot()))
    const clipped = (of: TrainingMonitor) => [...of.getMetricsStore().get('clip_fraction')!.values()]
    expect(clipped(replay.monitor)).toEqual(clipped(monitor))
  })

  it('goes on exactly from a snapshot taken anywhere', () => {
    const monitor = new TrainingMonitor({ handleSignals: false, onWarning: () => {}, clock: manualClock() })
    monitor.registerCallback(new SampleComparator({ comparisonFrequency: 20 }))
    const whole = new QualityAnalyzer({ monitor, ...options })
    monitor.registerCallback(whole)
    // This one is thrown away every few iterations, and made anew from its JSON.
    let part = new QualityAnalyzer({ monitor, ...options })
    monitor.registerCallback({ onEvent: (event, context) => part.onEvent(event, context) })
    let steps = 0
    eventful(monitor, () => {
      if (++steps % 7 !== 0) return
      const saved = JSON.stringify(part.snapshot())
      part = new QualityAnalyzer({ monitor, ...options })
      part.restore(JSON.parse(saved))
      expect(JSON.stringify(part.snapshot())).toBe(saved)
    })
    expect(whole.alertHistory.length).toBeGreaterThan(2)
    expect(part.alertHistory).toEqual(whole.alertHistory)
  })

  it('goes on from a snapshot in a second process as a replay of both does', async () => {
    const outputDir = join(dir, `restart-${options.mode}`)
    const first = watched(options, outputDir)
    for (let i = 0; i < 80; i++) iterate(first.monitor, i, i < 50 ? 0 : (i - 50) / 30)
    const saved = JSON.stringify(first.analyzer.snapshot())
    expect(first.analyzer.alertHistory.length).toBeGreaterThan(0)
    await first.monitor.close()
    const second = watched(options, outputDir)
    second.analyzer.restore(JSON.parse(saved))
    for (let i = 70; i < 200; i++) iterate(second.monitor, i, i < 150 ? 0 : (i - 150) / 30)
    await second.monitor.close()
    let replayed: QualityAnalyzer | null = null
    await replayRun(outputDir, (again) => {
      replayed = new QualityAnalyzer({ monitor: again, ...options })
      again.registerCallback(replayed)
    })
    expect(second.analyzer.alertHistory.length).toBeGreaterThan(first.analyzer.alertHistory.length)
    expect(replayed!.alertHistory).toEqual(second.analyzer.alertHistory)
  })
})

describe('a snapshot', () => {
  const make = (options: Options) =>
    new QualityAnalyzer({ monitor: new TrainingMonitor({ handleSignals: false }), ...options })
  const saved = JSON.parse(JSON.stringify(make({ mode: 'calibrated' }).snapshot()))

  it.each([
    ['another version', { ...saved, version: 2 }, /has version 2; this Telltale reads version 1. Replay/],
    ['nothing', null, /has version undefined/],
    ['another mode', make({ mode: 'threshold' }).snapshot(), /other options/],
    ['another rate', make({ mode: 'calibrated', falseAlarmRate: 0.1 }).snapshot(), /other options.*0\.1.*0\.01/],
    ['other detectors', { ...saved, detectors: saved.detectors.slice(1) }, /detectors; expected/],
    [
      'a detector of another version',
      { ...saved, detectors: saved.detectors.map((state: object) => ({ ...state, version: 7 })) },
      /detector answer-quality, version 1, was expected; version 7/,
    ],
    ['a torn state', { ...saved, ladder: undefined }, /damaged .*Replay/],
    ['answers that are none', { ...saved, answers: { followed: 5, compared: null } }, /damaged/],
    ['detectors that are no list', { ...saved, detectors: { length: saved.detectors.length } }, /something else came/],
  ])('of %s is refused', (_, snapshot, message) => {
    expect(() => make({ mode: 'calibrated' }).restore(snapshot as never)).toThrowError(
      expect.objectContaining({ code: 'bad-format', message: expect.stringMatching(message) }),
    )
  })
})

describe('what is known to change', () => {
  const seen = (log: (monitor: TrainingMonitor, i: number) => void) => {
    const monitor = new TrainingMonitor({ handleSignals: false })
    const announced: [number, readonly string[]][] = []
    const spy = {
      name: 'spy',
      kind: 'stall',
      reads: [['x']],
      update: (o: { iteration: number; announced?: readonly string[] }) =>
        void (o.announced && announced.push([o.iteration, o.announced])),
      snapshot: () => null,
      restore() {},
    } as const
    monitor.registerCallback(new QualityAnalyzer({ monitor, detectors: [spy as never] }))
    for (let i = 0; i < 40; i++) log(monitor, i)
    return announced
  }

  it('reaches the detectors with the iteration that follows it, a learning-rate jump with its own', () => {
    const announced = seen((monitor, iteration) => {
      if (iteration === 10) monitor.announce('reward-model')
      monitor.onEvent({ phase: 'iteration_end', iteration, metrics: { learning_rate: iteration < 20 ? 1e-4 : 1e-5 } })
    })
    expect(announced).toEqual([
      [10, ['reward-model']],
      [20, ['learning-rate']],
    ])
  })

  it('is a resume where the run falls back', () => {
    const announced = seen((monitor, i) => {
      const iteration = i < 30 ? i : i - 15
      monitor.onEvent({ phase: 'iteration_end', iteration, metrics: { learning_rate: i < 30 ? 1e-4 : 1e-5 } })
    })
    expect(announced).toEqual([[15, ['resume']]])
  })
})
