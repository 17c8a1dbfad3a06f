import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SEED_MAP, seedMapMarkdown } from '../scripts/seed-map.mjs'
import {
  type CallbackContext,
  CallbackManager,
  createTrainingEvent,
  MetricsBuffer,
  MetricsStore,
  PPOMetricsTracker,
  QualityAnalyzer,
  ReportGenerator,
  SampleComparator,
  systemClock,
  TerminalDisplay,
  TRAINING_PHASES,
  type TrainingCallback,
  TrainingMonitor,
  TrainingPhase,
  VerbosityLevel,
} from '../src/index.ts'
import { PlotManager } from '../src/outputs/plots/plot-manager.ts'

const dir = mkdtempSync(join(tmpdir(), 'telltale-seed-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

/** Builds every class of the plan with the plan's defaults and calls every method as the plan does. */
describe('the plan, by name', () => {
  const monitor = new TrainingMonitor({ verbosity: VerbosityLevel.VERBOSE, outputDir: dir, handleSignals: false })
  const sink = { write: () => true, isTTY: false, columns: 80, rows: 24 }
  const terminal = new TerminalDisplay({ verbosity: VerbosityLevel.VERBOSE, stream: sink as never })
  const comparator = new SampleComparator({ sampleSize: 10, comparisonFrequency: 50 })
  const analyzer = new QualityAnalyzer({ monitor, rewardHackThreshold: 0.3 })
  const tracker = new PPOMetricsTracker({ verbosity: VerbosityLevel.VERBOSE })

  beforeAll(async () => {
    for (const callback of [terminal, comparator, analyzer, tracker]) monitor.registerCallback(callback)
    terminal.setMetricsStore(monitor.getMetricsStore())
    await monitor.run(() => {
      for (let iteration = 0; iteration < 60; iteration++) {
        const prompts = ['hello', 'bye']
        const responses = [`good day ${iteration}`, 'see you']
        monitor.onEvent(createTrainingEvent({ phase: TrainingPhase.ITERATION_START, iteration }))
        monitor.onEvent(
          createTrainingEvent({ phase: TrainingPhase.RESPONSE_GENERATED, iteration, metadata: { prompts, responses } }),
        )
        monitor.onEvent(
          createTrainingEvent({
            phase: TrainingPhase.POLICY_UPDATE,
            iteration,
            metrics: { policy_loss: -0.01, clip_fraction: 0.1, gradient_norm: 1 },
          }),
        )
        monitor.onEvent(
          createTrainingEvent({
            phase: TrainingPhase.VALUE_UPDATE,
            iteration,
            metrics: { value_loss: 1 / (iteration + 1) },
          }),
        )
        monitor.onEvent(
          createTrainingEvent({
            phase: TrainingPhase.ITERATION_END,
            iteration,
            metrics: { loss: 1, reward: iteration / 60, kl_div: 0.01 },
          }),
        )
      }
    })
  })

  it('VerbosityLevel', () => expect(VerbosityLevel).toEqual({ SIMPLE: 'simple', VERBOSE: 'verbose' }))

  it('TrainingEvent is frozen, TrainingPhase has eleven', () => {
    expect(Object.isFrozen(createTrainingEvent({ phase: TrainingPhase.EVALUATION, iteration: 0 }))).toBe(true)
    expect(TRAINING_PHASES).toHaveLength(11)
  })

  it('TrainingCallback and CallbackManager', () => {
    const callback: TrainingCallback = { onEvent: () => {} }
    const callbacks = new CallbackManager(systemClock, () => {})
    callbacks.register(callback)()
    callbacks.dispatch(createTrainingEvent({ phase: TrainingPhase.EVALUATION, iteration: 0 }), {} as CallbackContext)
    expect(callbacks.problems).toEqual([])
  })

  it('MetricsBuffer keeps 10,000 and MetricsStore computes a trend', () => {
    expect(new MetricsBuffer().capacity).toBe(10_000)
    expect(new MetricsStore().computeTrend('reward')).toBeNull()
    expect(monitor.getMetricsStore().computeTrend('reward')?.direction).toBe('up')
  })

  it('TrainingMonitor: requestEarlyStop and shouldStopEarly', () => {
    const other = new TrainingMonitor({ handleSignals: false })
    expect(other.shouldStopEarly()).toEqual({ shouldStop: false, reason: null })
    other.requestEarlyStop('enough')
    expect(other.shouldStopEarly()).toEqual({ shouldStop: true, reason: 'enough' })
    expect([monitor.verbosity, monitor.outputDir, monitor.summary().status]).toEqual(['verbose', dir, 'completed'])
  })

  it('SampleComparator: defaults, computeDiff, detectCatastrophicForgetting', () => {
    const byDefault = new SampleComparator()
    expect([byDefault.sampleSize, byDefault.comparisonFrequency]).toEqual([10, 100])
    expect([byDefault.baselineSamples, byDefault.comparisonHistory]).toEqual([[], []])
    expect(comparator.baselineSamples.length).toBeGreaterThan(0)
    expect(comparator.computeDiff('abcd', 'bcde').similarity).toBe(0.75)
    expect(comparator.detectCatastrophicForgetting()).toBe(false)
  })

  it('QualityAnalyzer: defaults, alertHistory with iteration, reason, severity', () => {
    // The plan's own options bring the plan's rules; without any, the calibrated detectors judge.
    const plans = new QualityAnalyzer({ monitor, rewardHackThreshold: 0.3 })
    expect([plans.mode, plans.thresholds]).toMatchObject(['threshold', { rewardHack: 0.3, kl: 0.1, windowSize: 50 }])
    expect(new QualityAnalyzer({ monitor }).mode).toBe('calibrated')
    expect(analyzer.alertHistory).toEqual([])
    const stopped = new TrainingMonitor({ handleSignals: false })
    const judge = new QualityAnalyzer({ monitor: stopped, mode: 'threshold' })
    stopped.registerCallback(judge)
    stopped.onEvent(createTrainingEvent({ phase: TrainingPhase.ITERATION_END, iteration: 0, metrics: { kl_div: 0.5 } }))
    expect(judge.alertHistory).toMatchObject([
      { iteration: 0, reason: expect.stringContaining('KL divergence too high'), severity: 'critical' },
    ])
    expect(stopped.shouldStopEarly().shouldStop).toBe(true)
  })

  it('PPOMetricsTracker: records in VERBOSE only, getPPOSummary', () => {
    expect(tracker.ppoHistory).toHaveLength(60)
    expect(tracker.getPPOSummary()).toMatchObject({
      avgClipFraction: expect.closeTo(0.1),
      policyImprovement: expect.any(Number),
      valueAccuracy: null,
    })
    expect(new PPOMetricsTracker({ verbosity: VerbosityLevel.SIMPLE }).ppoHistory).toEqual([])
  })

  it('PPOMetricsTracker: clip_fraction from the metadata of the policy update', () => {
    const loop = new TrainingMonitor({ handleSignals: false })
    const own = new PPOMetricsTracker({ verbosity: VerbosityLevel.VERBOSE })
    loop.registerCallback(own)
    const update = { phase: TrainingPhase.POLICY_UPDATE, metadata: { clip_fraction: 0.3 } }
    loop.onEvent(createTrainingEvent({ ...update, iteration: 0, metrics: { policy_loss: 1 } }))
    loop.onEvent(createTrainingEvent({ phase: TrainingPhase.ITERATION_END, iteration: 0 }))
    loop.onEvent(createTrainingEvent({ ...update, iteration: 1, metrics: { clip_fraction: 0.1 } }))
    loop.onEvent(createTrainingEvent({ phase: TrainingPhase.ITERATION_END, iteration: 1 }))
    expect(own.ppoHistory.map(({ clipFraction }) => clipFraction)).toEqual([0.3, 0.1])
  })

  it('PlotManager: five figures under the plan’s names', async () => {
    const plots = new PlotManager({ outputDir: dir })
    const store = monitor.getMetricsStore()
    await plots.createLossPlot(store)
    await plots.createRewardPlot(store)
    await plots.createKlPlot(store)
    await plots.createQualityPlot(comparator, analyzer)
    await plots.createPPOPlot(store)
    await plots.createAllPlots({ metricsStore: store, comparator, analyzer })
    for (const name of ['loss_curves', 'rewards', 'kl_divergence', 'quality_metrics', 'ppo_mechanics']) {
      expect(existsSync(join(dir, `${name}.png`)), name).toBe(true)
    }
    expect(Object.keys(plots.figures).length).toBe(5)
  })

  it('ReportGenerator: Markdown and JSON under the plan’s names', async () => {
    const reports = new ReportGenerator({ outputDir: dir })
    await reports.generateMarkdownReport({ monitor, comparator, analyzer, ppoTracker: tracker })
    await reports.generateJsonReport({ monitor, comparator, analyzer })
    const markdown = readFileSync(join(dir, 'training_report.md'), 'utf8')
    expect(markdown.match(/^##? .*$/gm)).toEqual([
      '# Training Report',
      '## Summary',
      '## Metrics',
      '## Plots',
      '## Quality Alerts',
      '## Sample Changes',
      '## PPO Mechanics',
    ])
    const json = JSON.parse(readFileSync(join(dir, 'training_report.json'), 'utf8')) as object
    for (const key of ['schemaVersion', 'metrics', 'alerts', 'sample_changes', 'configuration'])
      expect(json).toHaveProperty(key)
  })
})

describe('docs/seed-map.md', () => {
  const root = new URL('..', import.meta.url)

  it('is what `npm run docs` makes', () => {
    expect(readFileSync(new URL('docs/seed-map.md', root), 'utf8')).toBe(seedMapMarkdown())
  })

  it.each(SEED_MAP)('$plan is $ours in $file', ({ file, ours }) => {
    expect(readFileSync(new URL(file, root), 'utf8')).toContain(ours)
  })
})
