import stringWidth from 'string-width'

// What displays mostly consist of: one column a character.
const NARROW = /^[ -~\u2500-\u25ff…·→✓∞]*$/
const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' })

/**
 * Columns that a text takes at most. Terminals disagree on joined emoji and presentation selectors; the widest reading
 * counts, since a line that is too long wraps and one that is too short only leaves space.
 */
export function textWidth(text: string): number {
  if (NARROW.test(text)) return text.length
  let width = 0
  for (const { segment } of graphemes.segment(text)) width += graphemeWidth(segment)
  return width
}

/** The longest beginning of a text that fits, never half a character. */
export function headOfWidth(text: string, width: number): string {
  if (width <= 0) return ''
  if (NARROW.test(text)) return text.slice(0, width)
  let used = 0
  let head = ''
  for (const { segment } of graphemes.segment(text)) {
    used += graphemeWidth(segment)
    if (used > width) break
    head += segment
  }
  return head
}

function graphemeWidth(grapheme: string): number {
  const whole = stringWidth(grapheme)
  if (grapheme.length === 1) return whole
  let parts = 0
  for (const character of grapheme) parts += stringWidth(character)
  return Math.max(whole, parts)
}
