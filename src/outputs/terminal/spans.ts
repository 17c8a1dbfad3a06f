/**
 * Lines as runs of styled text, so that widths are counted and lines cut before any colour comes in.
 *
 * @module
 */
import type { Glyphs } from './glyphs.ts'
import { headOfWidth, textWidth } from './text-width.ts'

/** What a run of text is, not how it looks. */
export type Style = 'plain' | 'strong' | 'dim' | 'good' | 'warn' | 'bad' | 'accent' | 'added' | 'removed'

/** A run of text in one style; the text is free of controls. */
export interface Span {
  readonly text: string
  readonly style: Style
}

/** One line of a display. */
export type Line = readonly Span[]

/** Only the sixteen colours that every theme defines, so that the display suits light and dark terminals. */
const SGR: Readonly<Record<Style, string>> = {
  plain: '',
  strong: '1',
  dim: '2',
  good: '32',
  warn: '33',
  bad: '31',
  accent: '36',
  added: '32',
  removed: '31',
}

/** A run of text. */
export function span(text: string, style: Style = 'plain'): Span {
  return { text, style }
}

/** Columns that a line takes. */
export function lineWidth(line: Line): number {
  let width = 0
  for (const { text } of line) width += textWidth(text)
  return width
}

/** The line, cut with an ellipsis where it is wider than `width`. */
export function clipLine(line: Line, width: number, glyphs: Glyphs): Line {
  return lineWidth(line) <= width ? line : clipped(line, width, glyphs)
}

function clipped(line: Line, width: number, glyphs: Glyphs): Line {
  if (width <= 0) return []
  const kept: Span[] = []
  let left = width - 1
  let style: Style = 'plain'
  for (const part of line) {
    style = part.style
    const text = headOfWidth(part.text, left)
    if (text !== '') kept.push({ text, style })
    if (text.length < part.text.length) break
    left -= textWidth(text)
  }
  return [...kept, span(glyphs.ellipsis, style)]
}

/** The line in exactly `width` columns: cut or filled with spaces. */
export function fitLine(line: Line, width: number, glyphs: Glyphs, align: 'left' | 'right' = 'left'): Line {
  const taken = lineWidth(line)
  if (taken === width) return line
  if (taken > width) return padded(clipped(line, width, glyphs), width, align)
  return padded(line, width, align, taken)
}

/** A cut line may lack a column where a wide character did not fit. */
function padded(line: Line, width: number, align: 'left' | 'right', taken = lineWidth(line)): Line {
  if (taken >= width) return line
  const fill = span(' '.repeat(width - taken))
  return align === 'left' ? [...line, fill] : [fill, ...line]
}

/** The line as a terminal takes it, without the spaces at its end; without colour it has no escape at all. */
export function renderLine(line: Line, color: boolean): string {
  let text = ''
  let length = line.length
  while (length > 0 && line[length - 1]!.text.trim() === '') length--
  for (let i = 0; i < length; i++) {
    const { style } = line[i]!
    let run = line[i]!.text
    while (i + 1 < length && line[i + 1]!.style === style) run += line[++i]!.text
    const code = SGR[style]
    text += color && code !== '' && run.trim() !== '' ? `\u001b[${code}m${run}\u001b[0m` : run
  }
  return text.trimEnd()
}

/** Lines moved in by so many columns. */
export function indentLines(by: number, lines: readonly Line[]): Line[] {
  return lines.map((line): Line => [span(' '.repeat(by)), ...line])
}

/** Breaks a text at spaces into at most `maxLines` lines of `width` columns; what is too much ends in an ellipsis. */
export function wrapText(text: string, width: number, maxLines: number, glyphs: Glyphs): string[] {
  return wrapLine([span(text)], width, maxLines, glyphs).map((line) => line.map((part) => part.text).join(''))
}

/** {@link wrapText} for styled text. */
export function wrapLine(line: Line, width: number, maxLines: number, glyphs: Glyphs): Line[] {
  if (width <= 0 || maxLines <= 0) return []
  const lines: Span[][] = []
  let current: Span[] = []
  let used = 0
  const words = line.flatMap(({ text, style }) => (text.match(/ +|[^ ]+/g) ?? []).map((word) => span(word, style)))
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!
    const size = textWidth(word.text)
    const blank = word.text[0] === ' '
    if (used + size <= width) {
      if (blank && used === 0 && lines.length > 0) continue
      current.push(word)
      used += size
      continue
    }
    if (lines.length === maxLines - 1) {
      lines.push([...clipLine([...current, ...words.slice(i)], width, glyphs)])
      return lines
    }
    if (used > 0) {
      lines.push(current)
      current = []
      used = 0
      if (!blank) i--
      continue
    }
    // A word wider than a line is cut hard.
    const head = headOfWidth(word.text, width)
    if (head === '') return lines
    lines.push([{ text: head, style: word.style }])
    words[i] = { text: word.text.slice(head.length), style: word.style }
    i--
  }
  if (current.length > 0) lines.push(current)
  return lines
}
