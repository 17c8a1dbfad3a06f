import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, describe, expect, it } from 'vitest'
import { QualityAnalyzer } from '../decision/quality-analyzer.ts'
import { TrainingMonitor } from '../monitor.ts'
import { SampleComparator } from '../quality/sample-comparator.ts'
import { manualClock } from '../time.ts'
import { checkPath } from './check-path.ts'
import type { CheckOptions } from './run-check.ts'

const dir = mkdtempSync(join(tmpdir(), 'telltale-check-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

function check(path: string, options: CheckOptions = {}, input = '') {
  return checkPath(path, { check: options, stdin: Readable.from([Buffer.from(input)]) })
}

const piped = (lines: readonly unknown[], options: CheckOptions = {}) =>
  check('-', options, lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'))

let files = 0
function file(text: string | Uint8Array): string {
  const path = join(dir, `file-${files++}.jsonl`)
  writeFileSync(path, text)
  return path
}

/** A run whose KL leaves its limit at iteration 20, in a folder of its own. */
async function recorded(name: string, options: { readonly kl?: number; readonly in?: string } = {}) {
  const outputDir = join(options.in ?? dir, name)
  const clock = manualClock({ unixSeconds: 1_700_000_000 })
  const monitor = new TrainingMonitor({ outputDir, runId: name, handleSignals: false, onWarning: () => {}, clock })
  monitor.registerCallback(new SampleComparator())
  const analyzer = new QualityAnalyzer({ monitor, mode: 'threshold', klThreshold: 0.3 })
  monitor.registerCallback(analyzer)
  for (let iteration = 0; iteration < 25; iteration++) {
    const metadata = { prompts: ['a', 'b'], responses: ['one two', `three ${iteration}`] }
    monitor.onEvent({ phase: 'response_generated', iteration, metadata })
    const kl = iteration < 20 ? 0.01 : (options.kl ?? 0.5)
    monitor.onEvent({ phase: 'iteration_end', iteration, metrics: { kl_div: kl, reward: iteration % 3 } })
    if (iteration % 8 === 0) monitor.onEvent({ phase: 'checkpoint_saved', iteration })
  }
  await monitor.close()
  return { outputDir, analyzer }
}

describe('run folders', () => {
  it('give the alerts that the run had live', async () => {
    const { outputDir, analyzer } = await recorded('live')
    const { runs, damaged } = await check(outputDir, { mode: 'threshold', klThreshold: 0.3 })
    expect(damaged.count).toBe(0)
    expect(runs).toMatchObject([
      {
        run: 'live',
        path: outputDir,
        source: 'telltale',
        iterations: 25,
        status: 'stopped',
        mode: 'threshold',
        preset: null,
        stop: { iteration: 20, rollbackTo: 16, reason: analyzer.alertHistory[0]!.reason },
      },
    ])
    expect(runs[0]!.alerts).toEqual(analyzer.alertHistory)
  })

  it('are found in a folder of them, or as the one file that a writer left', async () => {
    const parent = join(dir, 'runs')
    mkdirSync(join(parent, 'not-a-run'), { recursive: true })
    for (const name of ['runs/b', 'runs/a']) {
      const monitor = new TrainingMonitor({ outputDir: join(dir, name), runId: name.slice(5), handleSignals: false })
      monitor.onEvent({ phase: 'iteration_end', iteration: 0, metrics: { kl_div: 0.01 } })
      await monitor.close()
    }
    expect((await check(parent)).runs.map(({ run, status }) => [run, status])).toEqual([
      ['a', 'completed'],
      ['b', 'completed'],
    ])
    const [log] = readdirSync(join(parent, 'a'))
    expect((await check(join(parent, 'a', log!))).runs).toMatchObject([{ run: 'a', source: 'telltale', iterations: 1 }])
  })

  it.each([
    ['nothing there', join(dir, 'missing'), /missing cannot be read: ENOENT/],
    ['an empty file', file(''), /is empty: there is nothing to check/],
    ['something else', file('PNG\nnope\n'), /holds no run: 2 lines, none of which can be read \(line 1: not JSON/],
    ['lines without a step', file('{"loss":1}\n'), /its line cannot be read \(line 1: neither a line of a run log/],
    ['another version', file('{"v":2,"type":"tick"}\n'), /line 1: v: /],
    ['a step that is none', file('{"step":1e308,"loss":1}\n'), /line 1: .*step is 1e\+308; expected an integer/],
  ])('%s is not readable', async (_, path, message) => {
    await expect(check(path)).rejects.toThrowError(
      expect.objectContaining({ code: 'not-readable', message: expect.stringMatching(message) }),
    )
  })

  it('that cannot be read are named, and the others are checked', async () => {
    const folder = join(dir, 'many')
    const { outputDir } = await recorded('good', { kl: 0.01, in: folder })
    // A folder where a log should be: there, by its name, and nothing that can be read.
    mkdirSync(join(folder, 'broken', 'events-w.jsonl'), { recursive: true })
    const { runs, unreadable } = await check(folder, { mode: 'threshold' })
    expect(runs.map(({ path }) => path)).toEqual([outputDir])
    expect(unreadable).toEqual([
      { path: join(folder, 'broken'), problem: expect.stringMatching(/broken holds no run: expected a file/) },
    ])
    rmSync(outputDir, { recursive: true })
    await expect(check(folder)).rejects.toThrowError(/broken holds no run/)
  })

  it('that hold none say what was expected', async () => {
    const empty = join(dir, 'empty')
    mkdirSync(empty, { recursive: true })
    await expect(check(empty)).rejects.toThrowError(/expected a file events-<writer>.jsonl in it or in its folders/)
  })
})

describe('flat lines', () => {
  const steps = (n: number, line: (i: number) => unknown) => Array.from({ length: n }, (_, i) => line(i))

  it('close a step with the next one and with the end, and know the trainer by its names', async () => {
    const lines = steps(12, (i) => [
      { step: i, reward: 0.1 * i, frac_reward_zero_std: 0 },
      { step: i, 'completions/mean_length': 40, kl: i < 6 ? 0.02 : 0.9 },
    ]).flat()
    const { runs } = await piped(lines, { mode: 'threshold' })
    expect(runs).toMatchObject([{ run: 'stdin', source: 'jsonl', trainer: 'trl-grpo', iterations: 12 }])
    expect(runs[0]!.alerts).toMatchObject([{ kind: 'kl-explosion', iteration: 6 }])
  })

  it('may have names that lines of ours have', async () => {
    const lines = steps(6, (step) => ({ step, v: 1, type: 'train', loss: 0.1 }))
    expect((await piped(lines)).runs).toMatchObject([{ source: 'jsonl', iterations: 6 }])
  })

  it('of verl are read', async () => {
    const lines = steps(6, (step) => ({
      step,
      data: { 'actor/pg_loss': 0.1, 'critic/score/mean': 1, 'actor/ppo_kl': -0.001, 'actor/kl_loss': 0.01 },
    }))
    expect((await piped(lines, { mode: 'calibrated' })).runs).toMatchObject([
      { source: 'verl', trainer: 'verl', iterations: 6, alerts: [] },
    ])
  })

  it('take NaN as Python writes it, also beside a text that says NaN', async () => {
    const lines = steps(
      8,
      (i) => `{"step": ${i}, "note": "NaN \\" Infinity", "loss": ${i > 3 ? 'NaN' : '0.5'}, "grad_norm": -Infinity}`,
    )
    const { runs, damaged } = await piped(lines, { mode: 'calibrated', preset: 'sft' })
    expect(damaged.count).toBe(0)
    expect(runs[0]!.alerts[0]).toMatchObject({ kind: 'non-finite', severity: 'critical', basis: 'rule' })
  })

  it('with a text that never ends, and NaN, are set aside at once', async () => {
    // Were its end looked for from each quote again, this would take the square of it: hours.
    const open = `{"step":1,"loss":NaN,"text":"${'\\"'.repeat(1_000_000)}`
    for (const line of [open, `${open}\\`]) {
      const { runs, damaged } = await piped([{ step: 0, loss: 1 }, line, { step: 2, loss: 1 }])
      expect([runs[0]!.loggedIterations, damaged.lines.map(({ lineNumber }) => lineNumber)]).toEqual([2, [2]])
    }
  })

  it('set bad lines aside, with their place, and go on', async () => {
    const path = file(
      '\ufeff{"step":0,"loss":1}\r\n\n{"step":1,"loss":\n[1]\n{"step":-1,"loss":1}\n{"loss":3}\n{"step":2,"loss":1}',
    )
    const { runs, damaged } = await check(path)
    expect(runs[0]!.loggedIterations).toBe(2)
    expect(damaged.count).toBe(4)
    expect(damaged.lines.map(({ lineNumber }) => lineNumber)).toEqual([3, 4, 5, 6])
    expect(damaged.lines[0]!.path).toBe(path)
  })

  it('that fall back begin a new attempt', async () => {
    const lines = [...steps(10, (step) => ({ step, loss: 1 })), ...steps(4, (i) => ({ step: 5 + i, loss: 2 }))]
    expect((await piped(lines)).runs[0]!.iterations).toBe(9)
  })

  it('with completions get their quality measured', async () => {
    const words = ['tree', 'water', 'bread', 'stone', 'light', 'river', 'night', 'paper']
    const lines = steps(60, (step) => ({
      step,
      loss: 1,
      reward: step,
      prompts: ['a', 'b'],
      completions: [words.map((_, i) => words[(i * 3 + step) % 8]).join(' '), 'so it is'],
    }))
    const { runs } = await piped(lines, { mode: 'calibrated' })
    const watch = runs[0]!.coverage.find(({ detector }) => detector === 'answer-quality')
    expect(watch).toMatchObject({ missing: [] })
  })

  it('survive names and texts that want harm', async () => {
    const lines = [
      '{"step":0,"__proto__":1,"constructor":2,"\\u001b[31mred":3,"prompts":"x","responses":[1,null,{}],"rewards":{}}',
      `{"step":1,"loss":1,"${'n'.repeat(5000)}":1}`,
      `{"step":2,"deep":${'['.repeat(2000)}${']'.repeat(2000)}}`,
      '{"step":1e300}',
    ]
    const { runs, damaged } = await piped(lines)
    expect(runs[0]!.loggedIterations).toBe(3)
    expect(damaged.count).toBe(1)
  })
})

describe('contradictions in a log', () => {
  const lines = (metrics: Record<string, number>) =>
    Array.from({ length: 6 }, (_, step) => ({ step, reward: 1, frac_reward_zero_std: 0, ...metrics }))

  it.each([
    [
      'a k3 estimate below 0',
      { kl: -0.2 },
      /kl_ref\/token, logged as kl, is -0.2, and by its definition it cannot be below 0: the log is wrong/,
    ],
    [
      'a clipped share above 1',
      { clip_ratio: 1.3 },
      /ppo\/clip_fraction, logged as clip_ratio, is 1.3, and .* above 1: the log is wrong/,
    ],
  ])('%s is a broken invariant that says so', async (_, metrics, reason) => {
    const { runs } = await piped(lines(metrics), { mode: 'calibrated' })
    expect(runs[0]!.alerts).toMatchObject([
      { kind: 'broken-invariant', reason: expect.stringMatching(reason), advice: [{ do: 'check-log' }] },
    ])
  })

  it('is not seen where a negative value is ordinary, and the coverage says why', async () => {
    const verl = Array.from({ length: 6 }, (_, step) => ({
      step,
      data: { 'actor/pg_loss': 0, 'actor/ppo_kl': -0.2, 'critic/score/mean': 1 },
    }))
    const { runs } = await piped(verl, { mode: 'calibrated' })
    expect(runs[0]!.alerts).toEqual([])
    const unfit = { series: 'ppo/approx_kl', why: 'it is the k1 estimate, which may be negative' }
    expect(runs[0]!.coverage.find(({ detector }) => detector === 'negative-kl')).toMatchObject({ unfit: [unfit] })
  })
})

describe('a stream', () => {
  it('of several runs is told apart', async () => {
    const line = (run: string, seq: number) => ({
      v: 1,
      type: 'event',
      run,
      writer: 'w',
      seq,
      time: seq,
      phase: 'iteration_end',
      iteration: seq - 1,
      metrics: { kl_div: 0.5 },
    })
    const { runs, repeated, missing } = await piped(
      [line('a', 1), line('b', 1), line('a', 2), line('a', 2), line('b', 4)],
      { mode: 'threshold' },
    )
    expect(runs.map(({ run, loggedIterations, alerts }) => [run, loggedIterations, alerts.length])).toEqual([
      ['a', 2, 1],
      ['b', 2, 1],
    ])
    expect({ repeated, missing }).toEqual({ repeated: 1, missing: 2 })
  })

  it('that fails is not readable', async () => {
    async function* failing() {
      yield Buffer.from('{"step":0,"loss":1}\n')
      throw new Error('EIO: i/o error')
    }
    await expect(checkPath('-', { check: {}, stdin: Readable.from(failing()) })).rejects.toThrowError(
      expect.objectContaining({ code: 'not-readable', message: expect.stringContaining('EIO') }),
    )
  })

  it('ends when it is told to', async () => {
    const controller = new AbortController()
    async function* endless() {
      for (let step = 0; ; step++) {
        if (step === 100) controller.abort()
        yield Buffer.from(`{"step":${step},"loss":1}\n`)
      }
    }
    const checking = checkPath('-', { check: {}, stdin: Readable.from(endless()), signal: controller.signal })
    await expect(checking).rejects.toThrow()
  })

  it('that never makes a line or never makes sense is given up', async () => {
    await expect(piped(Array.from({ length: 5000 }, () => 'x'))).rejects.toThrowError(/no line of it says/)
    await expect(piped(Array.from({ length: 5000 }, () => '{x'))).rejects.toThrowError(/\d lines, none of which/)
    function* endless() {
      for (;;) yield Buffer.from('{x\n'.repeat(100))
    }
    const reading = checkPath('-', { check: {}, stdin: Readable.from(endless()) })
    await expect(reading).rejects.toThrowError(/1000 lines, none of which/)
    await expect(check('-', {}, 'x'.repeat(40_000_000))).rejects.toThrowError(/longer than 16777216 bytes/)
  })
})
