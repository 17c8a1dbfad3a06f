import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { markdownTable } from './markdown-table.ts'
import { code, inlineText, quoted, wordDiff } from './markdown-text.ts'

const HOSTILE = [
  '\u001b[31mred\u001b[0m \u001b]0;title\u0007',
  '<script>alert(1)</script><img src=x onerror=alert(1)>',
  '[click](javascript:alert(1)) ![x](http://evil.example/p.png)',
  '| a | b |\n|---|---|\n# heading\n- item\n1. one\n```\ncode\n```',
  '\u202etxt.exe\u2066 \u200bzero\ufeff',
  'see http://evil.example and www.evil.example, @everyone, #1, $x$ ~~gone~~ **bold** _it_',
  '\u0000\u0085\u2028\u2029',
]

/** Whatever could be markup, HTML, a link, an escape or an override and is not escaped. */
function harm(markdown: string): string | null {
  const found =
    /(?!\n)\p{Cc}|[\u2028-\u202e\u2066-\u2069]|<(?!\/?(?:ins|del)>)|(?<!\\)[`[\]|~$]|(?<![\\&])#|:\/\/|www\.|@/u.exec(
      markdown,
    )
  return found && JSON.stringify(found[0])
}

describe.each(HOSTILE)('%j', (text) => {
  it('is shown and does nothing, in a line, in a quotation and in a diff', () => {
    expect(harm(inlineText(text))).toBeNull()
    expect(inlineText(text)).not.toContain('\n')
    expect(harm(quoted(text))).toBeNull()
    for (const line of quoted(text).split('\n')) expect(line).toMatch(/^>( (?!\s*([-+=]|#|\d+[.)]\s))|$)/)
    expect(
      harm(
        wordDiff([
          { kind: 'added', text },
          { kind: 'removed', text },
          { kind: 'kept', text },
        ]),
      ),
    ).toBeNull()
    expect(wordDiff([{ kind: 'added', text }])).not.toContain('\n')
  })

  it('stays within its code span', () => {
    const span = code(text)
    const fence = /^`+/.exec(span)![0]
    expect(span).toMatch(new RegExp(`^${fence}[^\\n]*${fence}$`, 'u'))
    expect(span.slice(fence.length, -fence.length)).not.toMatch(new RegExp(`(?<!\`)${fence}(?!\`)`))
    expect(span).not.toMatch(/\p{Cc}|\u202e|(?<!\\)\|/u)
  })
})

it('holds for any text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
      expect(harm(inlineText(text))).toBeNull()
      expect(harm(quoted(text))).toBeNull()
      expect(harm(wordDiff([{ kind: 'removed', text }]))).toBeNull()
    }),
  )
})

it('cuts a megabyte on one line and says so', () => {
  const text = 'x'.repeat(1_000_000)
  expect(inlineText(text, 100)).toBe(`${'x'.repeat(100)}… (999,900 more characters)`)
  expect(quoted(text, 100)).toBe(`> ${'x'.repeat(100)}  \n> *… (999,900 more characters)*`)
  expect(wordDiff([{ kind: 'kept', text }], 100)).toBe(`> ${'x'.repeat(100)} *… (999,900 more characters)*`)
  expect(code(text).length).toBeLessThan(200)
  expect(quoted('\n'.repeat(500)).split('\n').length).toBeLessThan(45)
})

it('leaves ordinary words, umlauts, emoji of several parts and numbers alone', () => {
  expect(inlineText('Grüße, 你好 👩‍👩‍👧 it is 0.5 (half) - really.')).toBe(
    'Grüße, 你好 👩‍👩‍👧 it is 0.5 (half) - really.',
  )
})

it('lines tables up by what is seen, wide characters included', () => {
  const table = markdownTable({
    columns: [{ heading: ['Name'] }, { heading: ['Value'], numeric: true }],
    rows: [
      [['你好'], ['1']],
      [['a'], ['12.5']],
    ],
  })
  expect(table).toBe('| Name | Value |\n| ---- | ----: |\n| 你好 |     1 |\n| a    |  12.5 |')
})
