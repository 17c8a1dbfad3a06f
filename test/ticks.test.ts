import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { checkRun } from '../src/check/run-check.ts'
import { QualityAnalyzer } from '../src/decision/quality-analyzer.ts'
import type { Tick } from '../src/detectors/detector.ts'
import { newReadReport } from '../src/log/read-report.ts'
import { readRun } from '../src/log/read-run.ts'
import { replayRun } from '../src/log/replay-run.ts'
import { TrainingMonitor, type TrainingMonitorOptions } from '../src/monitor.ts'
import { unwatchedKinds, unwatchedWords } from '../src/outputs/report/coverage-words.ts'
import { manualClock } from '../src/time.ts'

const dir = mkdtempSync(join(tmpdir(), 'telltale-ticks-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

function watched(options: TrainingMonitorOptions = {}, start = 1_700_000_000) {
  const clock = manualClock({ unixSeconds: start })
  const monitor = new TrainingMonitor({ runId: 'run', handleSignals: false, onWarning: () => {}, clock, ...options })
  const analyzer = new QualityAnalyzer({ monitor, mode: 'calibrated', preset: 'ppo' })
  monitor.registerCallback(analyzer)
  return { clock, monitor, analyzer, ...run(monitor, clock) }
}

/** What happens to a run: iterations of two events, and silence in which somebody ticks every few seconds. */
function run(monitor: TrainingMonitor, clock: ReturnType<typeof manualClock>) {
  const iterate = (iteration: number, seconds = 2) => {
    clock.advanceMs(500 * seconds)
    monitor.onEvent({ phase: 'response_generated', iteration })
    clock.advanceMs(500 * seconds)
    monitor.onEvent({ phase: 'iteration_end', iteration, metrics: { reward: 1 + 0.01 * Math.sin(iteration) } })
  }
  const silence = (seconds: number, every = 7) => {
    for (let passed = every; passed <= seconds; passed += every) {
      clock.advanceMs(1000 * every)
      monitor.tick()
    }
  }
  return { iterate, silence }
}

const stalls = ({ alertHistory }: QualityAnalyzer) =>
  alertHistory.filter(({ kind }) => kind === 'stall').map(({ id, iteration, state }) => `${id} ${iteration} ${state}`)

function logged(folder: string): { type: string; time: number; seq: number }[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.jsonl'))
    .flatMap((name) => readFileSync(join(folder, name), 'utf8').trimEnd().split('\n'))
    .map((line) => JSON.parse(line))
}

function ticksOf(monitor: TrainingMonitor): Tick[] {
  const ticks: Tick[] = []
  monitor.registerCallback({ onEvent() {}, onTick: (tick) => void ticks.push(tick) })
  return ticks
}

describe('monitor.tick', () => {
  it('says how long nothing came, at most once in ten seconds, between the first event and the end', async () => {
    const outputDir = join(dir, 'often')
    const { monitor, clock, iterate } = watched({ outputDir })
    const ticks = ticksOf(monitor)
    monitor.tick()
    iterate(0)
    for (let i = 0; i < 35; i++) {
      clock.advanceMs(1000)
      monitor.tick()
    }
    await monitor.close()
    clock.advanceMs(60_000)
    monitor.tick()
    const time = 1_700_000_002
    expect(ticks).toEqual([10, 20, 30].map((s) => ({ time: time + s, iteration: 0, silentSeconds: s, closedHere: 1 })))
    const lines = logged(outputDir)
    expect(lines.filter(({ type }) => type === 'tick').map((line) => line.time - time)).toEqual([10, 20, 30])
    expect(lines.map(({ seq }) => seq)).toEqual(lines.map((_, i) => i + 1))
  })

  it('keeps the silence so far where the clock is set back', () => {
    const { monitor, clock, iterate } = watched()
    const ticks = ticksOf(monitor)
    iterate(0)
    clock.advanceMs(50_000)
    monitor.tick()
    clock.advanceMs(-3_600_000)
    monitor.tick()
    clock.advanceMs(25_000)
    monitor.tick()
    expect(ticks.map(({ silentSeconds }) => silentSeconds)).toEqual([50, 50, 75])
  })

  it('measures the longest silence of each iteration, never below 0', () => {
    const { monitor, clock } = watched()
    const seen: (number | undefined)[] = []
    monitor.registerCallback({ onEvent: (_, { closed }) => void (closed && seen.push(closed.get('time/silence'))) })
    const send = (phase: 'response_generated' | 'iteration_end', iteration: number, ms: number) => {
      clock.advanceMs(ms)
      monitor.onEvent({ phase, iteration })
    }
    send('response_generated', 0, 9000)
    send('iteration_end', 0, 3000)
    send('response_generated', 1, 7000)
    send('iteration_end', 1, 1000)
    send('iteration_end', 2, -5000)
    expect(seen).toEqual([3, 7, 0])
  })

  it('comes in order with the events, also from inside a callback', async () => {
    const outputDir = join(dir, 'order')
    const { monitor, clock } = watched({ outputDir })
    const note = (into: string[]) => ({
      onEvent: ({ phase, metrics }: { phase: string; metrics: object }) =>
        void into.push([phase, ...Object.keys(metrics)].join(' ')),
      onTick: () => void into.push('tick'),
    })
    monitor.registerCallback({
      onEvent(event) {
        if (event.phase !== 'iteration_end') return
        clock.advanceMs(20_000)
        monitor.tick()
      },
      onTick: () => monitor.publish({ iteration: 0, metrics: { ticked: 1 } }),
    })
    const live: string[] = []
    monitor.registerCallback(note(live))
    monitor.onEvent({ phase: 'iteration_end', iteration: 0 })
    await monitor.close()
    expect(live).toEqual(['training_start', 'iteration_end', 'tick', 'evaluation ticked', 'training_end'])
    const replayed: string[] = []
    await replayRun(outputDir, (again) => void again.registerCallback(note(replayed)))
    expect(replayed).toEqual(live)
  })

  it('cannot be harmed by a callback', () => {
    const { monitor, clock, iterate } = watched()
    monitor.registerCallback({
      name: 'Broken',
      onEvent() {},
      onTick() {
        throw new Error('no')
      },
    })
    const ticks = ticksOf(monitor)
    iterate(0)
    for (let i = 0; i < 20; i++) {
      clock.advanceMs(10_000)
      expect(() => monitor.tick()).not.toThrow()
    }
    expect(ticks).toHaveLength(20)
    expect(monitor.summary().callbackFailures).toMatchObject([
      { callback: 'Broken', problem: 'threw: no', count: 10 },
      { problem: 'was disabled after 10 failures' },
    ])
  })
})

describe('a run that stands still', () => {
  it('is reported once, is over with the next event, and is never stopped for it', () => {
    const { monitor, analyzer, clock, iterate, silence } = watched()
    for (let i = 0; i < 20; i++) iterate(i)
    silence(55)
    expect(stalls(analyzer)).toEqual([])
    silence(86_400, 60)
    expect(stalls(analyzer)).toEqual(['stall-1 19 open'])
    expect(analyzer.alertHistory[0]).toMatchObject({
      severity: 'warning',
      basis: 'rule',
      falseAlarmRate: null,
      samples: [],
      advice: [{ do: 'check-process' }],
      reason: expect.stringMatching(/^The run stands still: no event for \d+ s, where 1 s at the most were usual/),
    })
    clock.advanceMs(1000)
    monitor.onEvent({ phase: 'response_generated', iteration: 20 })
    expect(stalls(analyzer)).toEqual(['stall-1 19 resolved'])
    expect(monitor.shouldStopEarly().shouldStop).toBe(false)
    expect(monitor.summary().laterStops).toEqual([])
  })

  it('is over with the end of an iteration in a loop that logs nothing else, and can come again', () => {
    const { monitor, analyzer, clock, silence } = watched()
    const end = (iteration: number) => {
      clock.advanceMs(2000)
      monitor.onEvent({ phase: 'iteration_end', iteration })
    }
    for (let i = 0; i < 5; i++) end(i)
    silence(100)
    end(5)
    expect(stalls(analyzer)).toEqual(['stall-1 4 resolved'])
    for (let i = 6; i < 12; i++) end(i)
    // The silence before counts as usual now, until it was one of more than a thousand.
    silence(450)
    expect(stalls(analyzer)).toEqual(['stall-1 4 resolved'])
    silence(200)
    expect(stalls(analyzer)).toEqual(['stall-1 4 resolved', 'stall-2 11 open'])
  })

  it.each(['ppo', 'grpo', 'dpo', 'sft'] as const)(
    'is watched in preset %s, and only where somebody ticks',
    (preset) => {
      const { monitor, iterate, silence } = watched()
      const analyzer = new QualityAnalyzer({ monitor, mode: 'calibrated', preset })
      monitor.registerCallback(analyzer)
      for (let i = 0; i < 20; i++) iterate(i)
      const words = () => unwatchedKinds(analyzer.coverage).map(unwatchedWords)
      expect(words()).toContain(
        'Stall: it shows only while a run is watched live, or where its loop calls monitor.tick()',
      )
      silence(20)
      expect(words().join()).not.toContain('Stall')
    },
  )
})

describe('a replay', () => {
  it('comes to the same as live, over two processes and with a clock that is set back', async () => {
    const outputDir = join(dir, 'replay')
    const first = watched({ outputDir })
    for (let i = 0; i < 30; i++) first.iterate(i)
    first.silence(100)
    for (let i = 30; i < 40; i++) first.iterate(i)
    first.clock.advanceMs(-500_000)
    first.silence(700)
    for (let i = 40; i < 45; i++) first.iterate(i)
    first.silence(5000, 50)
    const saved = JSON.stringify(first.analyzer.snapshot())
    await first.monitor.close()
    expect(stalls(first.analyzer)).toEqual(['stall-1 29 resolved', 'stall-2 39 resolved', 'stall-3 44 open'])

    // A day later the run goes on; it compiles for ten minutes, which is none of its silences.
    const second = watched({ outputDir }, 1_700_086_400)
    second.analyzer.restore(JSON.parse(saved))
    const live = ticksOf(second.monitor)
    second.monitor.onEvent({ phase: 'training_start', iteration: 0 })
    second.silence(600)
    for (let i = 40; i < 50; i++) second.iterate(i)
    second.silence(9000, 60)
    await second.monitor.close()
    expect(stalls(second.analyzer).at(-1)).toBe('stall-4 49 open')
    expect(stalls(second.analyzer)).toHaveLength(4)

    let replayed: QualityAnalyzer | null = null
    let ticks: Tick[] = []
    const { report } = await replayRun(outputDir, (again) => {
      replayed = new QualityAnalyzer({ monitor: again, mode: 'calibrated', preset: 'ppo' })
      again.registerCallback(replayed)
      ticks = ticksOf(again)
    })
    expect(report).toMatchObject({ damagedCount: 0, missing: 0, repeated: 0 })
    expect(JSON.stringify(replayed!.snapshot())).toBe(JSON.stringify(second.analyzer.snapshot()))
    expect(replayed!.alertHistory).toEqual(second.analyzer.alertHistory)
    expect(ticks.slice(-live.length)).toEqual(live)

    const checked = checkRun('run', outputDir, 'telltale', { mode: 'calibrated', preset: 'ppo' })
    for await (const line of readRun(outputDir, newReadReport())) checked.take(line)
    expect(checked.result().alerts).toEqual(second.analyzer.alertHistory)
    expect(checked.result().coverage.find(({ kind }) => kind === 'stall')).toMatchObject({ missing: [] })
  })

  it('goes on exactly from a snapshot taken between two ticks', () => {
    const { monitor, analyzer, iterate, silence } = watched()
    const make = () => new QualityAnalyzer({ monitor, mode: 'calibrated', preset: 'ppo' })
    let part = make()
    monitor.registerCallback({
      onEvent: (event, context) => part.onEvent(event, context),
      onTick(tick) {
        part.onTick(tick)
        const saved = JSON.stringify(part.snapshot())
        part = make()
        part.restore(JSON.parse(saved))
        expect(JSON.stringify(part.snapshot())).toBe(saved)
      },
    })
    for (let i = 0; i < 60; i++) {
      iterate(i)
      // Each more than five times as long as the one before.
      if (i % 20 === 19) silence(70 * 6 ** (i / 20 - 0.95), 11)
    }
    expect(stalls(analyzer).length).toBeGreaterThan(1)
    expect(JSON.stringify(part.snapshot())).toBe(JSON.stringify(analyzer.snapshot()))
  })
})
