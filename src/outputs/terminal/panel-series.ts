import type { DisplayState, SeriesRow } from './display-state.ts'
import { formatInUnit, unitLabel } from './format-value.ts'
import type { Glyphs } from './glyphs.ts'
import { heading } from './sections.ts'
import { fitLine, type Line, type Span, type Style, span } from './spans.ts'
import { sparkline } from './sparkline.ts'
import { quantity } from './status-words.ts'
import { textWidth } from './text-width.ts'
import { trendArrow } from './trend-arrow.ts'

const GAP = 2
const MIN_SPARK = 8
const MAX_SPARK = 48
const MAX_TITLE = 34
const MIN_TITLE = 14

/** A table of series: value, mean, trend, the run so far, unit. Columns go, least important first, when there is no room. */
export function seriesTable(
  title: string,
  rows: readonly SeriesRow[],
  note: readonly Span[],
  width: number,
  glyphs: Glyphs,
): Line[] {
  if (rows.length === 0) return []
  const now = rows.map((row) => formatInUnit(row.latest, row.unit, glyphs))
  const mean = rows.map((row) => (row.mean === null ? '' : formatInUnit(row.mean, row.unit, glyphs)))
  const units = rows.map((row) => unitLabel(row.unit))
  const nowWidth = widest(['now', ...now])
  const meanWidth = widest(['mean', ...mean])
  const unitWidth = widest(units)
  const titleWidth = Math.min(MAX_TITLE, widest([title, ...rows.map((row) => row.title)]))

  // Title, value and trend always; then the mean, the run so far, the unit, as far as there is room; what is left lengthens
  // the title, then the run.
  let finalTitle = Math.min(titleWidth, MIN_TITLE)
  let left = width - finalTitle - GAP - nowWidth - GAP - 1
  const take = (columns: number): boolean => {
    if (columns === 0 || left < columns + GAP) return false
    left -= columns + GAP
    return true
  }
  const hasMean = take(meanWidth)
  const hasSpark = take(MIN_SPARK)
  const hasUnit = take(unitWidth)
  const longer = Math.max(0, Math.min(left, titleWidth - finalTitle))
  finalTitle += longer
  const sparkWidth = Math.min(MAX_SPARK, MIN_SPARK + Math.max(0, left - longer))
  const cell = (text: string, columns: number, align: 'left' | 'right', style: Style): Span[] => [
    ...fitLine([span(text, style)], columns, glyphs, align),
  ]
  const gap = span(' '.repeat(GAP))
  const lines: Line[] = [heading(title, note, width, glyphs)]
  lines.push([
    ...cell('', finalTitle, 'left', 'dim'),
    gap,
    ...cell('now', nowWidth, 'right', 'dim'),
    ...(hasMean ? [gap, ...cell('mean', meanWidth, 'right', 'dim')] : []),
    span(' '.repeat(GAP + 1)),
    ...(hasSpark ? [gap, ...cell('run so far', sparkWidth, 'left', 'dim')] : []),
    ...(hasUnit ? [gap, ...cell('unit', unitWidth, 'left', 'dim')] : []),
  ])
  rows.forEach((row, i) => {
    lines.push([
      ...cell(row.title, finalTitle, 'left', 'plain'),
      gap,
      ...cell(now[i]!, nowWidth, 'right', Number.isFinite(row.latest) ? 'strong' : 'bad'),
      ...(hasMean ? [gap, ...cell(mean[i]!, meanWidth, 'right', 'plain')] : []),
      gap,
      trendArrow(row.trend, row.badDirection, glyphs),
      ...(hasSpark ? [gap, ...cell(sparkline(row.history, sparkWidth, glyphs), sparkWidth, 'left', 'accent')] : []),
      ...(hasUnit ? [gap, ...cell(units[i]!, unitWidth, 'left', 'dim')] : []),
    ])
  })
  return lines
}

/** The same numbers without history, several a line. */
export function seriesGrid(title: string, rows: readonly SeriesRow[], width: number, glyphs: Glyphs): Line[] {
  if (rows.length === 0) return []
  const values = rows.map((row) => quantity(row.latest, row.unit, glyphs))
  const titleWidth = widest(rows.map((row) => row.title))
  const valueWidth = widest(values)
  const cellWidth = titleWidth + 1 + valueWidth + 2
  const columns = Math.max(1, Math.floor((width + GAP + 1) / (cellWidth + GAP + 1)))
  const gap = span(' '.repeat(GAP + 1))
  const lines: Line[] = [heading(title, [], width, glyphs)]
  // Filled column by column, so that what belongs together stands below each other.
  const height = Math.ceil(rows.length / columns)
  for (let y = 0; y < height; y++) {
    const line: Span[] = []
    for (let x = 0; x < columns; x++) {
      const i = x * height + y
      const row = rows[i]
      if (!row) continue
      if (x > 0) line.push(gap)
      line.push(...fitLine([span(row.title)], titleWidth, glyphs), span(' '))
      line.push(
        ...fitLine([span(values[i]!, Number.isFinite(row.latest) ? 'strong' : 'bad')], valueWidth, glyphs, 'right'),
        span(' '),
        trendArrow(row.trend, row.badDirection, glyphs),
      )
    }
    lines.push(line)
  }
  return lines
}

/** How many series the table leaves out, for its heading. */
export function leftOutNote(state: DisplayState, shown: number): readonly Span[] {
  const told = shown + state.mechanics.length
  return state.seriesCount > told ? [span(`${told} of ${state.seriesCount} series`, 'dim')] : []
}

function widest(texts: readonly string[]): number {
  return texts.reduce((max, text) => Math.max(max, textWidth(text)), 0)
}
