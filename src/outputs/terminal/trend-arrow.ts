import type { Glyphs } from './glyphs.ts'
import { type Span, span } from './spans.ts'

/** Which way a series goes; null where it is too short to say. */
export type TrendDirection = 'up' | 'down' | 'flat' | null

/** The arrow of a trend, coloured by whether that way is bad for training; a space where no trend is known. */
export function trendArrow(direction: TrendDirection, badDirection: 'up' | 'down' | null, glyphs: Glyphs): Span {
  if (direction === null) return span(' ')
  const style = direction === 'flat' || badDirection === null ? 'dim' : direction === badDirection ? 'warn' : 'good'
  return span(glyphs[direction], style)
}
