/**
 * A word diff as a line for people. Everything in it may be hostile.
 *
 * @module
 */
import { displayText } from '../outputs/terminal/display-text.ts'
import { type Line, type Span, span } from '../outputs/terminal/spans.ts'
import type { SampleDiff } from '../quality/comparison.ts'

const MARKS = { removed: ['[-', '-]'], added: ['{+', '+}'] } as const

/** What was removed and what was added: in colours, or without them in brackets, as `git diff --word-diff` has them. */
export function wordDiffLine(words: SampleDiff['words'], color: boolean): Line {
  const parts: Span[] = []
  for (const { kind, text } of words) {
    const clean = displayText(text, text.length).trim()
    if (clean === '') continue
    if (parts.length > 0) parts.push(span(' '))
    if (kind === 'kept') parts.push(span(clean))
    else if (color) parts.push(span(clean, kind))
    else parts.push(span(`${MARKS[kind][0]}${clean}${MARKS[kind][1]}`))
  }
  return parts
}
