import type { SampleView } from './display-state.ts'
import type { Glyphs } from './glyphs.ts'
import { heading } from './sections.ts'
import { type Line, type Span, span, wrapLine } from './spans.ts'
import { textWidth } from './text-width.ts'

const LABEL = 8
/** Kept words around a change that stay where a long answer is shortened. */
const CONTEXT = 24

/** The newest sample change: the prompt, the answer before and after, what differs marked. */
export function sampleLines(
  sample: SampleView | null,
  width: number,
  maxLines: number,
  color: boolean,
  glyphs: Glyphs,
): Line[] {
  if (!sample) return []
  const when =
    width < 70 ? `it ${sample.iteration}` : `iteration ${sample.iteration} against ${sample.baselineIteration}`
  const note = [span(`${when} ${glyphs.separator} similarity ${sample.similarity.toFixed(2)}`, 'dim')]
  const room = (width - LABEL) * maxLines
  const before = side(sample.words, 'removed', room, color, glyphs)
  const after = side(sample.words, 'added', room, color, glyphs)
  return [
    heading('Newest sample change', note, width, glyphs),
    ...labelled('prompt', [span(sample.prompt)], width, glyphs, 1),
    ...labelled('before', before, width, glyphs, maxLines),
    ...labelled('after', after, width, glyphs, maxLines),
  ]
}

function labelled(label: string, text: Line, width: number, glyphs: Glyphs, maxLines: number): Line[] {
  const lines = wrapLine(text, width - LABEL, maxLines, glyphs)
  if (lines.length === 0) return [[span(label.padEnd(LABEL), 'dim'), span('(empty)', 'dim')]]
  return lines.map((line, i) => [span((i === 0 ? label : '').padEnd(LABEL), 'dim'), ...line])
}

/** One side of the word diff. Without colour what differs is in brackets, as in `git diff --word-diff`. */
function side(
  words: SampleView['words'],
  own: 'removed' | 'added',
  room: number,
  color: boolean,
  glyphs: Glyphs,
): Line {
  const runs = words.filter(({ kind, text }) => (kind === 'kept' || kind === own) && text !== '')
  const long = textWidth(runs.map(({ text }) => text).join('')) > room
  return runs.flatMap(({ kind, text }, i): Span[] => {
    // Runs are of words; the white space between them may be left out.
    const before = runs[i - 1]?.text
    const apart = before !== undefined && !before.endsWith(' ') && !text.startsWith(' ')
    return apart ? [span(' '), shown(kind, text, i)] : [shown(kind, text, i)]
  })

  function shown(kind: 'kept' | 'removed' | 'added', text: string, i: number): Span {
    if (kind === 'kept') return span(long ? shortened(text, i === 0, i === runs.length - 1, glyphs) : text)
    if (color) return span(text, own)
    const [open, close] = own === 'removed' ? ['[-', '-]'] : ['{+', '+}']
    const [, before = '', inner = '', after = ''] = /^(\s*)(.*?)(\s*)$/u.exec(text) ?? []
    return span(inner === '' ? text : before + open + inner + close + after)
  }
}

/** A kept run with its middle (or its end away from any change) left out. */
function shortened(text: string, first: boolean, last: boolean, glyphs: Glyphs): string {
  if (text.length <= CONTEXT * 2 + 3) return text
  const head = first ? '' : cutAtSpace(text.slice(0, CONTEXT), 'end')
  const tail = last ? '' : cutAtSpace(text.slice(-CONTEXT), 'start')
  return `${head}${head === '' ? '' : ' '}${glyphs.ellipsis}${tail === '' ? '' : ' '}${tail}`
}

function cutAtSpace(text: string, side: 'start' | 'end'): string {
  const at = side === 'end' ? text.lastIndexOf(' ') : text.indexOf(' ')
  if (at < 0) return text
  return side === 'end' ? text.slice(0, at) : text.slice(at + 1)
}
