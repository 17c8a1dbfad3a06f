import type { Glyphs } from './glyphs.ts'
import { type Line, span } from './spans.ts'

/** A bar of `width` columns, `share` (0 to 1; anything else is drawn as the nearest) of it done. */
export function progressBar(share: number, width: number, glyphs: Glyphs): Line {
  const whole = Math.max(0, Math.floor(width))
  const halves = Math.round(Math.min(1, Math.max(0, Number.isNaN(share) ? 0 : share)) * whole * 2)
  const full = Math.floor(halves / 2)
  const edge = halves % 2
  return [
    span(glyphs.barDone.repeat(full) + glyphs.barEdge.repeat(edge), 'accent'),
    span(glyphs.barLeft.repeat(whole - full - edge), 'dim'),
  ]
}
