import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import fc from 'fast-check'
import stringWidth from 'string-width'
import { describe, expect, it } from 'vitest'
import { VerbosityLevel } from '../../verbosity.ts'
import type { DisplayState } from './display-state.ts'
import { displayText } from './display-text.ts'
import { frame } from './frame.ts'
import { glyphsFor } from './glyphs.ts'
import { HACKING, row, runningState } from './states.fixture.ts'
import type { FrameView } from './view.ts'

const golden = join(import.meta.dirname, 'golden')

function view(width: number, height: number, more: Partial<FrameView> = {}): FrameView {
  return { width, height, color: false, glyphs: glyphsFor(true), ...more }
}

/** Compares with the file, or writes it with UPDATE_GOLDEN=1. */
function expectGolden(name: string, lines: readonly string[]): void {
  const path = join(golden, `${name}.txt`)
  const text = `${lines.join('\n')}\n`
  if (process.env.UPDATE_GOLDEN === '1') {
    mkdirSync(golden, { recursive: true })
    writeFileSync(path, text)
  }
  expect(text).toBe(readFileSync(path, 'utf8'))
}

const SIMPLE = { verbosity: VerbosityLevel.SIMPLE }
const EMPTY: Partial<DisplayState> = {
  runId: null,
  status: 'waiting',
  done: 0,
  total: null,
  elapsedMs: 0,
  etaMs: null,
  msPerIteration: null,
  reward: null,
  kl: null,
  loss: null,
  series: [],
  seriesCount: 0,
  mechanics: [],
  alerts: [],
  alertCounts: { info: 0, warning: 0, critical: 0, muted: 0 },
  sample: null,
  coverage: null,
}

describe('golden frames', () => {
  it.each([
    [40, 10],
    [60, 30],
    [80, 24],
    [120, 40],
    [200, 50],
  ])('verbose at %i x %i', (columns, rows) => {
    expectGolden(`verbose-${columns}x${rows}`, frame(runningState(), view(columns - 1, rows - 1)))
  })

  it.each([20, 40, 60, 80, 120])('simple at %i columns', (columns) => {
    const quiet = { ...SIMPLE, alerts: [], alertCounts: { info: 0, warning: 0, critical: 0, muted: 0 } }
    expectGolden(`simple-${columns}`, [
      ...frame(runningState(SIMPLE), view(columns - 1, 23)),
      ...frame(runningState(quiet), view(columns - 1, 23)),
      ...frame(runningState({ ...SIMPLE, status: 'stopped' }), view(columns - 1, 23)),
      ...frame(runningState({ ...quiet, status: 'completed', done: 120 }), view(columns - 1, 23)),
      ...frame(runningState({ ...quiet, total: null, etaMs: null }), view(columns - 1, 23)),
      ...frame(runningState({ ...EMPTY, ...SIMPLE }), view(columns - 1, 23)),
    ])
  })

  it('tells of muted alerts in one line, also where nothing else is to be told', () => {
    const mutedKinds = ['Length explosion', 'KL explosion']
    const counts = { info: 0, warning: 0, critical: 1, muted: 3 }
    const both = frame(runningState({ alertCounts: counts, mutedKinds }), view(79, 23)).join('\n')
    expect(both).toMatch(/ALERTS.* 1 critical\n3 alerts are muted: length explosion, KL explosion\n. critical/i)
    const alone = frame(
      runningState({ alerts: [], alertCounts: { ...counts, critical: 0, muted: 1 }, mutedKinds: ['Stall'] }),
      view(79, 40),
    )
    expect(alone.filter((line) => line.includes('muted'))).toEqual([
      expect.stringMatching(/alerts .*none but muted ones/i),
      '1 alert is muted: stall',
    ])
  })

  it('colours what matters and nothing else', () => {
    const lines = frame(runningState(), view(79, 23, { color: true }))
    expectGolden(
      'verbose-80x24-color',
      lines.map((line) => line.replaceAll('\u001b', '␛')),
    )
  })

  it('draws with ASCII alone where nothing else is shown', () => {
    const lines = frame(runningState(), view(79, 23, { glyphs: glyphsFor(false) }))
    expect(lines.join('')).toMatch(/^[ -~]*$/)
    expectGolden('verbose-80x24-ascii', lines)
  })

  it('says how a failed run ended, and shows a run before its first number', () => {
    expectGolden('verbose-failed', [
      ...frame(runningState({ status: 'failed', why: 'out of memory while sampling' }), view(79, 12)),
      '',
      ...frame(runningState(EMPTY), view(79, 12)),
    ])
  })
})

describe('what every frame keeps to', () => {
  const hostile = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 80 }),
    fc.constantFrom(
      '\u001b]0;owned\u0007\u001b[2J\u001b[31mred',
      'abc\u202edcba\u2066x',
      '漢字かな交じり文'.repeat(20),
      '👩‍👩‍👧‍👦👍🏽🇩🇪✈️'.repeat(12),
      `z${'\u0301'.repeat(500)}algo`,
      'x'.repeat(5000),
      '\ud800 lone \udfff',
      '__proto__',
      'line\r\nbreak\ttab\u0085\u2028',
      '',
    ),
  )
  const number = fc.oneof(fc.double(), fc.constantFrom(Number.NaN, Infinity, -Infinity, 1e300, -1e-300, 0, 99_999.99))
  const state = fc
    .record({
      verbosity: fc.constantFrom(VerbosityLevel.SIMPLE, VerbosityLevel.VERBOSE),
      status: fc.constantFrom('waiting', 'running', 'completed', 'stopped', 'failed' as const),
      text: hostile,
      other: hostile,
      value: number,
      mean: number,
      history: fc.array(number, { maxLength: 300 }),
      done: fc.nat(2_000_000_000),
      total: fc.option(fc.integer({ min: 1, max: 2_000_000_000 })),
      ms: fc.double({ min: 0, noNaN: true }),
      rows: fc.nat(40),
    })
    .map(({ verbosity, status, text, other, value, mean, history, done, total, ms, rows }): DisplayState => {
      const said = displayText(text)
      const series = Array.from({ length: rows }, (_, i) =>
        row(`s${i}`, displayText(other), value, { mean, history, unit: i % 3 === 0 ? 'fraction' : said.slice(0, 9) }),
      )
      return runningState({
        verbosity,
        status,
        runId: said,
        why: said,
        done,
        total,
        etaMs: ms,
        elapsedMs: ms,
        msPerIteration: ms,
        series,
        mechanics: series.slice(0, 7),
        reward: series[0] ?? null,
        alerts: [{ ...HACKING, title: said, reason: displayText(other), advice: [said, said] }],
        sample: {
          iteration: 1,
          baselineIteration: 0,
          similarity: value,
          prompt: said,
          words: [
            { kind: 'kept', text: said },
            { kind: 'removed', text: displayText(other) },
            { kind: 'added', text: said },
          ],
        },
        coverage: { watched: [], unwatched: [{ title: said, why: displayText(other) }] },
      })
    })

  it('never wider, never higher, never a control character, whatever it shows', () => {
    fc.assert(
      fc.property(
        state,
        fc.integer({ min: 1, max: 230 }),
        fc.integer({ min: 1, max: 60 }),
        fc.boolean(),
        (drawn, width, height, unicode) => {
          const lines = frame(drawn, view(width, height, { glyphs: glyphsFor(unicode) }))
          expect(lines.length).toBeLessThanOrEqual(height)
          for (const line of lines) {
            expect(stringWidth(line)).toBeLessThanOrEqual(width)
            expect(line).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u)
          }
        },
      ),
      { numRuns: 250, seed: 1 },
    )
  })

  it('says the same with colour as without', () => {
    for (const [width, height] of [
      [79, 23],
      [150, 40],
    ] as const) {
      const plain = runningState({ sample: null })
      const bare = frame(plain, view(width, height, { color: true })).map((line) =>
        stripVTControlCharacters(line).trimEnd(),
      )
      expect(bare).toEqual(frame(plain, view(width, height)))
    }
  })

  it('shows nothing where there is no room at all', () => {
    expect(frame(runningState(), view(0, 10))).toEqual([])
    expect(frame(runningState(), view(10, 0))).toEqual([])
  })
})

describe('the single line', () => {
  it('gives up the least important first', () => {
    const shown = (width: number): string => frame(runningState(SIMPLE), view(width, 1))[0]!
    const words = ['58/120', '●', 'reward', '48 %', 'KL', 'loss']
    const widths = words.map((word) => {
      let width = 1
      while (!shown(width).includes(word)) width++
      return width
    })
    expect(widths).toEqual(widths.toSorted((a, b) => a - b))
    expect(widths.at(-1)).toBeLessThan(80)
  })

  it('shows a value that is not finite as what it is', () => {
    const broken = row('loss/total', 'Total loss', Number.NaN)
    const [line] = frame(runningState({ ...SIMPLE, loss: broken, kl: row('kl', 'KL', -Infinity) }), view(119, 1))
    expect(line).toContain('loss NaN')
    expect(line).toContain('KL -∞')
  })
})
