import type { ChartJson } from './chart-definition.ts'
import { INK, PAPER } from './palette.ts'
import { FONT_FAMILY, plotText } from './plot-text.ts'

/** No figure has room for more. */
const MAX_CHARACTERS = 400

/** A line of text whose left end (or what `align` says) and middle are at (x, y), in units of the figure. */
export function text(
  content: string,
  x: number,
  y: number,
  style: {
    readonly size: number
    readonly fill?: string
    readonly weight?: 'normal' | 'bold'
    readonly align?: 'left' | 'center' | 'right'
    /** A white edge, for text that lies on data. */
    readonly halo?: boolean
    /** Turned to be read from below to above. */
    readonly upwards?: boolean
  },
): ChartJson {
  return {
    type: 'text',
    silent: true,
    z: 10,
    x,
    y,
    ...(style.upwards ? { rotation: Math.PI / 2 } : {}),
    style: {
      text: plotText(content, MAX_CHARACTERS),
      fill: style.fill ?? INK,
      font: `${style.weight ?? 'normal'} ${style.size}px ${FONT_FAMILY}`,
      align: style.align ?? 'left',
      verticalAlign: 'middle',
      ...(style.halo ? { stroke: PAPER, lineWidth: 3 } : {}),
    },
  }
}

/** A straight line in units of the figure. */
export function line(
  x1: number,
  y1: number,
  x2: number,
  y2: number,
  style: {
    readonly stroke: string
    readonly lineWidth: number
    readonly lineDash?: readonly number[]
    readonly opacity?: number
  },
): ChartJson {
  return { type: 'line', silent: true, z: 9, shape: { x1, y1, x2, y2 }, style: { ...style } }
}

/** Corners of a shape between -1 and 1, which it reaches on every side; y goes down. */
export type Shape = readonly (readonly [number, number])[]

/** A filled shape with a white edge, so that it stands out of the lines that it lies on. */
export function shape(corners: Shape, x: number, y: number, radius: number, fill: string): ChartJson {
  const points = corners.map(([dx, dy]) => [x + radius * dx, y + radius * dy])
  return { type: 'polygon', silent: true, z: 10, shape: { points }, style: { fill, stroke: PAPER, lineWidth: 0.8 } }
}

/** The same as the symbol of a series. */
export function symbolOf(corners: Shape): string {
  return `path://M${corners.map(([x, y]) => `${x},${y}`).join('L')}Z`
}
