import type { SeriesRow } from './display-state.ts'
import { formatInUnit, unitLabel } from './format-value.ts'
import type { Glyphs } from './glyphs.ts'
import { heading } from './sections.ts'
import { fitLine, type Line, type Span, type Style, span } from './spans.ts'
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
  const cells = rows.map((row): Cell => {
    const value = formatInUnit(row.latest, row.unit, glyphs)
    const unit = unitLabel(row.unit)
    return { row, value, unit, widths: [textWidth(row.title), textWidth(value), textWidth(unit)] }
  })
  // As many columns as fit, filled one after the other, so that what belongs together stands below each other; at last one
  // without units.
  let blocks = inBlocks(cells, rows.length)
  let units = true
  for (let columns = rows.length; gridWidth(blocks, units) > width && units; columns--) {
    units = columns > 0
    blocks = inBlocks(cells, Math.max(1, columns))
  }
  return [heading(title, [], width, glyphs), ...gridLines(blocks, units, glyphs)]
}

interface Cell {
  readonly row: SeriesRow
  readonly value: string
  readonly unit: string
  /** Columns of title, value and unit. */
  readonly widths: readonly [number, number, number]
}

function inBlocks(cells: readonly Cell[], columns: number): readonly (readonly Cell[])[] {
  const height = Math.ceil(cells.length / columns)
  return Array.from({ length: Math.ceil(cells.length / height) }, (_, x) => cells.slice(x * height, (x + 1) * height))
}

/** The widest title, value and unit of a block. */
function blockWidths(block: readonly Cell[], units: boolean): readonly [number, number, number] {
  const most = (part: 0 | 1 | 2): number => block.reduce((max, { widths }) => Math.max(max, widths[part]), 0)
  return [most(0), most(1), units ? most(2) : 0]
}

function gridWidth(blocks: readonly (readonly Cell[])[], units: boolean): number {
  return blocks.reduce(
    (sum, block) => {
      const [title, value, unit] = blockWidths(block, units)
      return sum + title + 2 + value + 1 + unit + (unit > 0 ? 1 : 0) + 1
    },
    GRID_GAP * (blocks.length - 1),
  )
}

function gridLines(blocks: readonly (readonly Cell[])[], units: boolean, glyphs: Glyphs): Line[] {
  const drawn = blocks.map((block) => {
    const [titleWidth, valueWidth, unitWidth] = blockWidths(block, units)
    return block.map(
      ({ row, value, unit }): Line => [
        ...fitLine([span(row.title)], titleWidth, glyphs),
        span('  '),
        ...fitLine([span(value, Number.isFinite(row.latest) ? 'strong' : 'bad')], valueWidth, glyphs, 'right'),
        span(' '),
        ...fitLine([span(units ? unit : '', 'dim')], unitWidth, glyphs),
        span(unitWidth > 0 ? ' ' : ''),
        trendArrow(row.trend, row.badDirection, glyphs),
      ],
    )
  })
  return Array.from({ length: drawn[0]?.length ?? 0 }, (_, y) =>
    drawn.flatMap((block, x): Line => {
      if (x === 0) return block[y] ?? []
      return block[y] ? [span(' '.repeat(GRID_GAP)), ...block[y]] : []
    }),
  )
}

function widest(texts: readonly string[]): number {
  return texts.reduce((max, text) => Math.max(max, textWidth(text)), 0)
}
