import fc from 'fast-check'
import stringWidth from 'string-width'
import { describe, expect, it } from 'vitest'
import { displayText } from './display-text.ts'
import { createPace, etaMs } from './eta.ts'
import { formatElapsed, formatInUnit, formatPace, formatValue } from './format-value.ts'
import { glyphsFor } from './glyphs.ts'
import { progressBar } from './progress-bar.ts'
import { clipLine, lineWidth, renderLine, span, wrapText } from './spans.ts'
import { sparkline } from './sparkline.ts'
import { showsUnicode, sizeOf, wantsColor } from './terminal-traits.ts'
import { headOfWidth, textWidth } from './text-width.ts'
import { trendArrow } from './trend-arrow.ts'

const unicode = glyphsFor(true)
const ascii = glyphsFor(false)

describe('numbers', () => {
  it.each([
    [0, '0'],
    [-0, '0'],
    [0.4321, '0.432'],
    [0.0123, '0.0123'],
    [0.00999999, '0.0100'],
    [0.9996, '1.00'],
    [-0.9994, '-0.999'],
    [0.001, '0.00100'],
    [0.0009, '9e-4'],
    [2e-4, '2e-4'],
    [1.1, '1.10'],
    [99.996, '100.0'],
    [999.96, '1,000'],
    [-12_345.6, '-12,346'],
    [999_999.6, '1e6'],
    [-1.234e-300, '-1.23e-300'],
    [1.7e308, '1.7e308'],
    [Number.NaN, 'NaN'],
    [Infinity, '∞'],
    [-Infinity, '-∞'],
  ])('%d is %s', (value, text) => expect(formatValue(value, unicode)).toBe(text))

  it('take at most nine columns (but for exponents of three digits) and are off by half a per cent at most', () => {
    const ordinary = fc.double({ min: -1e99, max: 1e99, noNaN: true }).filter((x) => x === 0 || Math.abs(x) > 1e-99)
    fc.assert(
      fc.property(ordinary, (value) => {
        expect(formatValue(value, unicode).length).toBeLessThanOrEqual(9)
      }),
    )
    fc.assert(
      fc.property(ordinary, (value) => {
        const shown = Number(formatValue(value, unicode).replaceAll(',', ''))
        expect(Math.abs(shown - value)).toBeLessThanOrEqual(Math.abs(value) * 0.0051)
      }),
    )
  })

  it.each([
    [0.083, 'fraction', '8.3 %'],
    [Number.NaN, 'fraction', 'NaN'],
    [1e9, 'fraction', '1e11 %'],
    [0.5, 'nats/token', '0.500'],
  ])('%d in %s is %s', (value, unit, text) => expect(formatInUnit(value, unit, unicode)).toBe(text))

  it('needs no Unicode', () => expect(formatValue(-Infinity, ascii)).toBe('-inf'))

  it.each([
    [null, '-'],
    [Number.NaN, '-'],
    [-1, '-'],
    [0, '0.0s'],
    [9_949, '9.9s'],
    [9_999, '10s'],
    [59_499, '59s'],
    [59_500, '1m00s'],
    [185_000, '3m05s'],
    [3_599_600, '1h00m'],
    [86_399_000, '1d00h'],
    [1e18, '>9999d'],
  ])('%d ms is %s', (ms, text) => expect(formatElapsed(ms)).toBe(text))

  it.each([
    [null, '-'],
    [0, '-'],
    [500, '2.0 it/s'],
    [0.5, '2,000 it/s'],
    [12_000, '12s/it'],
  ])('%d ms an iteration is %s', (ms, text) => expect(formatPace(ms, unicode)).toBe(text))
})

describe('trend indicators', () => {
  it.each([
    ['up', 'down', '▲', '^', 'good'],
    ['up', 'up', '▲', '^', 'warn'],
    ['down', 'down', '▼', 'v', 'warn'],
    ['down', 'up', '▼', 'v', 'good'],
    ['flat', 'up', '▬', '=', 'dim'],
    ['up', null, '▲', '^', 'dim'],
    [null, 'up', ' ', ' ', 'plain'],
  ] as const)('%s where %s is bad', (direction, bad, mark, plain, style) => {
    expect(trendArrow(direction, bad, unicode)).toEqual({ text: mark, style })
    expect(trendArrow(direction, bad, ascii)).toEqual({ text: plain, style })
  })
})

describe('sparklines', () => {
  it.each([
    [[], 10, ''],
    [[1], 0, ''],
    [[1], 10, '▅'],
    [[3, 3, 3], 10, '▅▅▅'],
    [[0, 1, 2, 3, 4, 5, 6, 7], 10, '▁▂▃▄▅▆▇█'],
    [[0, 0, 7, 7], 2, '▁█'],
    [[0, Number.NaN, 7], 3, '▁x█'],
    [[0, Infinity, 7], 3, '▁x█'],
    [[Number.NaN, Number.NaN], 5, 'xx'],
    [[-1.7e308, 1.7e308], 2, '▁█'],
    [[0, 5e-324], 2, '▅▅'],
  ])('%j in %i columns is %s', (values, width, text) => expect(sparkline(values, width, unicode)).toBe(text))

  it('takes at most its width', () => {
    fc.assert(
      fc.property(fc.array(fc.double()), fc.integer({ min: 0, max: 60 }), (values, width) => {
        expect(sparkline(values, width, unicode).length).toBe(Math.min(values.length, width))
      }),
    )
  })
})

describe('time to go', () => {
  it('does not count the first iteration, which compiles, once there is another', () => {
    const pace = createPace()
    expect(pace.msPerIteration()).toBe(null)
    pace.start(0, 0)
    expect(pace.msPerIteration()).toBe(null)
    pace.note(1, 5000)
    expect(pace.msPerIteration()).toBe(5000)
    pace.note(2, 5100)
    pace.note(3, 5200)
    expect(pace.msPerIteration()).toBe(100)
    expect(etaMs(3, 10, pace.msPerIteration())).toBe(700)
  })

  it('survives a machine that slept, skipped iterations, a resumed run and a clock that stands still', () => {
    const pace = createPace()
    pace.start(0, 0)
    for (let i = 1; i <= 30; i++) pace.note(i, i * 100)
    pace.note(31, 8 * 3_600_000)
    expect(pace.msPerIteration()).toBeLessThan(200)
    pace.note(41, 8 * 3_600_000 + 1000)
    expect(pace.msPerIteration()).toBeLessThan(200)
    pace.start(5, 9 * 3_600_000)
    expect(pace.msPerIteration()).toBe(null)
    pace.note(6, 9 * 3_600_000)
    pace.note(7, 9 * 3_600_000)
    expect(etaMs(7, 10, pace.msPerIteration())).toBe(0)
  })

  it('knows nothing without a total, and is never negative', () => {
    expect(etaMs(3, null, 100)).toBe(null)
    expect(etaMs(3, 10, null)).toBe(null)
    expect(etaMs(30, 10, 100)).toBe(0)
  })
})

describe('bars', () => {
  it.each([
    [0, 4, '────'],
    [0.5, 4, '━━──'],
    [0.6, 4, '━━╸─'],
    [1, 4, '━━━━'],
    [7, 4, '━━━━'],
    [-1, 4, '────'],
    [Number.NaN, 4, '────'],
    [0.5, -3, ''],
  ])('%d of %i columns is %s', (share, width, text) => {
    expect(renderLine(progressBar(share, width, unicode), false)).toBe(text)
  })
})

describe('text from outside', () => {
  it.each([
    ['\u001b]0;owned\u0007\u001b[2J\u001b[31mred\u001b[0m', 'red'],
    ['a\u202eb\u2066c\u200fd\u061ce', 'abcde'],
    ['two\r\nlines\tand\u2028more', 'two lines and more'],
    ['soft\u00adhyphen \ud800 \ue000', 'softhyphen \ufffd \ufffd'],
    [`z${'\u0301'.repeat(100)}`, 'z\u0301\u0301\u0301'],
    [42, ''],
  ])('%j is shown as %j', (text, shown) => expect(displayText(text)).toBe(shown))

  it('of a megabyte costs nothing', () => {
    for (const text of ['\u001b['.repeat(5e5), '\u001b]'.repeat(5e5), 'a\u0301'.repeat(5e5), ' '.repeat(1e6)]) {
      expect(displayText(text, 100).length).toBeLessThanOrEqual(200)
    }
  })

  it('is measured at least as wide as string-width says, and cut to fit', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 0, max: 20 }), (raw, width) => {
        const text = displayText(raw)
        expect(textWidth(text)).toBeGreaterThanOrEqual(stringWidth(text))
        expect(text.startsWith(headOfWidth(text, width))).toBe(true)
        expect(textWidth(headOfWidth(text, width))).toBeLessThanOrEqual(width)
        expect(lineWidth(clipLine([span(text)], width, unicode))).toBeLessThanOrEqual(width)
      }),
    )
  })

  it('is broken at spaces, words too long are cut, and what is left out is marked', () => {
    expect(wrapText('the quick brown fox', 10, 9, unicode)).toEqual(['the quick ', 'brown fox'])
    expect(wrapText('abcdefghij', 4, 9, unicode)).toEqual(['abcd', 'efgh', 'ij'])
    expect(wrapText('the quick brown fox jumps', 10, 2, unicode)).toEqual(['the quick ', 'brown fox…'])
    expect(wrapText('漢字漢字', 3, 9, unicode)).toEqual(['漢', '字', '漢', '字'])
    expect(wrapText('', 10, 2, unicode)).toEqual([])
  })
})

describe('what a terminal can do', () => {
  const tty = { write: () => true, isTTY: true }
  const pipe = { write: () => true }
  it.each([
    [tty, {}, true],
    [tty, { TERM: 'dumb' }, false],
    [tty, { NO_COLOR: '1' }, false],
    [tty, { NO_COLOR: '' }, true],
    [tty, { FORCE_COLOR: '0' }, false],
    [pipe, {}, false],
    [pipe, { FORCE_COLOR: '1' }, true],
    [pipe, { FORCE_COLOR: '1', NO_COLOR: '1' }, false],
  ])('colour of %o in %o', (stream, env, color) => expect(wantsColor(stream, env)).toBe(color))

  it.each([
    [{}, 'linux', true],
    [{ LANG: 'en_US.UTF-8' }, 'linux', true],
    [{ LANG: 'en_US.UTF-8', LC_ALL: 'C' }, 'linux', false],
    [{ LC_ALL: '', LANG: 'C.utf8' }, 'linux', true],
    [{ TERM: 'linux', LANG: 'C.UTF-8' }, 'linux', false],
    [{}, 'win32', false],
    [{ WT_SESSION: 'x' }, 'win32', true],
  ])('Unicode in %o on %s', (env, platform, shown) => expect(showsUnicode(env, platform)).toBe(shown))

  it.each([
    [{ ...tty, columns: 0, rows: 0 }, 80, 24],
    [{ ...tty, columns: Number.NaN, rows: -4 }, 80, 24],
    [{ ...tty, columns: 33, rows: 7 }, 33, 7],
    [pipe, 120, 24],
  ])('the size of %o', (stream, columns, rows) => expect(sizeOf(stream)).toEqual({ columns, rows }))
})
