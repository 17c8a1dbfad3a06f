import { afterEach, describe, expect, it } from 'vitest'
import { QualityAnalyzer } from '../../decision/quality-analyzer.ts'
import { TelltaleError } from '../../errors.ts'
import type { TrainingEventInit } from '../../events.ts'
import { createTrainingEvent } from '../../events.ts'
import { MetricsStore } from '../../metrics/store.ts'
import { TrainingMonitor } from '../../monitor.ts'
import { manualClock } from '../../time.ts'
import { VerbosityLevel } from '../../verbosity.ts'
import { COMPARISONS } from '../report/recorded-run.fixture.ts'
import { createEmulator, leavesCursorHidden } from './emulator.fixture.ts'
import { TerminalDisplay, type TerminalDisplayOptions } from './terminal-display.ts'
import type { TerminalStream } from './terminal-traits.ts'

const UTF8 = { TERM: 'xterm-256color', LANG: 'C.UTF-8' }

const open: TerminalDisplay[] = []
afterEach(async () => {
  for (const display of open.splice(0)) await display.close()
})

/** A monitor with display and analyzer on one clock, and a way to run iterations. */
function run(stream: TerminalStream, options: TerminalDisplayOptions = {}, runId = 'a-run') {
  const clock = manualClock({ unixSeconds: 1_700_000_000 })
  const monitor = new TrainingMonitor({ runId, handleSignals: false, clock, onWarning: () => undefined })
  const display = new TerminalDisplay({ stream, clock, env: UTF8, ...options })
  open.push(display)
  const analyzer = new QualityAnalyzer({ monitor, mode: 'threshold', klThreshold: 0.3 })
  monitor.registerCallback(analyzer)
  monitor.registerCallback(display)
  display.setAnalyzer(analyzer).setComparator({ comparisonHistory: COMPARISONS })
  const send = (event: TrainingEventInit): void => monitor.onEvent(event)
  return {
    clock,
    monitor,
    display,
    send,
    start: (totalIterations = 100) => send({ phase: 'training_start', iteration: 0, metadata: { totalIterations } }),
    iteration(i: number, metrics: Record<string, number> = {}, ms = 1000) {
      send({ phase: 'iteration_start', iteration: i })
      send({
        phase: 'policy_update',
        iteration: i,
        metrics: { clip_fraction: 0.08, approx_kl: 0.004, entropy: 0.45, learning_rate: 2e-4, gradient_norm: 0.8 },
      })
      clock.advanceMs(ms)
      send({
        phase: 'iteration_end',
        iteration: i,
        metrics: { reward: 0.4 + i / 50, kl_div: 0.01 + i / 1000, loss: -0.02, ...metrics },
      })
    },
    end: (metadata: Record<string, unknown> = { status: 'completed' }) =>
      send({ phase: 'training_end', iteration: 0, metadata }),
  }
}

describe('simple mode output', () => {
  it.each([
    [40, 10],
    [80, 24],
    [120, 40],
    [200, 50],
  ])('is one line that updates in place at %i x %i', async (columns, rows) => {
    const emulator = createEmulator(columns, rows)
    const { start, iteration, end } = run(emulator.stream)
    start()
    for (let i = 0; i < 30; i++) iteration(i)
    const lines = (await emulator.everything()).filter((line) => line !== '')
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatch(/^(iteration )?30\/100 .*30 %.*ETA 1m10s.*reward 0\.980/)
    if (columns >= 80) expect(lines[0]).toMatch(/reward 0\.980 ▲ {2}KL 0\.0390 ▲ {2}loss -0\.0200( ▬)?$/)
    end()
    const after = await emulator.everything()
    expect(after).toHaveLength(1)
    expect(after[0]).toMatch(/^✓ completed {2}30\/100/)
  })

  it('prints a new alert for good above the line, in the colour of its severity', async () => {
    const emulator = createEmulator(80, 24)
    const { start, iteration } = run(emulator.stream)
    start()
    iteration(0)
    iteration(1)
    iteration(2, { kl_div: 0.9 })
    const screen = (await emulator.everything()).join('\n')
    expect(screen).toMatch(/^● critical iteration 2 {2}KL divergence too high: kl_ref\/token is 0\.9/)
    expect(screen).toContain('→ Start again from the beginning')
    expect(screen.split('\n').at(-1)).toMatch(/3\/100 .*● 1/)
    expect(emulator.takeWritten()).toContain('\u001b[31m● critical\u001b[0m')
    iteration(3)
    expect((await emulator.everything()).join('\n').match(/● critical/g)).toHaveLength(1)
  })

  it('says in one line that a failure has eased, and counts it once', async () => {
    const emulator = createEmulator(80, 24)
    const { start, iteration } = run(emulator.stream)
    start()
    const perplexity = (i: number) => (i < 60 ? 10 : i < 100 ? 1000 : 20)
    for (let i = 0; i < 180; i++) iteration(i, { 'quality/ref_perplexity': perplexity(i) })
    const lines = (await emulator.everything()).filter((line) => line !== '')
    expect(lines.at(-2)).toMatch(/^● warning iteration \d+ {2}Loss of coherence has eased to a warning$/)
    expect(lines.at(-1)).toMatch(/● 1(?! )/)
    expect(lines.join('\n').match(/→ Start again/g)).toHaveLength(1)
  })
})

describe('verbose mode tables', () => {
  it.each([
    [60, 30],
    [80, 24],
    [120, 40],
    [200, 50],
  ])('has every part at %i x %i', async (columns, rows) => {
    const emulator = createEmulator(columns, rows)
    const { start, iteration } = run(emulator.stream, { verbosity: VerbosityLevel.VERBOSE })
    start()
    for (let i = 0; i < 30; i++) iteration(i, i === 20 ? { kl_div: 0.9 } : {})
    const screen = await emulator.screen()
    const text = screen.join('\n')
    for (const part of [
      'Telltale  a-run',
      'Metrics ─',
      'PPO mechanics ─',
      'Alerts ─',
      'Newest sample change',
      'Not watched',
    ])
      expect(text).toContain(part)
    expect(text).toMatch(/Reward +0\.980 +0\.690 {2}▲ {2}▁[▁-█]+█/)
    expect(text).toMatch(/clip fraction +8\.0 %/)
    expect(text).toMatch(/● critical it(eration)? 20, over {2}KL divergence/)
    expect(text).toContain('help me grow tomatoes')
    // The frame fits: its first line is on the screen, once.
    expect(screen.filter((line) => line.startsWith('Telltale'))).toHaveLength(1)
    expect((await emulator.everything()).filter((line) => line.startsWith('Telltale'))).toHaveLength(1)
  })

  it('marks what changed in an answer with colours, and without them in brackets', async () => {
    const colored = createEmulator(100, 40)
    const plain = createEmulator(100, 40)
    for (const [emulator, env] of [
      [colored, UTF8],
      [plain, { ...UTF8, NO_COLOR: '1' }],
    ] as const) {
      const { start, iteration } = run(emulator.stream, { verbosity: VerbosityLevel.VERBOSE, env })
      start()
      iteration(0)
    }
    expect(colored.takeWritten()).toContain('\u001b[31mwater them each morning .\u001b[0m')
    expect((await plain.screen()).join('\n')).toContain('{+i will not help with that .+}')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are what must not be there
    expect(plain.takeWritten()).not.toMatch(/\u001b\[[\d;]*m/)
  })

  it('orders the table by what it tells, each divergence and reward first in one form only', async () => {
    const emulator = createEmulator(120, 40)
    const { start, iteration } = run(emulator.stream, { verbosity: VerbosityLevel.VERBOSE })
    start()
    iteration(0, { mine: 1, 'kl_ref/token_k3': 1, total_reward: 1, policy_loss: 1, 'quality/distinct_2': 0.5 })
    const lines = await emulator.screen()
    const from = lines.findIndex((line) => line.startsWith('Metrics')) + 2
    const rows = lines.slice(from, lines.indexOf('', from)).map((line) => line.split('  ')[0])
    expect(rows).toEqual([
      'Reward',
      'KL to the reference per token',
      'Total loss',
      'Distinct word pairs',
      'Policy loss',
      'Reward with penalties',
      'KL to the reference per token (k3)',
      'mine',
    ])
  })

  it('keeps the words of a changed answer apart, whether or not the comparator keeps their spaces', async () => {
    const pair = COMPARISONS[0]!.pairs[0]!
    const word = (kind: 'kept' | 'removed' | 'added', text: string) => ({ kind, text })
    for (const words of [
      [word('removed', 'bake'), word('added', 'serve'), word('kept', 'it'), word('added', 'now')],
      [word('removed', 'bake '), word('added', 'serve '), word('kept', 'it '), word('added', 'now')],
    ]) {
      const emulator = createEmulator(100, 30)
      const { display, start, iteration } = run(emulator.stream, { verbosity: VerbosityLevel.VERBOSE })
      display.setComparator({
        comparisonHistory: [{ ...COMPARISONS[0]!, pairs: [{ ...pair, diff: { ...pair.diff, words } }] }],
      })
      start()
      iteration(0)
      const text = (await emulator.screen()).join('\n')
      expect(text).toContain('before  bake it\n')
      expect(text).toContain('after   serve it now\n')
    }
  })

  it('gives way to the line where there is no room for a panel', async () => {
    const emulator = createEmulator(30, 4)
    const { start, iteration } = run(emulator.stream, { verbosity: VerbosityLevel.VERBOSE })
    start()
    iteration(0)
    const lines = (await emulator.everything()).filter((line) => line !== '')
    expect(lines).toHaveLength(1)
    expect(lines[0]).toContain('1/100')
  })
})

describe('rate limiting', () => {
  it('paints at most twice a second by the injected clock', () => {
    const emulator = createEmulator(80, 24)
    const { clock, start, send } = run(emulator.stream)
    start()
    let paints = 0
    for (let i = 0; i < 1000; i++) {
      clock.advanceMs(10)
      emulator.takeWritten()
      send({ phase: 'iteration_end', iteration: i, metrics: { reward: i } })
      if (emulator.takeWritten() !== '') paints++
    }
    expect(paints).toBe(20)
  })

  it('paints what takes long less often, up to every two seconds', () => {
    const paintsIn = (costMs: number): number => {
      const emulator = createEmulator(80, 24)
      const write = emulator.stream.write.bind(emulator.stream)
      const slow = run({
        ...emulator.stream,
        write: (text: string) => {
          slow.clock.advanceMs(costMs)
          return write(text)
        },
      })
      slow.start()
      let paints = 0
      for (let i = 0; i < 1000; i++) {
        slow.clock.advanceMs(10)
        emulator.takeWritten()
        slow.send({ phase: 'iteration_end', iteration: i, metrics: { reward: i } })
        if (emulator.takeWritten() !== '') paints++
      }
      return paints
    }
    expect(paintsIn(0.1)).toBe(20)
    // Half a millisecond is a two-thousandth of a second.
    expect(paintsIn(0.5)).toBe(10)
    expect(paintsIn(50)).toBe(5)
  })

  it('writes no byte where nothing changed', () => {
    const emulator = createEmulator(80, 24)
    const { clock, start, iteration, send } = run(emulator.stream, { totalIterations: 100 })
    start()
    iteration(0)
    emulator.takeWritten()
    for (let i = 0; i < 10; i++) {
      clock.advanceMs(1000)
      send({ phase: 'evaluation', iteration: 0 })
    }
    expect(emulator.takeWritten()).toBe('')
  })

  it('shows start, alert and end at once', () => {
    const emulator = createEmulator(80, 24)
    const { start, iteration, end } = run(emulator.stream)
    start()
    expect(emulator.takeWritten()).not.toBe('')
    iteration(0, {}, 0)
    expect(emulator.takeWritten()).toBe('')
    iteration(1, { kl_div: 2 }, 0)
    expect(emulator.takeWritten()).toContain('KL divergence too high')
    end({})
    expect(emulator.takeWritten()).toContain('stopped')
  })
})

describe('lifecycle', () => {
  it('hides the cursor from the start and gives it back at the end', async () => {
    const emulator = createEmulator(80, 24)
    const { start, iteration, end } = run(emulator.stream, { verbosity: VerbosityLevel.VERBOSE })
    expect(emulator.takeWritten()).toBe('')
    start()
    iteration(0)
    const painted = emulator.takeWritten()
    expect(leavesCursorHidden(painted)).toBe(true)
    end()
    expect(leavesCursorHidden(painted + emulator.takeWritten())).toBe(false)
    expect((await emulator.cursor()).x).toBe(0)
  })

  it('gives the cursor back when it is closed in mid-run, once, and leaves no listener', async () => {
    const before = ['exit', 'SIGINT', 'SIGTERM'].map((event) => process.listenerCount(event))
    const emulator = createEmulator(80, 24)
    const { display, start, iteration } = run(emulator.stream)
    start()
    expect(process.listenerCount('exit')).toBe(before[0]! + 1)
    iteration(0)
    const own = emulator.stream.write
    await display.close()
    const closed = emulator.takeWritten()
    expect(leavesCursorHidden(closed)).toBe(false)
    await display.close()
    iteration(1)
    expect(emulator.takeWritten()).toBe('')
    expect(['exit', 'SIGINT', 'SIGTERM'].map((event) => process.listenerCount(event))).toEqual(before)
    expect(emulator.events.listenerCount('resize')).toBe(0)
    expect(own).not.toBe(emulator.stream.write)
  })

  it.each([
    [{ status: 'failed', error: 'out of \u001b[2Jmemory' }, /■ failed/, 'out of memory'],
    [{ status: 'completed' }, /✓ completed/, ''],
  ])('says how it ended: %o', async (metadata, mark, why) => {
    const emulator = createEmulator(100, 30)
    const { start, iteration, end } = run(emulator.stream, { verbosity: VerbosityLevel.VERBOSE })
    start()
    iteration(0)
    end(metadata)
    const text = (await emulator.everything()).join('\n')
    expect(text).toMatch(mark)
    expect(text).toContain(why)
  })

  it('starts anew with another run, and where the run falls back', async () => {
    const emulator = createEmulator(80, 24)
    const clock = manualClock()
    const display = new TerminalDisplay({ stream: emulator.stream, clock, env: UTF8 })
    const send = (event: TrainingEventInit): void => {
      clock.advanceMs(1000)
      display.onEvent(createTrainingEvent(event))
    }
    send({ phase: 'training_start', iteration: 0, metadata: { totalIterations: 9 } })
    for (let i = 0; i < 5; i++) send({ phase: 'iteration_end', iteration: i })
    send({ phase: 'iteration_start', iteration: 2 })
    expect((await emulator.everything()).at(-1)).toContain('iteration 2/9')
    send({ phase: 'training_end', iteration: 5 })
    send({ phase: 'training_start', iteration: 0, metadata: { totalIterations: 7 } })
    expect(await emulator.everything()).toHaveLength(2)
    expect((await emulator.everything()).at(-1)).toContain('iteration 0/7')
    await display.close()
  })

  it('refuses options that mean nothing', () => {
    for (const options of [
      { verbosity: 'loud' as never },
      { totalIterations: 0 },
      { totalIterations: 1.5 },
      { width: 3 },
      { width: Number.NaN },
    ]) {
      expect(() => new TerminalDisplay(options)).toThrow(TelltaleError)
    }
  })
})

describe('metrics store', () => {
  it('is read by canonical and own names, set by hand or taken from the monitor', async () => {
    const emulator = createEmulator(120, 24)
    const clock = manualClock()
    const store = new MetricsStore()
    const display = new TerminalDisplay({ stream: emulator.stream, clock, env: UTF8, totalIterations: 10 })
    expect(display.setMetricsStore(store)).toBe(display)
    store.add('kl_ref/token_k3', 0.25, 0)
    store.add('reward', 2, 0)
    store.add('policy_loss', Number.NaN, 0)
    display.onEvent(createTrainingEvent({ phase: 'iteration_end', iteration: 0 }))
    expect((await emulator.everything())[0]).toMatch(/reward 2\.00 {2}KL 0\.250 {2}loss NaN/)
    await display.close()
  })

  it('needs none', async () => {
    const emulator = createEmulator(80, 24)
    const display = new TerminalDisplay({ stream: emulator.stream, verbosity: 'verbose', env: UTF8 })
    display.onEvent(createTrainingEvent({ phase: 'iteration_end', iteration: 4 }))
    expect((await emulator.screen()).join('\n')).toContain('iteration 5')
    await display.close()
  })

  it('of 2,000 series and 10,000 iterations is shown within a callback’s budget', () => {
    const emulator = createEmulator(200, 60)
    const store = new MetricsStore()
    for (let i = 0; i < 10_000; i++)
      for (const name of ['reward', 'kl_div', 'loss', 'entropy']) store.add(name, Math.sin(i), i)
    for (let s = 0; s < 1990; s++) for (let i = 0; i < 60; i++) store.add(`mine/${s}`, Math.sin(i + s), i)
    const asked = { trends: 0, statistics: 0 }
    const counting = new Proxy(store, {
      get(target, key) {
        if (key === 'computeTrend') asked.trends++
        if (key === 'statistics') asked.statistics++
        const value: unknown = Reflect.get(target, key)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    const display = new TerminalDisplay({ stream: emulator.stream, verbosity: 'verbose', env: UTF8 })
    display.setMetricsStore(counting).onEvent(createTrainingEvent({ phase: 'iteration_end', iteration: 9999 }))
    expect(asked.trends).toBeGreaterThan(10)
    expect(asked.trends).toBeLessThan(50)
    expect(asked.statistics).toBeLessThan(50)
    void display.close()
  })
})

describe('a terminal that is not as it should be', () => {
  it.each([
    [0, 0],
    [undefined, undefined],
  ])('of %s columns and %s rows is taken for 80 by 24', async (columns, rows) => {
    const emulator = createEmulator(80, 24)
    const stream = { ...emulator.stream, columns, rows }
    const { start, iteration } = run(stream, { verbosity: VerbosityLevel.VERBOSE })
    start()
    for (let i = 0; i < 5; i++) iteration(i)
    const screen = await emulator.screen()
    expect(screen[0]).toContain('Telltale')
    expect((await emulator.everything()).length).toBeLessThanOrEqual(24)
  })

  it.each([VerbosityLevel.SIMPLE, VerbosityLevel.VERBOSE])('is resized in mid-run (%s)', async (verbosity) => {
    const emulator = createEmulator(120, 40)
    const { start, iteration, end } = run(emulator.stream, { verbosity })
    start()
    let i = 0
    for (const [columns, rows] of [
      [60, 20],
      [200, 50],
      [45, 10],
      [20, 3],
      [100, 30],
    ] as const) {
      iteration(i++)
      emulator.resize(columns, rows)
      iteration(i++)
      const screen = await emulator.screen()
      const newest = verbosity === VerbosityLevel.VERBOSE && columns > 36 ? screen.slice(0, 3) : screen
      expect(newest.join('\n')).toContain(`${i}/100`)
      if (verbosity === VerbosityLevel.VERBOSE && columns > 36) {
        expect(screen.filter((line) => line.startsWith('Metrics'))).toHaveLength(1)
      }
    }
    end()
    expect((await emulator.screen()).join('\n')).toContain('completed')
  })

  it('whose reader went away harms nobody', async () => {
    const { start, iteration, end, monitor } = run({
      isTTY: true,
      write() {
        throw Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })
      },
    })
    start()
    for (let i = 0; i < 30; i++) iteration(i)
    end()
    await monitor.close()
    expect(monitor.summary().callbackFailures).toEqual([])
  })

  it('that reports EPIPE later is not written to again', () => {
    const emulator = createEmulator(80, 24)
    const { start, iteration } = run(emulator.stream)
    start()
    emulator.takeWritten()
    expect(() => emulator.events.emit('error', new Error('write EPIPE'))).not.toThrow()
    for (let i = 0; i < 9; i++) iteration(i)
    expect(emulator.takeWritten()).toBe('')
  })

  it('gets single lines without losing its cursor, before a run and after it', () => {
    const emulator = createEmulator(80, 24)
    const { display, start, end } = run(emulator.stream)
    display.print('before')
    expect(leavesCursorHidden(emulator.takeWritten())).toBe(false)
    start()
    end()
    emulator.takeWritten()
    display.print('after')
    const after = emulator.takeWritten()
    expect(after).toContain('after')
    expect(leavesCursorHidden(after)).toBe(false)
  })

  it('that is slower than the training is waited for', () => {
    const emulator = createEmulator(80, 24)
    const stream = Object.assign(emulator.stream, { writableNeedDrain: true })
    const { start, iteration } = run(stream)
    start()
    emulator.takeWritten()
    for (let i = 0; i < 9; i++) iteration(i)
    expect(emulator.takeWritten()).toBe('')
    stream.writableNeedDrain = false
    iteration(9)
    expect(emulator.takeWritten()).not.toBe('')
  })
})

describe('others who print meanwhile', () => {
  it.each([VerbosityLevel.SIMPLE, VerbosityLevel.VERBOSE])('stand above the display (%s)', async (verbosity) => {
    const emulator = createEmulator(90, 30)
    const { display, start, iteration, end } = run(emulator.stream, { verbosity })
    start()
    for (let i = 0; i < 40; i++) {
      iteration(i)
      if (i % 10 === 0) emulator.stream.write(`loss of ${i}\n`)
      if (i === 15) {
        emulator.stream.write('half ')
        iteration(i)
        emulator.stream.write('a line\n')
      }
      if (i === 25) display.print('a note\nof two lines \u001b[2J')
    }
    end()
    const lines = await emulator.everything()
    const said = lines.map((line) => line.trimEnd()).filter((line) => /^(loss of|half|a line|a note|of two)/.test(line))
    expect(said).toEqual([
      'loss of 0',
      'loss of 10',
      'half',
      'a line',
      'loss of 20',
      'a note',
      'of two lines',
      'loss of 30',
    ])
    const displays = lines.filter((line) => /\d+\/100/.test(line))
    // What was written in two parts left the display of its time behind; everything else was replaced.
    expect(displays.length).toBeLessThanOrEqual(2)
    expect(lines.indexOf(displays.at(-1)!)).toBeGreaterThan(lines.indexOf('loss of 30'))
  })
})

describe('piped', () => {
  function piped(options: TerminalDisplayOptions = {}, stream: Partial<TerminalStream> = {}) {
    let text = ''
    const sink: TerminalStream = {
      write(chunk) {
        text += chunk
        return true
      },
      ...stream,
    }
    return { ...run(sink, options), text: () => text }
  }

  it.each([
    ['a pipe', {}, {}],
    ['a dumb terminal', { isTTY: true, columns: 80, rows: 24 }, { env: { TERM: 'dumb', LANG: 'C.UTF-8' } }],
  ])('%s gets lines without one escape, first, last and sensibly many between', (_, stream, options) => {
    const { start, iteration, end, text } = piped(options, stream)
    start(1000)
    for (let i = 0; i < 1000; i++) iteration(i, {}, 100)
    end()
    // biome-ignore lint/suspicious/noControlCharactersInRegex: controls are what must not be there
    expect(text()).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/)
    const status = text()
      .split('\n')
      .filter((line) => line.startsWith('['))
    expect(status[0]).toMatch(/iteration 1\/1000|^\[0\.1s\] 1\/1000/)
    expect(status.at(-1)).toContain('1000/1000')
    // 100 s and 1,000 iterations: a line each 10 s is rarer than one each 5 %.
    expect(status.length).toBeGreaterThanOrEqual(10)
    expect(status.length).toBeLessThanOrEqual(12)
    expect(text()).toMatch(/critical iteration 291 {2}KL divergence/)
  })

  it('writes a line each twentieth where that is rarer, and ends a verbose run with its panel', () => {
    const { start, iteration, end, text } = piped({ verbosity: VerbosityLevel.VERBOSE })
    start(40)
    for (let i = 0; i < 40; i++) iteration(i, {}, 60_000)
    expect(text()).not.toContain('Metrics')
    end()
    const status = text()
      .split('\n')
      .filter((line) => line.startsWith('['))
    expect(status.length).toBeGreaterThanOrEqual(20)
    expect(status.length).toBeLessThanOrEqual(22)
    expect(text()).toMatch(/Metrics ─+[\s\S]*PPO mechanics/)
  })

  it('has colours only where FORCE_COLOR asks for them, and no cursor moves even then', () => {
    const { start, iteration, end, text } = piped({ env: { ...UTF8, FORCE_COLOR: '1' } })
    start()
    iteration(0)
    end()
    expect(text()).toContain('\u001b[32m')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escapes are what it is about
    expect(text().replace(/\u001b\[\d*m/g, '')).not.toContain('\u001b')
  })

  it('shows hostile names and answers as text', () => {
    const { start, iteration, end, display, text } = piped({ verbosity: VerbosityLevel.VERBOSE })
    const evil = '\u001b]0;owned\u0007\u001b[2Jevil\u202egnp\r\nline'
    const pair = COMPARISONS[0]!.pairs[0]!
    const words = [{ kind: 'added' as const, text: evil.repeat(1000) }]
    display.setComparator({
      comparisonHistory: [{ ...COMPARISONS[0]!, pairs: [{ ...pair, prompt: evil, diff: { ...pair.diff, words } }] }],
    })
    start()
    for (let i = 0; i < 3; i++) iteration(i, { [evil]: 1, ['__proto__']: 2, 'a\u0000b': 3 })
    end({ status: 'failed', error: evil })
    // biome-ignore lint/suspicious/noControlCharactersInRegex: controls are what must not be there
    expect(text()).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/)
    expect(text()).toContain('evilgnp line')
    expect(text()).toContain('__proto__')
    for (const line of text().split('\n')) expect(line.length).toBeLessThan(200)
  })
})
