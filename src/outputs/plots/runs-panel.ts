/**
 * A panel with one series of several runs: a curve a run, and where each run raised its alerts.
 *
 * @module
 */
import type { Severity } from '../../detectors/detector.ts'
import type { HistoryBucket } from '../../metrics/history.ts'
import { type Extent, niceTicks } from './axis-range.ts'
import { clipArrows, crosses, type Drawn, LINE, straightLines } from './drawn-series.ts'
import { symbolOf } from './graphic.ts'
import type { LegendItem } from './legend.ts'
import { NOT_FINITE } from './palette.ts'
import type { PreparedPanel } from './panel.ts'
import { plotCount, plotNumber, plotText } from './plot-text.ts'
import { RUN_STYLES, type RunStyle } from './run-style.ts'
import { isolatedPoints, type Point, rawPoints, smoothedPoints, spreadOut } from './series-points.ts'
import { smooth } from './smooth.ts'
import { tickLabels } from './tick-labels.ts'
import { axisName, valueAxis } from './value-axis.ts'

/** An alert of a run, as a figure marks it. */
export interface RunAlert {
  readonly iteration: number
  readonly severity: Severity
  /** What it says, in a few words. */
  readonly what: string
}

/** A run that is drawn with others. */
export interface ComparedRun {
  /** As a legend shows it; no two alike. */
  readonly label: string
  readonly iterations: number
  readonly alerts: readonly RunAlert[]
}

/** One series of several runs. */
export interface RunsPanel {
  readonly title: string
  readonly name: string
  readonly unit: string
  /** One a run, in their order; empty where a run did not log it. */
  readonly curves: readonly (readonly HistoryBucket[])[]
}

/** A curve as it is drawn. */
interface Curve {
  readonly run: ComparedRun
  readonly style: RunStyle
  readonly buckets: readonly HistoryBucket[]
  readonly raw: readonly Point[]
  /** Null for a run too short to be smoothed. */
  readonly smoothed: readonly Point[] | null
}

/** Shapes along a curve, about, where it is as long as the axis. */
const MARKERS = 5
const MARKER_SIZE = 9
/** Curves whose single values would only be grey together. */
const MANY = 3
/** Alerts of a run that are nearer to each other than this are one line, in units of the figure. */
const ALERT_GAP = 6

/** Fits a panel to the runs. */
export function prepareRunsPanel(panel: RunsPanel, runs: readonly ComparedRun[], yTicks: number): PreparedPanel {
  const { range, exponent, yMin, yMax, toAxis } = valueAxis(panel.curves)
  const curves = runs.map((run, i): Curve => {
    const buckets = panel.curves[i] ?? []
    const smoothed = smooth(buckets, range)
    return {
      run,
      style: RUN_STYLES[i]!,
      buckets,
      raw: rawPoints(buckets, toAxis),
      smoothed: smoothed && smoothedPoints(buckets, smoothed.values, toAxis),
    }
  })
  const hasFinite = curves.some(({ buckets }) => buckets.some(({ count }) => count > 0))
  return {
    title: panel.title,
    yName: axisName(plotText(panel.unit, 24), '', exponent).trim(),
    yMin,
    yMax,
    yTicks: tickLabels(hasFinite ? niceTicks(yMin, yMax, yTicks) : []),
    legend: legendOf(curves, range),
    message: hasFinite ? null : `no finite value of ${plotText(panel.name, 60)}`,
    hasData: true,
    thresholds: [],
    series(area, iterations) {
      const perUnit = (iterations.max - iterations.min) / Math.max(1, area.width)
      return [
        ...curves.map((curve) => alertLines(curve, perUnit)),
        ...curves.map((curve) => alertHeads(curve, yMax, perUnit)),
        ...curves.flatMap((curve) => curveLines(curve, curves.length > MANY ? 0.13 : 0.24)),
        ...curves.map((curve, i) => markers(curve, iterations, (i + 0.5) / curves.length)),
        ...curves.flatMap((curve) => strays(curve, range, yMin, yMax, perUnit)),
      ]
    },
  }
}

/** What is particular to this panel: who lacks the series, and what lies beyond it. Who is who stands above all panels. */
function legendOf(curves: readonly Curve[], range: Extent): LegendItem[] {
  const items: LegendItem[] = []
  const none = curves.filter(({ buckets }) => buckets.length === 0).map(({ run }) => run.label)
  if (none.length > 0) items.push({ text: `not logged by ${none.join(', ')}`, colour: '', swatch: 'none' })
  for (const side of ['above', 'below'] as const) {
    const item = beyondItem(curves, range, side)
    if (item) items.push(item)
  }
  const odd = curves.flatMap(({ run, buckets }) => {
    const count = buckets.reduce((sum, { nonFinite }) => sum + nonFinite, 0)
    return count === 0 ? [] : [`${plotCount(count)} of ${run.label}`]
  })
  if (odd.length > 0) items.push({ text: `NaN or infinite: ${odd.join(', ')}`, colour: NOT_FINITE, swatch: 'cross' })
  return items
}

function beyondItem(curves: readonly Curve[], range: Extent, side: 'above' | 'below'): LegendItem | null {
  const above = side === 'above'
  const worst = curves
    .flatMap((curve) => outside(curve.buckets, range)[side].map((bucket) => ({ bucket, ...curve })))
    .reduce<(Curve & { readonly bucket: HistoryBucket }) | null>(
      (a, b) => (a === null || (above ? b.bucket.max > a.bucket.max : b.bucket.min < a.bucket.min) ? b : a),
      null,
    )
  if (worst === null) return null
  const what = above ? `largest ${plotNumber(worst.bucket.max)}` : `smallest ${plotNumber(worst.bucket.min)}`
  return {
    text: `beyond the axis: ${what} at ${plotCount(worst.bucket.iteration)} of ${worst.run.label}`,
    colour: worst.style.colour,
    swatch: above ? 'arrow-up' : 'arrow-down',
  }
}

function outside(buckets: readonly HistoryBucket[], { min, max }: Extent) {
  return {
    above: buckets.filter((bucket) => bucket.count > 0 && bucket.max > max),
    below: buckets.filter((bucket) => bucket.count > 0 && bucket.min < min),
  }
}

/** Values light and their average dark; a run too short to be smoothed has its values alone. */
function curveLines({ raw, smoothed, style: { colour } }: Curve, opacity: number): Drawn[] {
  const dark = { color: colour, width: 2.2, join: 'round', cap: 'round' }
  if (smoothed === null) return [{ ...LINE, data: raw, z: 5, lineStyle: dark }]
  return [
    { ...LINE, data: raw, z: 2, lineStyle: { color: colour, width: 0.9, opacity, join: 'bevel' } },
    { ...LINE, data: smoothed, z: 5, lineStyle: dark },
  ]
}

/**
 * The run's shape here and there on its curve, and on every value that stands alone.
 *
 * @param shift share of the way from one place to the next, another one for each run, so that they do not cover each other.
 */
function markers({ raw, smoothed, style }: Curve, { min, max }: Extent, shift: number): Drawn {
  const line = (smoothed ?? raw).filter(([, value]) => value !== null)
  const step = (max - min) / MARKERS
  const placed = new Map<number, Point>()
  for (let at = min + step * shift; at < max; at += step) {
    const near = line.reduce<Point | null>((a, b) => (a && Math.abs(a[0] - at) <= Math.abs(b[0] - at) ? a : b), null)
    if (near && Math.abs(near[0] - at) <= step / 4) placed.set(near[0], near)
  }
  // A run that is short beside the others lies between two places.
  const last = line[line.length - 1]
  if (placed.size === 0 && last) placed.set(last[0], last)
  return symbols([...placed.values(), ...isolatedPoints(raw)], style, 7)
}

function symbols(points: readonly Point[], { colour, marker }: RunStyle, z: number): Drawn {
  return {
    type: 'scatter',
    silent: true,
    clip: false,
    z,
    data: points,
    symbol: symbolOf(marker),
    symbolSize: MARKER_SIZE,
    itemStyle: { color: colour, opacity: 1, borderColor: '#FFFFFF', borderWidth: 0.8 },
  }
}

/** Alerts that are drawn: of those at one place the gravest. A note is in the panel of the alerts alone. */
function drawnAlerts({ run }: Curve, perUnit: number) {
  const at = (severity: Severity) =>
    run.alerts.filter((alert) => alert.severity === severity).map(({ iteration }) => iteration)
  const critical = spreadOut(at('critical'), ALERT_GAP * perUnit)
  const warning = spreadOut(at('warning'), ALERT_GAP * perUnit).filter((one) =>
    critical.every((other) => Math.abs(other - one) >= ALERT_GAP * perUnit),
  )
  return { critical, warning }
}

function alertLines(curve: Curve, perUnit: number): Drawn {
  const { critical, warning } = drawnAlerts(curve, perUnit)
  const vertical = (iteration: number, type: 'solid' | readonly number[]) => ({
    xAxis: iteration,
    lineStyle: { color: curve.style.colour, width: 1.3, type, opacity: 0.75 },
  })
  return straightLines([
    ...warning.map((one) => vertical(one, [5, 3])),
    ...critical.map((one) => vertical(one, 'solid')),
  ])
}

/** The run's shape at the head of the line. */
function alertHeads(curve: Curve, yMax: number, perUnit: number): Drawn {
  const { critical, warning } = drawnAlerts(curve, perUnit)
  const points = [...critical, ...warning].map((iteration): Point => [iteration, yMax])
  return symbols(points, curve.style, 8)
}

/** What lies beyond the axis, or is no number. */
function strays({ buckets, style }: Curve, range: Extent, yMin: number, yMax: number, perUnit: number): Drawn[] {
  const odd = buckets.filter(({ nonFinite }) => nonFinite > 0)
  return [
    ...clipArrows(outside(buckets, range), yMin, yMax, perUnit * 8, style.colour),
    ...(odd.length > 0 ? [crosses(odd, yMin, perUnit * 7, style.colour)] : []),
  ]
}
