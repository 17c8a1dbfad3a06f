/**
 * The legend of a panel: swatches with words in as many rows as its width needs.
 *
 * @module
 */
import type { ChartJson } from './chart-definition.ts'
import { line, type Shape, shape, text } from './graphic.ts'
import { MUTED, ROLL_BACK } from './palette.ts'
import type { PreparedPanel } from './panel.ts'
import type { PlotMarks } from './plot-marks.ts'
import { fitText, textWidth } from './plot-text.ts'

export const LEGEND_SIZE = 12
export const LEGEND_ROW = 17
const SWATCH = 20
const SWATCH_GAP = 6
const ITEM_GAP = 18
const MARKER = 10
/** Swatches that are lines; the others are symbols. */
const WIDE: ReadonlySet<string> = new Set(['line', 'thick', 'dashed', 'dotted', 'band'])

/** One entry. */
export interface LegendItem {
  readonly text: string
  readonly colour: string
  readonly swatch:
    | 'line'
    | 'thick'
    | 'dashed'
    | 'dotted'
    | 'band'
    | 'cross'
    | 'arrow-up'
    | 'arrow-down'
    | 'diamond'
    | 'bar'
    | 'dot'
    | 'none'
  readonly opacity?: number
  /** A shape in the middle of a line. */
  readonly marker?: Shape
  /** Whether it stands in a row of its own. */
  readonly ownRow?: boolean
  /** Name of the series that it explains, where it can be shown without them. */
  readonly part?: string
}

/** The entries of a panel, with one for its checkpoints. */
export function legendOf(prepared: PreparedPanel, marks: PlotMarks): readonly LegendItem[] {
  if (!prepared.hasData || marks.checkpoints.length === 0) return prepared.legend
  return [...prepared.legend, { text: 'checkpoint', colour: ROLL_BACK, swatch: 'bar', part: 'checkpoints' }]
}

/** Entries in rows of at most `width`. */
export function legendRows(items: readonly LegendItem[], width: number): LegendItem[][] {
  const rows: LegendItem[][] = []
  let used = 0
  for (const item of items) {
    const fitted = { ...item, text: fitText(item.text, LEGEND_SIZE, width - swatchWidth(item)) }
    const needs = itemWidth(fitted)
    const row = rows[rows.length - 1]
    if (row && !item.ownRow && used + ITEM_GAP + needs <= width) {
      row.push(fitted)
      used += ITEM_GAP + needs
    } else {
      rows.push([fitted])
      used = needs
    }
  }
  return rows
}

/** The rows as graphics, the first one's middle at `top`. */
export function drawLegend(rows: readonly (readonly LegendItem[])[], left: number, top: number): ChartJson[] {
  return rows.flatMap((row, at) => {
    const y = top + at * LEGEND_ROW
    let x = left
    return row.flatMap((item) => {
      const parts = [
        ...swatch(item, x, y),
        ...(item.marker ? [shape(item.marker, x + SWATCH / 2, y, MARKER / 2, item.colour)] : []),
        text(item.text, x + swatchWidth(item), y, { size: LEGEND_SIZE, fill: MUTED }),
      ]
      x += itemWidth(item) + ITEM_GAP
      return parts
    })
  })
}

function swatchWidth({ swatch }: LegendItem): number {
  if (swatch === 'none') return 0
  return (WIDE.has(swatch) ? SWATCH : 9) + SWATCH_GAP
}

function itemWidth(item: LegendItem): number {
  return swatchWidth(item) + textWidth(item.text, LEGEND_SIZE)
}

function swatch({ swatch: kind, colour, opacity = 1 }: LegendItem, x: number, y: number): ChartJson[] {
  switch (kind) {
    case 'none':
      return []
    case 'line':
      return [line(x, y, x + SWATCH, y, { stroke: colour, lineWidth: 1.5, opacity })]
    case 'thick':
      return [line(x, y, x + SWATCH, y, { stroke: colour, lineWidth: 2.6, opacity })]
    case 'dashed':
      return [line(x, y, x + SWATCH, y, { stroke: colour, lineWidth: 1.8, lineDash: [6, 4], opacity })]
    case 'dotted':
      return [line(x, y, x + SWATCH, y, { stroke: colour, lineWidth: 1.6, lineDash: [2, 3], opacity })]
    case 'band':
      return [
        {
          type: 'rect',
          silent: true,
          shape: { x, y: y - 5, width: SWATCH, height: 10 },
          style: { fill: colour, opacity },
        },
      ]
    case 'dot':
      return [{ type: 'circle', silent: true, shape: { cx: x + 4, cy: y, r: 3.5 }, style: { fill: colour, opacity } }]
    case 'bar':
      return [line(x + 4, y - 4, x + 4, y + 4, { stroke: colour, lineWidth: 2, opacity })]
    case 'cross':
      return [
        line(x + 1, y - 3.5, x + 8, y + 3.5, { stroke: colour, lineWidth: 1.5, opacity }),
        line(x + 1, y + 3.5, x + 8, y - 3.5, { stroke: colour, lineWidth: 1.5, opacity }),
      ]
    case 'diamond': {
      const points = [
        [x + 4.5, y - 5.5],
        [x + 9, y],
        [x + 4.5, y + 5.5],
        [x, y],
      ]
      return [{ type: 'polygon', silent: true, shape: { points }, style: { fill: colour, opacity } }]
    }
    default: {
      const tip = kind === 'arrow-up' ? y - 4 : y + 4
      const base = kind === 'arrow-up' ? y + 3.5 : y - 3.5
      const points = [
        [x + 4.5, tip],
        [x, base],
        [x + 9, base],
      ]
      return [{ type: 'polygon', silent: true, shape: { points }, style: { fill: colour, opacity } }]
    }
  }
}
