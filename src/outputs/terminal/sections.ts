/**
 * The panel's parts stacked: which of them get how many lines when not all fit.
 *
 * @module
 */
import type { Glyphs } from './glyphs.ts'
import { fitLine, type Line, lineWidth, type Span, span } from './spans.ts'

/** A part of the panel; it makes sense when cut after any line from `least` on. */
export interface Section {
  readonly lines: readonly Line[]
  /** Lines below which it is left out. */
  readonly least: number
  /** Lines with which it is worth reading: all get so many before any gets more. */
  readonly good: number
  /** Lower stays longer. */
  readonly rank: number
}

/** Cuts and leaves out until everything fits; blank lines between the sections only where there is room for all of them. */
export function stackSections(sections: readonly Section[], height: number): Line[] {
  const present = sections.filter(({ lines }) => lines.length > 0)
  const granted = new Map<Section, number>()
  let left = height
  const byRank = present.toSorted((a, b) => a.rank - b.rank)
  for (const section of byRank) {
    const least = Math.min(section.least, section.lines.length)
    if (least > left) continue
    granted.set(section, least)
    left -= least
  }
  for (const wanted of [(section: Section) => section.good, () => Number.POSITIVE_INFINITY]) {
    for (const section of byRank) {
      const lines = granted.get(section)
      if (lines === undefined) continue
      const more = Math.max(0, Math.min(left, Math.min(wanted(section), section.lines.length) - lines))
      granted.set(section, lines + more)
      left -= more
    }
  }
  const shown = present.filter((section) => granted.has(section))
  const spaced = left >= shown.length - 1
  return shown.flatMap((section, i) => {
    const lines = section.lines.slice(0, granted.get(section))
    return spaced && i > 0 ? [[], ...lines] : lines
  })
}

/** Two blocks side by side, `gap` columns apart. */
export function besides(
  left: readonly Line[],
  right: readonly Line[],
  leftWidth: number,
  gap: number,
  glyphs: Glyphs,
): Line[] {
  return Array.from({ length: Math.max(left.length, right.length) }, (_, i) => [
    ...fitLine(left[i] ?? [], leftWidth, glyphs),
    span(' '.repeat(gap)),
    ...(right[i] ?? []),
  ])
}

/** `Title ───────── note`, as wide as the section. */
export function heading(title: string, note: readonly Span[], width: number, glyphs: Glyphs): Line {
  const named = [span(title, 'strong'), span(' ')]
  const noted = note.length > 0 ? [span(' '), ...note] : []
  const room = width - lineWidth(named) - lineWidth(noted)
  return room >= 2
    ? [...named, span(glyphs.rule.repeat(room), 'dim'), ...noted]
    : fitLine([span(title, 'strong')], width, glyphs)
}
