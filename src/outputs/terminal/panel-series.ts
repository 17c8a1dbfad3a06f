import type { SeriesRow } from './display-state.ts'
import { formatInUnit, unitLabel } from './format-value.ts'
import type { Glyphs } from './glyphs.ts'
import { heading } from './sections.ts'
import { fitLine, type Line, lineWidth, type Span, type Style, span } from './spans.ts'
import { sparkline } from './sparkline.ts'
import { textWidth } from './text-width.ts'
import { trendArrow } from './trend-arrow.ts'

const GAP = 2
const GRID_GAP = 5
/** So that columns do not jump when a number gains a digit. */
const MIN_VALUE = 8
const MIN_SPARK = 8
const GOOD_SPARK = 12
const MAX_SPARK = 48
const MAX_TITLE = 34
const MIN_TITLE = 14
const GOOD_TITLE = 30

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
  const nowWidth = Math.max(MIN_VALUE, widest(now))
  const meanWidth = Math.max(MIN_VALUE, widest(mean))
  const unitWidth = widest(units)
  const titleWidth = Math.min(MAX_TITLE, widest([title, ...rows.map((row) => row.title)]))

  // Title, value and trend always; then the mean, the run so far, the unit, as far as there is room.
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
  const grow = (now: number, target: number): number => {
    const more = Math.max(0, Math.min(left, target - now))
    left -= more
    return now + more
  }
  finalTitle = grow(finalTitle, Math.min(titleWidth, GOOD_TITLE))
  let sparkWidth = hasSpark ? grow(MIN_SPARK, GOOD_SPARK) : 0
  finalTitle = grow(finalTitle, titleWidth)
  if (hasSpark) sparkWidth = grow(sparkWidth, MAX_SPARK)
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
    ...(hasSpark ? [gap, ...cell(sparkWidth < 10 ? 'run' : 'run so far', sparkWidth, 'left', 'dim')] : []),
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
  // As many columns as fit, filled one after the other, so that what belongs together stands below each other.
  for (let columns = rows.length; columns >= 0; columns--) {
    // At last without units.
    const lines = gridLines(rows, Math.max(1, columns), columns > 0, glyphs)
    if (columns === 0 || lines.every((line) => lineWidth(line) <= width)) {
      return [heading(title, [], width, glyphs), ...lines]
    }
  }
  return []
}

function gridLines(rows: readonly SeriesRow[], columns: number, units: boolean, glyphs: Glyphs): Line[] {
  const value = (row: SeriesRow): string => formatInUnit(row.latest, row.unit, glyphs)
  const unit = (row: SeriesRow): string => (units ? unitLabel(row.unit) : '')
  const height = Math.ceil(rows.length / columns)
  const blocks = Array.from({ length: Math.ceil(rows.length / height) }, (_, x) => {
    const cells = rows.slice(x * height, (x + 1) * height)
    const titleWidth = widest(cells.map((row) => row.title))
    const valueWidth = widest(cells.map(value))
    const unitWidth = widest(cells.map(unit))
    return cells.map(
      (row): Line => [
        ...fitLine([span(row.title)], titleWidth, glyphs),
        span('  '),
        ...fitLine([span(value(row), Number.isFinite(row.latest) ? 'strong' : 'bad')], valueWidth, glyphs, 'right'),
        span(' '),
        ...fitLine([span(unit(row), 'dim')], unitWidth, glyphs),
        span(unitWidth > 0 ? ' ' : ''),
        trendArrow(row.trend, row.badDirection, glyphs),
      ],
    )
  })
  return Array.from({ length: height }, (_, y) =>
    blocks.flatMap((block, x): Line => {
      if (x === 0) return block[y] ?? []
      return block[y] ? [span(' '.repeat(GRID_GAP)), ...block[y]] : []
    }),
  )
}

function widest(texts: readonly string[]): number {
  return texts.reduce((max, text) => Math.max(max, textWidth(text)), 0)
}
