/**
 * The colours of the figures on a dark ground: the same hues, light enough to be told apart there.
 *
 * @module
 */
import type { ChartJson } from '../../plots/chart-definition.ts'
import {
  AXIS,
  BESIDE,
  BLUE,
  GREEN,
  GRID,
  INK,
  MUTED,
  PAPER,
  PURPLE,
  SEVERITY_COLOUR,
  SEVERITY_TEXT,
  SUPERSEDED,
} from '../../plots/palette.ts'
import { FONT_FAMILY } from '../../plots/plot-text.ts'

const PAGE_FONT = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif"

const ON_DARK: ReadonlyMap<string, string> = new Map([
  [BLUE, '#5BB2E6'],
  [GREEN, '#34C495'],
  [PURPLE, '#DC8BBD'],
  [INK, '#E4E7EB'],
  [MUTED, '#A3ACB6'],
  [GRID, '#2B3037'],
  [AXIS, '#5F6872'],
  [PAPER, '#171A1F'],
  [BESIDE, '#CDB95E'],
  [SUPERSEDED, '#8E97A1'],
  [SEVERITY_COLOUR.info, '#7CC6F2'],
  [SEVERITY_COLOUR.warning, '#F0B232'],
  [SEVERITY_COLOUR.critical, '#FF8748'],
  [SEVERITY_TEXT.info, '#86CBF3'],
  [SEVERITY_TEXT.warning, '#F0BE58'],
  [SEVERITY_TEXT.critical, '#FF9A66'],
])

/** A colour of the palette as it is on the page's ground. */
export function onGround(colour: string, dark: boolean): string {
  return dark ? (ON_DARK.get(colour) ?? colour) : colour
}

/** A part of an option with the page's font and with colours for its ground. */
export function inPageColours(option: ChartJson, dark: boolean): ChartJson {
  if (typeof option === 'string') return onGround(option, dark).replace(FONT_FAMILY, PAGE_FONT)
  if (Array.isArray(option)) return option.map((item) => inPageColours(item, dark))
  if (typeof option !== 'object' || option === null) return option
  const record = option as { readonly [key: string]: ChartJson }
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, inPageColours(value, dark)]))
}
