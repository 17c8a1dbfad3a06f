/**
 * What the series of several kinds of panel are drawn of, as parts of an ECharts option.
 *
 * @module
 */
import type { HistoryBucket } from '../../metrics/history.ts'
import type { ChartJson } from './chart-definition.ts'
import { NOT_FINITE } from './palette.ts'
import { bucketMiddle, type Point, spreadOut } from './series-points.ts'

/** One series of an option, without its axes. */
export type Drawn = { readonly [key: string]: ChartJson }

/** Series that their legend shows and hides by one name. */
export function part(name: string, drawn: readonly Drawn[]): Drawn[] {
  return drawn.map((one) => ({ ...one, name }))
}

export const LINE = { type: 'line', silent: true, clip: true, showSymbol: false } as const

/** Values that stand alone. */
export function dots(points: readonly Point[], colour: string, size: number): Drawn {
  return {
    type: 'scatter',
    silent: true,
    clip: true,
    z: 6,
    data: points,
    symbolSize: size,
    itemStyle: { color: colour, opacity: 1 },
  }
}

/** Straight lines through the whole panel, upright or level, that no legend shows. */
export function straightLines(data: readonly ChartJson[]): Drawn {
  return {
    type: 'line',
    silent: true,
    data: [],
    z: 4,
    markLine: { silent: true, animation: false, symbol: 'none', label: { show: false }, data },
  }
}

/** Arrows at the edges of an axis, where values lie beyond it. */
export function clipArrows(
  clipped: { readonly above: readonly HistoryBucket[]; readonly below: readonly HistoryBucket[] },
  yMin: number,
  yMax: number,
  minGap: number,
  colour: string,
): Drawn[] {
  const arrows = (buckets: readonly HistoryBucket[], y: number, rotate: number, offset: number): Drawn => ({
    type: 'scatter',
    silent: true,
    clip: false,
    z: 8,
    symbol: 'triangle',
    symbolSize: [9, 8],
    symbolRotate: rotate,
    symbolOffset: [0, offset],
    itemStyle: { color: colour, opacity: 1, borderColor: '#FFFFFF', borderWidth: 0.8 },
    data: spreadOut(buckets.map(bucketMiddle), minGap).map((iteration): Point => [iteration, y]),
  })
  return [
    ...part('above', clipped.above.length > 0 ? [arrows(clipped.above, yMax, 0, 5)] : []),
    ...part('below', clipped.below.length > 0 ? [arrows(clipped.below, yMin, 180, -5)] : []),
  ]
}

/** Crosses at the foot of the axis, where values are NaN or infinite. */
export function crosses(
  buckets: readonly HistoryBucket[],
  yMin: number,
  minGap: number,
  colour: string = NOT_FINITE,
): Drawn {
  const iterations = buckets.filter((bucket) => bucket.nonFinite > 0).map(bucketMiddle)
  return {
    type: 'scatter',
    silent: true,
    clip: false,
    z: 8,
    symbol: 'path://M0,1L1,0L4,3L7,0L8,1L5,4L8,7L7,8L4,5L1,8L0,7L3,4Z',
    symbolSize: 7,
    symbolOffset: [0, -6],
    itemStyle: { color: colour, opacity: 1 },
    data: spreadOut(iterations, minGap).map((iteration): Point => [iteration, yMin]),
  }
}
