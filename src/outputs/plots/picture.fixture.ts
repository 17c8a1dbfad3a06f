/** Reading pictures back: pixels of a PNG, and where a definition puts its text. */
import { inflateSync } from 'node:zlib'
import type { Drawing } from './chart-definition.ts'
import { textWidth } from './plot-text.ts'

/** A decoded PNG. */
export interface Picture {
  readonly width: number
  readonly height: number
  /** Dots per inch of its `pHYs` chunk, or null. */
  readonly dotsPerInch: number | null
  /** Darkness of a dot: 0 is white, 255 black. */
  darkness(x: number, y: number): number
}

/** Decodes what resvg writes: 8 bits a channel with alpha, not interlaced. */
export function readPng(png: Buffer): Picture {
  const chunks = new Map<string, Buffer[]>()
  for (let at = 8; at < png.length; ) {
    const length = png.readUInt32BE(at)
    const type = png.toString('latin1', at + 4, at + 8)
    chunks.set(type, [...(chunks.get(type) ?? []), png.subarray(at + 8, at + 8 + length)])
    at += 12 + length
  }
  const header = chunks.get('IHDR')![0]!
  const width = header.readUInt32BE(0)
  const height = header.readUInt32BE(4)
  if (header[8] !== 8 || header[9] !== 6 || header[12] !== 0) throw new Error('a kind of PNG that this does not read')
  const raw = inflateSync(Buffer.concat(chunks.get('IDAT')!))
  const stride = width * 4
  const dots = new Uint8Array(stride * height)
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (stride + 1)]!
    for (let i = 0; i < stride; i++) {
      const value = raw[y * (stride + 1) + 1 + i]!
      const a = i >= 4 ? dots[y * stride + i - 4]! : 0
      const b = y > 0 ? dots[(y - 1) * stride + i]! : 0
      const c = i >= 4 && y > 0 ? dots[(y - 1) * stride + i - 4]! : 0
      dots[y * stride + i] = value + predicted(filter, a, b, c)
    }
  }
  const resolution = chunks.get('pHYs')?.[0]
  return {
    width,
    height,
    dotsPerInch: resolution ? resolution.readUInt32BE(0) * 0.0254 : null,
    darkness: (x, y) => {
      const at = y * stride + x * 4
      return 255 - (dots[at]! + dots[at + 1]! + dots[at + 2]!) / 3
    },
  }
}

function predicted(filter: number, a: number, b: number, c: number): number {
  if (filter === 0) return 0
  if (filter === 1) return a
  if (filter === 2) return b
  if (filter === 3) return (a + b) >> 1
  const p = a + b - c
  const [pa, pb, pc] = [Math.abs(p - a), Math.abs(p - b), Math.abs(p - c)]
  return pa <= pb && pa <= pc ? a : pb <= pc ? b : c
}

/** A line of text of a figure and the box in which it stands, in units of the figure. */
export interface TextBox {
  readonly text: string
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
}

/** The boxes of all text of a figure. */
export function textBoxes(chart: Drawing): TextBox[] {
  const graphic = chart.option.graphic as readonly {
    type: string
    x: number
    y: number
    rotation?: number
    style: { text: string; font: string; align: 'left' | 'center' | 'right' }
  }[]
  return graphic
    .filter(({ type }) => type === 'text')
    .map(({ x, y, rotation, style }) => {
      const [weight, size] = style.font.split(' ') as ['normal' | 'bold', string]
      const height = Number.parseFloat(size)
      const width = textWidth(style.text, height, weight)
      if (rotation !== undefined) {
        return {
          text: style.text,
          left: x - height / 2,
          right: x + height / 2,
          top: y - width / 2,
          bottom: y + width / 2,
        }
      }
      const left = style.align === 'left' ? x : style.align === 'right' ? x - width : x - width / 2
      return { text: style.text, left, right: left + width, top: y - height / 2, bottom: y + height / 2 }
    })
}

/** Texts that lie beyond the edge or upon each other. */
export function misplacedTexts(chart: Drawing): string[] {
  const boxes = textBoxes(chart)
  const beyond = boxes.filter(
    ({ left, right, top, bottom }) => left < 0 || right > chart.width || top < 0 || bottom > chart.height,
  )
  const clashes = boxes.flatMap((a, i) =>
    boxes
      .slice(i + 1)
      .filter((b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom)
      .map((b) => `${chart.name}: ${a.text} | ${b.text}`),
  )
  return [...beyond.map(({ text }) => `beyond the edge: ${text}`), ...clashes]
}
