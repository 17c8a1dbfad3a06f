/**
 * A statistic against its thresholds as a few rows of text.
 *
 * @module
 */
import type { Glyphs } from '../outputs/terminal/glyphs.ts'
import { type Line, span } from '../outputs/terminal/spans.ts'
import type { TracePoint } from './trace.ts'

const ROWS = 8
/** Columns beside the chart: the labels of the thresholds. */
const LABELS = 17

/** A threshold, or 0, and what it is called. */
export interface ChartLevel {
  readonly label: string
  readonly value: number
  readonly style: 'dim' | 'warn' | 'bad'
}

/**
 * @param points in order of their iterations.
 * @param iterations first and last of the run.
 * @param width columns of the whole.
 */
export function chart(
  points: readonly TracePoint[],
  levels: readonly ChartLevel[],
  iterations: readonly [number, number],
  width: number,
  glyphs: Glyphs,
): readonly Line[] {
  const columns = Math.max(8, width - LABELS)
  const heights = columnMaxima(points, iterations, columns)
  const top = Math.max(...levels.map(({ value }) => value), ...points.map(([, value]) => value), 1e-9) * 1.05
  // What lies below 0 has room, but never so much that the thresholds cannot be told apart.
  const lowest = Math.min(...heights.filter((height) => !Number.isNaN(height)), 0)
  const bottom = Math.max(lowest, -top)
  const rowsOf = (value: number) => ((value - bottom) / (top - bottom)) * ROWS
  const drawn: readonly ChartLevel[] = bottom < 0 ? [{ label: '', value: 0, style: 'dim' }, ...levels] : levels
  const levelRow = (value: number) => Math.min(ROWS - 1, Math.floor(rowsOf(value)))
  const lines: Line[] = []
  for (let row = ROWS - 1; row >= 0; row--) {
    const level = drawn.findLast(({ value }) => levelRow(value) === row)
    const bars = heights.map((height) => bar(rowsOf(height) - row, row === 0, glyphs))
    const text = bars.map((mark) => (mark === ' ' && level ? glyphs.rule : mark)).join('')
    lines.push(
      level
        ? [span(text, level.style), span(` ${number(level.value)} ${level.label}`.trimEnd(), level.style)]
        : [span(text.trimEnd())],
    )
  }
  const [first, last] = iterations
  const from = String(first)
  const to = String(last)
  lines.push([span(`${from}${' '.repeat(Math.max(1, columns - from.length - to.length))}${to}`, 'dim')])
  return lines
}

function columnMaxima(points: readonly TracePoint[], [first, last]: readonly [number, number], columns: number) {
  const heights = new Array<number>(columns).fill(Number.NaN)
  const span = Math.max(1, last - first + 1)
  for (const [iteration, value] of points) {
    const column = Math.min(columns - 1, Math.max(0, Math.floor(((iteration - first) / span) * columns)))
    if (!(heights[column]! >= value)) heights[column] = value
  }
  // A statistic is computed every fifth iteration, say: between two of them it is what it was.
  for (let i = 1; i < columns; i++) if (Number.isNaN(heights[i]!)) heights[i] = heights[i - 1]!
  return heights
}

/** The part of a bar that stands in a row. At the bottom there is always some of it: nothing stands for what was not compared. */
function bar(filled: number, atBottom: boolean, { spark }: Glyphs): string {
  if (atBottom && filled <= 0) return spark[0]!
  if (!(filled > 0)) return ' '
  return spark[Math.min(spark.length - 1, Math.floor(Math.min(1, filled) * spark.length))]!
}

/** A value with two digits that mean something. */
export function number(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(Math.abs(value) < 10 ? 2 : 1)
}
