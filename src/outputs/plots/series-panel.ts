/**
 * A panel with one series: raw values light, smoothed dark, and everything that must not be lost.
 *
 * @module
 */
import type { HistoryBucket } from '../../metrics/history.ts'
import { type Extent, niceTicks } from './axis-range.ts'
import { clipArrows, crosses, type Drawn, dots, LINE, part } from './drawn-series.ts'
import type { LegendItem } from './legend.ts'
import { BESIDE, NOT_FINITE, SUPERSEDED, TREND } from './palette.ts'
import type { PanelContext, PreparedPanel, SeriesPanel } from './panel.ts'
import { plotCount, plotNumber, plotText } from './plot-text.ts'
import type { TrendLine } from './series-data.ts'
import { bucketMiddle, isolatedPoints, type Point, rawPoints, smoothedPoints, type ToAxis } from './series-points.ts'
import { smooth } from './smooth.ts'
import { tickLabels } from './tick-labels.ts'
import { axisName, bounded, valueAxis } from './value-axis.ts'

/** Points up to which each has a dot. */
const DOTS_UP_TO = 40
/** Fits a panel to its data. */
export function prepareSeriesPanel(panel: SeriesPanel, context: PanelContext): PreparedPanel {
  const { series, colour, band } = panel
  const { buckets } = series
  const all = [
    ...buckets,
    ...series.superseded.flatMap((attempt) => attempt.buckets),
    ...(band ? [...band.lower.buckets, ...band.upper.buckets] : []),
  ]
  const thresholds = context.marks.thresholds.filter(
    ({ name, value }) => name === series.name && Math.abs(value) < 1e300,
  )
  const finite = all.filter((bucket) => bucket.count > 0)
  const beside = buckets.some((bucket) => bucket.count > 0) ? (panel.beside?.series.buckets ?? []) : []
  const nonFinite = buckets.reduce((sum, bucket) => sum + bucket.nonFinite, 0)
  const { range, exponent, divisor, yMin, yMax, toAxis } = valueAxis(
    [all],
    [...thresholds.map(({ value }) => value), ...finiteBounds(beside)],
  )

  const raw = rawPoints(buckets, toAxis)
  const smoothed = panel.smooth === false ? null : smooth(buckets, range)
  const sparse = raw.length <= DOTS_UP_TO
  const trend = panel.trend === true ? series.trend : null
  const clipped = {
    above: range.clippedAbove ? buckets.filter((b) => b.count > 0 && b.max > range.max) : [],
    below: range.clippedBelow ? buckets.filter((b) => b.count > 0 && b.min < range.min) : [],
  }

  const legend: LegendItem[] = []
  if (raw.length > 0 && finite.length > 0) {
    const width = buckets[0]!.width
    const what = width > 1 ? `min to max of ${plotCount(width)} iterations` : panel.band ? 'mean' : 'each value'
    const swatch = buckets.length === 1 ? 'dot' : 'line'
    legend.push({ text: what, colour, swatch, opacity: smoothed ? 0.45 : 1, part: 'values' })
  }
  if (smoothed) legend.push({ text: smoothed.how, colour, swatch: 'thick', part: 'smoothed' })
  if (band && band.lower.buckets.length > 0) {
    legend.push({ text: band.label, colour, swatch: 'band', opacity: 0.2, part: 'band' })
  }
  if (panel.beside && beside.length > 0) {
    const beyond = beside.some((b) => b.count > 0 && (b.max > range.max || b.min < range.min))
    const text = beyond ? `${panel.beside.label}, partly beyond the axis` : panel.beside.label
    legend.push({ text, colour: BESIDE, swatch: 'line', part: 'beside' })
  }
  if (trend) legend.push({ text: trendWords(trend), colour: TREND, swatch: 'dashed', part: 'trend' })
  if (series.superseded.length > 0) {
    const text = supersededWords(series.superseded)
    legend.push({ text, colour: SUPERSEDED, swatch: 'dotted', part: 'superseded' })
  }
  if (clipped.above.length > 0) legend.push(clippedItem(clipped.above, 'above', colour))
  if (clipped.below.length > 0) legend.push(clippedItem(clipped.below, 'below', colour))
  if (nonFinite > 0) {
    legend.push({
      text: `NaN or infinite: ${plotCount(nonFinite)}`,
      colour: NOT_FINITE,
      swatch: 'cross',
      part: 'not-finite',
    })
  }

  const ticks = finite.length > 0 ? niceTicks(yMin, yMax, context.yTicks) : []
  return {
    title: panel.title,
    yName: axisName(panel.measure, series.unit, exponent),
    yMin,
    yMax,
    yTicks: tickLabels(ticks),
    legend,
    message: message(panel, finite.length, nonFinite),
    hasData: all.length > 0,
    thresholds: thresholds.map(({ value, label }) => ({ value: value / divisor, label: plotText(label, 60) })),
    series(area, iterations) {
      const gap = (iterations.max - iterations.min) / Math.max(1, area.width)
      return [
        ...series.superseded.flatMap((attempt) =>
          part('superseded', [supersededLine(rawPoints(attempt.buckets, toAxis))]),
        ),
        ...part('band', band ? bandLines(band.lower.buckets, band.upper.buckets, toAxis, colour) : []),
        ...part('beside', besideLines(beside, range, toAxis)),
        ...part('values', [
          rawLine(raw, colour, smoothed !== null, sparse),
          dots(isolatedPoints(raw), colour, raw.length === 1 ? 10 : 5),
        ]),
        ...part('smoothed', smoothed ? [smoothLine(buckets, smoothed.values, toAxis, colour)] : []),
        ...part('trend', trend ? trendLines(trend, toAxis) : []),
        ...clipArrows(clipped, yMin, yMax, gap * 8, colour),
        ...part('not-finite', [crosses(buckets, yMin, gap * 7)]),
      ]
    },
  }
}

/** Smallest and largest value, bounded; nothing where there is none. */
function finiteBounds(buckets: readonly HistoryBucket[]): number[] {
  const finite = buckets.filter((bucket) => bucket.count > 0)
  if (finite.length === 0) return []
  return [
    bounded(finite.reduce((least, { min }) => Math.min(least, min), Number.POSITIVE_INFINITY)),
    bounded(finite.reduce((most, { max }) => Math.max(most, max), Number.NEGATIVE_INFINITY)),
  ]
}

function message(panel: SeriesPanel, finite: number, nonFinite: number): string | null {
  if (finite > 0) return null
  const name = plotText(panel.series.name, 60)
  if (nonFinite > 0) return `no finite value of ${name}`
  return `no data: ${name} was not logged`
}

function trendWords({ slope, interval, direction }: TrendLine): string {
  const range = `95 %: ${signed(interval[0])} to ${signed(interval[1])}`
  return direction === 'flat'
    ? `no sure trend: ${signed(slope)} per iteration (${range})`
    : `trend ${direction}: ${signed(slope)} per iteration (${range})`
}

function signed(value: number): string {
  const short = plotNumber(Number(value.toPrecision(2)))
  return value > 0 ? `+${short}` : short
}

function supersededWords(superseded: readonly { readonly attempt: number }[]): string {
  return superseded.length === 1
    ? `superseded by a resume (attempt ${superseded[0]!.attempt})`
    : `superseded by resumes (${superseded.length} attempts)`
}

function clippedItem(buckets: readonly HistoryBucket[], side: 'above' | 'below', colour: string): LegendItem {
  const above = side === 'above'
  const worst = buckets.reduce((a, b) => ((above ? b.max > a.max : b.min < a.min) ? b : a))
  const last = worst.width > 1 ? Math.min(worst.iteration + worst.width - 1, worst.lastIteration) : worst.iteration
  const first = plotCount(worst.iteration)
  const at = last > worst.iteration ? `${first}–${plotCount(last)}` : first
  const what = above ? `largest ${plotNumber(worst.max)}` : `smallest ${plotNumber(worst.min)}`
  const text = `beyond the axis: ${what} at ${at}`
  return { text, colour, swatch: above ? 'arrow-up' : 'arrow-down', part: side }
}

function rawLine(points: readonly Point[], colour: string, light: boolean, sparse: boolean): Drawn {
  return {
    ...LINE,
    data: points,
    showSymbol: sparse && points.length > 1,
    symbol: 'circle',
    symbolSize: light ? 3.5 : 5,
    z: 3,
    lineStyle: { color: colour, width: light ? 1.1 : 1.8, opacity: light ? 0.45 : 1, join: 'bevel' },
    itemStyle: { color: colour, opacity: light ? 0.45 : 1 },
  }
}

function smoothLine(
  buckets: readonly HistoryBucket[],
  values: readonly number[],
  toAxis: ToAxis,
  colour: string,
): Drawn {
  const data = smoothedPoints(buckets, values, toAxis)
  return { ...LINE, data, z: 5, lineStyle: { color: colour, width: 2.4, join: 'round', cap: 'round' } }
}

/** Smoothed as the series itself is, so that the two can be compared; its values where it is too short for that. */
function besideLines(buckets: readonly HistoryBucket[], axis: Extent, toAxis: ToAxis): Drawn[] {
  if (buckets.length === 0) return []
  const style = { color: BESIDE, join: 'round' }
  const points = rawPoints(buckets, toAxis)
  const alone = dots(isolatedPoints(points), BESIDE, 5)
  const smoothed = smooth(buckets, axis)
  if (!smoothed) return [{ ...LINE, data: points, z: 2, lineStyle: { ...style, width: 1.5, opacity: 0.9 } }, alone]
  return [
    { ...LINE, data: points, z: 2, lineStyle: { ...style, width: 0.9, opacity: 0.28 } },
    alone,
    {
      ...LINE,
      data: smoothedPoints(buckets, smoothed.values, toAxis),
      z: 4,
      lineStyle: { ...style, width: 1.7, opacity: 0.9 },
    },
  ]
}

function supersededLine(points: readonly Point[]): Drawn {
  return {
    ...LINE,
    data: points,
    showSymbol: points.length === 1,
    symbol: 'circle',
    symbolSize: 5,
    z: 2,
    itemStyle: { color: SUPERSEDED, opacity: 0.6 },
    lineStyle: { color: SUPERSEDED, width: 1.4, opacity: 0.7, type: [2, 3] },
  }
}

/** Two stacked lines with the area between them: the only filled band that plain JSON can say. */
function bandLines(
  lower: readonly HistoryBucket[],
  upper: readonly HistoryBucket[],
  toAxis: ToAxis,
  colour: string,
): Drawn[] {
  const tops = new Map(upper.filter((b) => b.count > 0).map((bucket) => [bucket.iteration, bucket.max]))
  const both = lower.filter((bucket) => bucket.count > 0 && tops.has(bucket.iteration))
  const bottoms = both.map((bucket): Point => [bucketMiddle(bucket), toAxis(bucket.min)])
  const heights = both.map((bucket): Point => {
    return [bucketMiddle(bucket), toAxis(tops.get(bucket.iteration)!) - toAxis(bucket.min)]
  })
  const shared = { ...LINE, stack: 'band', stackStrategy: 'all', z: 1 }
  const edge = { color: colour, width: 0.8, opacity: 0.35 }
  const [only] = both
  if (only && both.length === 1) {
    const x = bucketMiddle(only)
    const data = [only.min, tops.get(only.iteration)!].map((value): Point => [x, toAxis(value)])
    return [{ ...LINE, z: 1, data, lineStyle: { color: colour, width: 14, opacity: 0.2 } }]
  }
  return [
    { ...shared, data: bottoms, lineStyle: edge },
    { ...shared, data: heights, lineStyle: edge, areaStyle: { color: colour, opacity: 0.16 } },
  ]
}

function trendLines(trend: TrendLine, toAxis: ToAxis): Drawn[] {
  const { fromIteration, toIteration, slope, intercept, interval, pivot } = trend
  const at = (iteration: number) => intercept + slope * iteration
  const edge = (rate: number) => (iteration: number) => at(pivot) + rate * (iteration - pivot)
  const draw = (value: (iteration: number) => number, style: Drawn): Drawn => ({
    ...LINE,
    z: 6,
    data: [fromIteration, toIteration].map((iteration): Point => [iteration, toAxis(value(iteration))]),
    lineStyle: style,
  })
  return [
    ...interval
      .filter(Number.isFinite)
      .map((rate) => draw(edge(rate), { color: TREND, width: 1, opacity: 0.55, type: [2, 3] })),
    draw(at, { color: TREND, width: 2, type: [8, 5] }),
  ]
}
