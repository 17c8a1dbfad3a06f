import { displayWidth } from '../../text/display-width.ts'

// What displays mostly consist of: one column a character.
const NARROW = /^[ -~\u2500-\u25ff…·→✓∞]*$/
let segmenter: Intl.Segmenter | null = null

/** Made when a text needs it: it takes longer to make than the display. */
function graphemes(text: string): Intl.Segments {
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' })
  return segmenter.segment(text)
}

/**
 * Columns that a text takes at most. Terminals disagree on joined emoji and presentation selectors; the widest reading
 * counts, since a line that is too long wraps and one that is too short only leaves space.
 */
export function textWidth(text: string): number {
  if (NARROW.test(text)) return text.length
  let width = 0
  for (const { segment } of graphemes(text)) width += graphemeWidth(segment)
  return width
}

/** The longest beginning of a text that fits, never half a character. */
export function headOfWidth(text: string, width: number): string {
  if (width <= 0) return ''
  if (NARROW.test(text)) return text.slice(0, width)
  let used = 0
  let head = ''
  for (const { segment } of graphemes(text)) {
    used += graphemeWidth(segment)
    if (used > width) break
    head += segment
  }
  return head
}

function graphemeWidth(grapheme: string): number {
  const whole = displayWidth(grapheme)
  if (grapheme.length === 1) return whole
  let parts = 0
  for (const character of grapheme) parts += displayWidth(character)
  return Math.max(whole, parts)
}
