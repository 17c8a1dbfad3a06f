import { readFileSync } from 'node:fs'
import { deflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compressionRatio } from './compression.ts'
import { cosineDistance } from './cosine.ts'
import { hashedNgrams } from './hashed-ngrams.ts'
import { plainJson } from './plain-json.ts'
import { plainText } from './plain-text.ts'
import { codePoints, MAX_COMPARED_CODE_POINTS, matchedItems, sequenceRatio } from './sequence-matcher.ts'
import { wordPairs } from './word-pairs.ts'

const golden = JSON.parse(readFileSync(new URL('./sequence-matcher.fixture.json', import.meta.url), 'utf8')) as {
  cases: { a: string; b: string; ratio: number; matched: number }[]
}

describe('sequenceRatio', () => {
  it('equals Python’s difflib on its golden values', () => {
    expect(golden.cases.length).toBeGreaterThan(70)
    for (const { a, b, ratio, matched } of golden.cases) {
      expect(matchedItems(codePoints(a), codePoints(b)), JSON.stringify([a, b])).toBe(matched)
      expect(sequenceRatio(a, b)).toBe(ratio)
    }
  })

  it('is 1 for equal texts, 0 for nothing in common, and within both', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        expect(sequenceRatio(a, a)).toBe(1)
        const ratio = sequenceRatio(a, b)
        expect(ratio).toBeGreaterThanOrEqual(0)
        expect(ratio).toBeLessThanOrEqual(1)
        expect(sequenceRatio(a.replace(/[a-m]/g, ''), `${b.replace(/[^a-m]/g, '')}a`)).toBe(0)
      }),
    )
  })

  it('looks at the first 1,000 code points of a megabyte', () => {
    expect(codePoints('\u{1f600}'.repeat(500_000))).toHaveLength(MAX_COMPARED_CODE_POINTS)
    expect(sequenceRatio('ab'.repeat(4000), 'cd'.repeat(4000))).toBe(0)
  })
})

const repetition = (text: string) => wordPairs([text]).repetition[0]

describe('text measures', () => {
  it('of known answers are what they are by hand', () => {
    expect(wordPairs(['a b a b a']).distinct).toBe(2 / 4)
    expect(wordPairs(['a b', 'a b', 'c d']).distinct).toBe(2 / 3)
    expect(wordPairs(['', 'one']).distinct).toBe(1)
    expect(repetition('a b a b a')).toBe(1 - 2 / 4)
    expect([repetition(''), repetition('word'), repetition('no pair twice here')]).toEqual([0, 0, 0])
    expect(compressionRatio(['x'.repeat(2000)])).toBeLessThan(0.05)
    expect(compressionRatio([])).toBe(1)
    expect(compressionRatio(['qz'])).toBeGreaterThan(1)
  })

  it('of several texts: diversity over all, repetition within each', () => {
    const texts = ['a b a b', 'a b c', '', 'Über a b', 'one']
    expect(wordPairs(texts)).toEqual({
      distinct: 4 / 7,
      repetition: [1 / 3, 0, 0, 0, 0].map((x) => expect.closeTo(x, 12)),
    })
  })

  it('compress as with the usual sizes of buffers', () => {
    const answers = (words: number) => Array.from({ length: words }, (_, i) => `w${(i * i) % 97}`).join(' ')
    for (const words of [1, 5, 60, 400, 1000]) {
      const texts = Array.from({ length: 30 }, (_, i) => answers(words + i))
      const bytes = Buffer.from(texts.map((text) => text.slice(0, 2048)).join('\n'))
      expect(compressionRatio(texts)).toBe(deflateRawSync(bytes, { level: 6 }).length / bytes.length)
    }
  })

  it('take Unicode words and ignore what lies beyond 2,048 characters', () => {
    expect(wordPairs(['Über über, ÜBER über']).distinct).toBe(3 / 4)
    expect(repetition(`${'a b c d '.repeat(256)}${'z z '.repeat(100_000)}`)).toBe(repetition('a b c d '.repeat(256)))
  })
})

describe('vectors', () => {
  it('of n-grams are near for alike texts, far for others, and of length 1', () => {
    const [a, b, c] = ['water the tree each week .', 'water the trees each week .', 'you know how it is'].map(
      hashedNgrams,
    ) as [Float32Array, Float32Array, Float32Array]
    expect(cosineDistance(a, a)).toBeCloseTo(0, 6)
    expect(cosineDistance(a, b)).toBeLessThan(0.2)
    expect(cosineDistance(a, c)).toBeGreaterThan(0.6)
    expect(Math.hypot(...a)).toBeCloseTo(1, 5)
    const none = hashedNgrams('')
    expect([cosineDistance(none, none), cosineDistance(none, a)]).toEqual([0, 1])
    expect(cosineDistance(Float32Array.of(1, 0), Float32Array.of(-1, 0))).toBe(2)
  })
})

describe('plainText', () => {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what must not be left
  const unsafe = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/

  it.each([
    ['\u001b[31mred\u001b[0m', 'red'],
    ['\u001b]0;title\u0007after', 'after'],
    ['\u001b]8;;http://x\u001b\\link\u001b]8;;\u001b\\', 'link'],
    ['\u001b]52;c;unterminated', ''],
    ['\u001bP1$r\u001b\\x', 'x'],
    ['\u009b2Jx', 'x'],
    ['a\tb\r\nc', 'a b c'],
    ['\u202eevil\u202c', 'evil'],
    ['bell\u0007 null\u0000', 'bell null'],
    ['ordinary text, Ünïcode 日本 😀', 'ordinary text, Ünïcode 日本 😀'],
  ])('makes %j to %j', (text, expected) => expect(plainText(text)).toBe(expected))

  it('leaves nothing that a terminal would act on, twice the same as once', () => {
    const pieces = fc.constantFrom(
      '\u001b',
      '[',
      ']',
      '0',
      ';',
      'm',
      '\u0007',
      '\\',
      '\u009b',
      '\u0090',
      '\u202e',
      'x',
      '\n',
      '\u001b[',
      '\u001b]',
      '😀',
    )
    fc.assert(
      fc.property(fc.array(fc.oneof(pieces, fc.string({ unit: 'binary' }))), (parts) => {
        const plain = plainText(parts.join(''))
        expect(plain).not.toMatch(unsafe)
        expect(plainText(plain)).toBe(plain)
      }),
      { numRuns: 500 },
    )
  })

  it('cuts by code points and says so', () => {
    expect(plainText('😀'.repeat(10), 5)).toBe(`${'😀'.repeat(4)}…`)
    expect(plainText('x'.repeat(10_000_000), 50)).toHaveLength(50)
  })
})

describe('plainJson', () => {
  it('is JSON of whatever comes, plain data unchanged', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const { text, cut } = plainJson({ value })
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify({ value })))
        expect(cut).toBe(false)
      }),
    )
    fc.assert(fc.property(fc.anything(), (value) => void JSON.parse(plainJson(value).text)))
  })

  it('keeps __proto__ as a name like any other', () => {
    const { text } = plainJson(JSON.parse('{"__proto__":{"polluted":1}}'))
    expect(text).toBe('{"__proto__":{"polluted":1}}')
  })
})
