/**
 * From a chart definition to SVG text and PNG bytes. Loaded only when the first figure is drawn, since it brings ECharts
 * and resvg with it.
 *
 * @module
 */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { renderAsync } from '@resvg/resvg-js'
import { errorMessage, TelltaleError } from '../../errors.ts'
import { type Drawing, UNITS_PER_INCH } from './chart-definition.ts'
import { drawSvg } from './echarts.ts'
import { withResolution } from './png-resolution.ts'

/** Dots per inch of the PNG files, as in the plan: 15 by 4 inches are 2,250 by 600 dots. */
export const PNG_DPI = 150

const FONT_FILES = ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf']

/** Draws a definition as SVG; the same definition gives the same text each time. */
export function renderSvg(chart: Drawing): string {
  const svg = drawSvg(chart.option, chart.width, chart.height)
  return withTitle(plainFonts(stableIds(svg, chart.name)), chart.title)
}

/**
 * ECharts numbers ids and classes through the process (`zr0-c1`, `zr1-cls-9`, …). The ids are numbered afresh behind the
 * figure's name, so that the text is the same each time and two figures in one page share none; the classes only say what
 * happens under a mouse, and go. Only attributes are touched, never what is written in the figure: a quotation mark or `<`
 * in there is escaped.
 */
function stableIds(svg: string, name: string): string {
  const numbers = new Map<string, number>()
  const renamed = (id: string): string => {
    const number = numbers.get(id) ?? numbers.size
    numbers.set(id, number)
    return `${name}-${number}`
  }
  return svg
    .replace(/<style\b[^>]*>[\s\S]*?<\/style>\s*/g, '')
    .replace(/ class="zr[\w-]*"/g, '')
    .replace(
      /(\s[\w:-]+=")((?:url\()?#?)(zr\d+-[\w-]+)(?=\)?")/g,
      (_, attribute: string, before: string, id: string) => {
        return `${attribute}${before}${renamed(id)}`
      },
    )
}

/** The `font` shorthand as attributes: resvg does not read the weight out of it. */
function plainFonts(svg: string): string {
  return svg.replace(
    /style="font:\s*(normal|bold) ([\d.]+)px ([^";]+)"/g,
    (_, weight: string, size: string, family: string) =>
      `font-weight="${weight}" font-size="${size}" font-family="${family.trim()}"`,
  )
}

function withTitle(svg: string, title: string): string {
  const escaped = title.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;')
  return svg.replace(/^(\s*<svg\b)([^>]*>)/, `$1 role="img"$2\n<title>${escaped}</title>`)
}

/** PNG bytes of an SVG that {@link renderSvg} made. */
export async function renderPng(svg: string): Promise<Buffer> {
  try {
    const image = await renderAsync(svg, {
      fitTo: { mode: 'zoom', value: PNG_DPI / UNITS_PER_INCH },
      background: '#FFFFFF',
      logLevel: 'off',
      // Fonts of the machine would change the picture from machine to machine, or leave it without text.
      font: { loadSystemFonts: false, fontFiles: fontFiles(), defaultFontFamily: 'DejaVu Sans' },
    })
    return withResolution(image.asPng(), PNG_DPI)
  } catch (error) {
    if (error instanceof TelltaleError) throw error
    throw new TelltaleError(
      'bad-format',
      `a figure cannot be drawn as PNG: ${errorMessage(error)}; its SVG has the same content`,
      {
        cause: error,
      },
    )
  }
}

let fonts: string[] | null = null

function fontFiles(): string[] {
  if (fonts) return fonts
  const folder = join(dirname(createRequire(import.meta.url).resolve('dejavu-fonts-ttf/package.json')), 'ttf')
  const paths = FONT_FILES.map((file) => join(folder, file))
  const missing = paths.find((path) => !existsSync(path))
  // resvg leaves out text without a word when a font is not there.
  if (missing !== undefined) {
    throw new TelltaleError(
      'missing-part',
      `${missing} is not there, so figures would have no text; run npm install again`,
    )
  }
  fonts = paths
  return paths
}
