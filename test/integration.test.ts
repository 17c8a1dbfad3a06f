import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type Alert,
  PPOMetricsTracker,
  QualityAnalyzer,
  ReportGenerator,
  replayRun,
  SampleComparator,
  TerminalDisplay,
  TrainingMonitor,
} from '../src/index.ts'
import { PlotManager } from '../src/outputs/plots/plot-manager.ts'
import { plotMarks } from '../src/outputs/plots/plot-marks.ts'
import { parseTrainingReport } from '../src/outputs/report/parse-report.ts'
import { manualClock } from '../src/time.ts'
import { startBackend } from '../src/trainer/backend.ts'
import { toyPrompts, toyTrainer } from '../src/trainer/toy.fixture.ts'
import type { TrainResult } from '../src/trainer/trainer-types.ts'

const dir = mkdtempSync(join(tmpdir(), 'telltale-integration-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

function watch(name: string, options: { klThreshold?: number; earlyStop?: 'critical' | 'off' } = {}) {
  const outputDir = join(dir, name)
  const monitor = new TrainingMonitor({
    outputDir,
    verbosity: 'verbose',
    handleSignals: false,
    earlyStop: options.earlyStop ?? 'critical',
    onWarning: () => {},
    // Stands still, so that no callback is over its budget because the machine is busy.
    clock: manualClock({ unixSeconds: 1_700_000_000 }),
  })
  const parts = attach(monitor, options.klThreshold)
  return { outputDir, monitor, ...parts }
}

function attach(monitor: TrainingMonitor, klThreshold = 0.1) {
  const screen: string[] = []
  const terminal = new TerminalDisplay({
    verbosity: 'verbose',
    stream: { write: (text: string) => void screen.push(text), isTTY: false } as never,
  })
  const comparator = new SampleComparator({ sampleSize: 4, comparisonFrequency: 10 })
  const analyzer = new QualityAnalyzer({ monitor, mode: 'threshold', klThreshold })
  const tracker = new PPOMetricsTracker({ verbosity: 'verbose' })
  for (const callback of [terminal, comparator, analyzer, tracker]) monitor.registerCallback(callback)
  terminal.setMetricsStore(monitor.getMetricsStore())
  return { terminal, comparator, analyzer, tracker, screen }
}

beforeAll(() => startBackend())

describe('the workflow end to end, on real training', () => {
  let result: TrainResult
  const run = watch('stopped')

  beforeAll(async () => {
    const { trainer } = toyTrainer({
      monitor: run.monitor,
      klCoefficient: 0,
      checkpointEvery: 5,
      checkpointDir: join(run.outputDir, 'checkpoints'),
    })
    result = await run.monitor.run(() => trainer.train({ prompts: toyPrompts, numIterations: 120, batchSize: 8 }))
  })

  it('stops when the KL has gone too far, and returns the iteration to roll back to', () => {
    expect(result.status).toBe('stopped')
    expect(result.iterations).toBeLessThan(120)
    expect(result.stop!.reason).toContain('KL divergence too high')
    const { rollbackTo } = result.stop!
    expect(rollbackTo).toBeLessThan(result.stop!.iteration)
    expect(existsSync(join(run.outputDir, 'checkpoints', `iteration-${rollbackTo}`, 'policy.safetensors'))).toBe(true)
    expect(run.monitor.summary()).toMatchObject({
      status: 'stopped',
      iterations: result.iterations,
      callbackFailures: [],
    })
  })

  it('leaves a log whose replay gives the same alerts, stop and numbers', async () => {
    let analyzer: QualityAnalyzer | undefined
    let comparator: SampleComparator | undefined
    const { monitor, report } = await replayRun(run.outputDir, (again) => {
      const parts = attach(again)
      analyzer = parts.analyzer
      comparator = parts.comparator
    })
    expect(report).toMatchObject({ damagedCount: 0, missing: 0, repeated: 0 })
    expect(JSON.stringify(analyzer!.alertHistory)).toBe(JSON.stringify(run.analyzer.alertHistory))
    expect(monitor.getStop()).toEqual(run.monitor.getStop())
    expect(JSON.stringify(comparator!.comparisonHistory)).toBe(JSON.stringify(run.comparator.comparisonHistory))
    const store = run.monitor.getMetricsStore()
    expect(monitor.getMetricsStore().names()).toEqual(store.names())
    for (const name of store.names())
      expect(monitor.getMetricsStore().history(name)!.buckets(), name).toEqual(store.history(name)!.buckets())
    // The alerts that the live run wrote are those that the replay comes to.
    const logged = readdirSync(run.outputDir)
      .filter((file) => file.endsWith('.jsonl'))
      .flatMap((file) => readFileSync(join(run.outputDir, file), 'utf8').trimEnd().split('\n'))
      .map((line) => JSON.parse(line) as { type: string; alert?: Alert })
      .filter(({ type }) => type === 'alert')
      .map(({ alert }) => alert!.id)
    expect(analyzer!.alertHistory.map(({ id }) => id)).toEqual(logged)
  })

  it('leaves the same replay cut at any line: a kill loses nothing that was there', async () => {
    const file = readdirSync(run.outputDir).find((name) => name.endsWith('.jsonl'))!
    const lines = readFileSync(join(run.outputDir, file), 'utf8').split('\n')
    for (const share of [0.2, 0.5, 0.9]) {
      const cut = Math.floor(lines.length * share)
      const part = mkdtempSync(join(dir, 'cut-'))
      const { writeFileSync } = await import('node:fs')
      writeFileSync(join(part, file), `${lines.slice(0, cut).join('\n')}\n${lines[cut]!.slice(0, 30)}`)
      const { monitor, report } = await replayRun(part)
      expect(report).toMatchObject({ damagedCount: 1, missing: 0 })
      const ends = lines.slice(0, cut).filter((line) => line.includes('"phase":"iteration_end"')).length
      expect(monitor.summary().iterations).toBe(ends)
    }
  })
})

describe('all callbacks together', () => {
  it('see every event of a run that is healthy to its end, and none fails', async () => {
    const run = watch('healthy', { klThreshold: 50 })
    const { trainer } = toyTrainer({ monitor: run.monitor, klCoefficient: 0.5 })
    const { status } = await run.monitor.run(() =>
      trainer.train({
        prompts: toyPrompts,
        numIterations: 25,
        batchSize: 4,
        isClear: (_, responses) => responses.map((text) => text.includes('yes')),
      }),
    )
    expect(status).toBe('completed')
    expect(run.comparator.comparisonHistory.map(({ iteration }) => iteration)).toEqual([10, 20, 24])
    expect(run.comparator.comparisonHistory[0]!.driftKind).toBe('semantic')
    expect(run.tracker.ppoHistory).toHaveLength(25)
    expect(run.tracker.getPPOSummary().maxFirstRatioError).toBeLessThan(1e-5)
    expect(run.analyzer.coverage.every(({ missing }) => missing.length === 0)).toBe(true)
    expect(run.screen.join('')).toContain('25/25')
    expect(run.monitor.summary()).toMatchObject({
      status: 'completed',
      callbackFailures: [],
      counters: { rejectedEvents: 0, lateValues: 0, ignoredEvents: 0, droppedLines: 0 },
    })
  })

  it('keep going when one of them always throws', async () => {
    const run = watch('broken', { klThreshold: 50 })
    run.monitor.registerCallback({
      name: 'Broken',
      onEvent() {
        throw new Error('always')
      },
    })
    const { trainer } = toyTrainer({ monitor: run.monitor, klCoefficient: 0.5 })
    const { status } = await run.monitor.run(() =>
      trainer.train({ prompts: toyPrompts, numIterations: 5, batchSize: 4 }),
    )
    expect(status).toBe('completed')
    expect(run.tracker.ppoHistory).toHaveLength(5)
    expect(run.monitor.summary().callbackFailures).toContainEqual({
      callback: 'Broken',
      problem: 'was disabled after 10 failures',
      count: 1,
    })
  })
})

describe('reports', () => {
  it('of a real run hold together: figures, Markdown and JSON say the same', async () => {
    const run = watch('reported', { klThreshold: 0.05, earlyStop: 'off' })
    const { trainer } = toyTrainer({ monitor: run.monitor, klCoefficient: 0 })
    await run.monitor.run(() => trainer.train({ prompts: toyPrompts, numIterations: 30, batchSize: 8 }))
    const store = run.monitor.getMetricsStore()
    const plots = new PlotManager({ outputDir: run.outputDir })
    const files = await plots.createAllPlots({
      metricsStore: store,
      comparator: run.comparator,
      analyzer: run.analyzer,
      marks: plotMarks({ analyzer: run.analyzer, summary: run.monitor.summary() }),
    })
    expect(plots.failures).toEqual([])
    expect(files).toHaveLength(10)
    const reports = new ReportGenerator({ outputDir: run.outputDir })
    const input = { monitor: run.monitor, comparator: run.comparator, analyzer: run.analyzer, ppoTracker: run.tracker }
    const markdown = readFileSync(await reports.generateMarkdownReport(input), 'utf8')
    const report = await parseTrainingReport(readFileSync(await reports.generateJsonReport(input), 'utf8'))
    expect(run.analyzer.alertHistory.length).toBeGreaterThan(0)
    expect(report.alerts).toHaveLength(run.analyzer.alertHistory.length)
    expect(report.configuration.training).toMatchObject({ algorithm: 'ppo', clipRange: 0.2 })
    for (const section of [
      '## Summary',
      '## Metrics',
      '## Plots',
      '## Quality Alerts',
      '## Sample Changes',
      '## PPO Mechanics',
    ])
      expect(markdown).toContain(section)
    for (const name of ['loss_curves', 'rewards', 'kl_divergence', 'quality_metrics', 'ppo_mechanics'])
      expect(markdown).toContain(`(${name}.png)`)
  })
})

describe('a long run', () => {
  it('of 20,000 iterations stays within bounded memory', () => {
    const monitor = new TrainingMonitor({ handleSignals: false, earlyStop: 'off' })
    attach(monitor, 1e6)
    const used = () => {
      // Twice, since what a first collection finalises the second one frees.
      for (let i = 0; i < 2; i++) globalThis.gc?.()
      const { heapUsed, arrayBuffers } = process.memoryUsage()
      return heapUsed + arrayBuffers
    }
    const names = Array.from({ length: 20 }, (_, i) => `metric ${i}`)
    const marks: number[] = []
    for (let iteration = 0; iteration < 40_000; iteration++) {
      const metrics = Object.fromEntries(names.map((name, i) => [name, Math.sin(iteration + i)]))
      const metadata = { prompts: ['p'], responses: [`answer ${iteration % 7}`] }
      monitor.onEvent({ phase: 'response_generated', iteration, metadata })
      monitor.onEvent({ phase: 'iteration_end', iteration, metrics })
      if ((iteration + 1) % 4000 === 0) marks.push(used())
    }
    const store = monitor.getMetricsStore()
    expect(store.get('metric 3')!.length).toBe(10_000)
    expect(store.history('metric 3')!.buckets()[0]!.iteration).toBe(0)
    // The rings are full at 10,000; then only what is remembered between two reads comes and goes.
    const [before, after] = [marks.slice(3, 6), marks.slice(-3)].map((some) => Math.min(...some)) as [number, number]
    expect(after / before).toBeLessThan(1.1)
  })
})
