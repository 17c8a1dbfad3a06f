/**
 * What a panel holds at one place of its x axis, exactly and in words.
 *
 * @module
 */

import type { HistoryBucket } from '../../../metrics/history.ts'
import { BESIDE, SEVERITY_COLOUR, SUPERSEDED } from '../../plots/palette.ts'
import type { Panel, SeriesPanel } from '../../plots/panel.ts'
import type { PlotMarks } from '../../plots/plot-marks.ts'
import { plotCount } from '../../plots/plot-text.ts'
import { bucketMiddle } from '../../plots/series-points.ts'
import { SEVERITY_WORDS } from '../../severity-words.ts'

/** One line of a read-out. */
export interface ReadOutLine {
  readonly label: string
  readonly value: string
  /** Of the palette; null for what has no colour. */
  readonly colour: string | null
}

/** The values at one place. */
export interface ReadOut {
  /** Iteration on the axis. */
  readonly at: number
  readonly title: string
  readonly lines: readonly ReadOutLine[]
}

/** A series of a panel under its label. */
export interface PanelLine {
  readonly label: string
  readonly unit: string
  readonly colour: string
  readonly buckets: readonly HistoryBucket[]
}

const MAX_ALERTS = 6

/** The series of a panel, the main one first; those without values are left out. */
export function panelLines({ series, colour, beside, band }: SeriesPanel): PanelLine[] {
  const { unit } = series
  const main = band ? 'mean' : series.title
  return [
    { label: main, unit, colour, buckets: series.buckets },
    ...(beside ? [{ label: beside.label, unit, colour: BESIDE, buckets: beside.series.buckets }] : []),
    ...(band
      ? [
          { label: `from (${band.lower.name})`, unit, colour, buckets: band.lower.buckets },
          { label: `to (${band.upper.name})`, unit, colour, buckets: band.upper.buckets },
        ]
      : []),
    ...series.superseded.map((attempt) => ({
      label: `attempt ${attempt.attempt}, superseded`,
      unit,
      colour: SUPERSEDED,
      buckets: attempt.buckets,
    })),
  ].filter(({ buckets }) => buckets.length > 0)
}

/** Places of the x axis that have something to read, ascending. */
export function readablePlaces(panel: Panel, marks: PlotMarks): number[] {
  const places =
    panel.kind === 'alerts'
      ? marks.alerts.map(({ iteration }) => iteration)
      : panelLines(panel).flatMap(({ buckets }) => buckets.map(bucketMiddle))
  return [...new Set(places)].sort((a, b) => a - b)
}

/** The place nearest to an iteration; null where there is none. */
export function nearestPlace(places: readonly number[], iteration: number): number | null {
  let low = 0
  let high = places.length - 1
  if (high < 0) return null
  while (low < high) {
    const middle = (low + high) >> 1
    if (places[middle]! < iteration) low = middle + 1
    else high = middle
  }
  const [before, after] = [places[low - 1] ?? places[low]!, places[low]!]
  return iteration - before <= after - iteration ? before : after
}

/** What is read at one of the places. */
export function readOut(panel: Panel, marks: PlotMarks, at: number): ReadOut {
  return panel.kind === 'alerts' ? readAlerts(marks, at) : readSeries(panel, marks, at)
}

function readSeries(panel: SeriesPanel, marks: PlotMarks, at: number): ReadOut {
  let [from, to] = [at, at]
  const lines: ReadOutLine[] = []
  for (const { label, unit, colour, buckets } of panelLines(panel)) {
    const bucket = bucketAt(buckets, at)
    if (!bucket) continue
    from = Math.min(from, bucket.iteration)
    to = Math.max(to, bucket.lastIteration)
    lines.push({ label, value: bucketWords(bucket, unit), colour })
  }
  const within = (iteration: number) => iteration >= from && iteration <= to
  lines.push(
    ...marks.alerts
      .filter(({ iteration }) => within(iteration))
      .slice(0, MAX_ALERTS)
      .map(alertLine),
  )
  if (marks.stop && within(marks.stop.iteration)) {
    lines.push({ label: 'stopped', value: `after iteration ${plotCount(marks.stop.iteration)}`, colour: null })
  }
  const checkpoints = marks.checkpoints.filter(within)
  if (checkpoints.length > 0) {
    const newest = plotCount(checkpoints[checkpoints.length - 1]!)
    const value = checkpoints.length === 1 ? `saved at ${newest}` : `${checkpoints.length}, the newest at ${newest}`
    lines.push({ label: 'checkpoint', value, colour: null })
  }
  return { at, title: iterationWords(from, to), lines }
}

function readAlerts(marks: PlotMarks, at: number): ReadOut {
  const here = marks.alerts.filter(({ iteration }) => iteration === at)
  const lines = here.slice(0, MAX_ALERTS).map(alertLine)
  if (here.length > MAX_ALERTS) {
    lines.push({ label: 'and', value: `${plotCount(here.length - MAX_ALERTS)} more`, colour: null })
  }
  return { at, title: iterationWords(at, at), lines }
}

function alertLine({ severity, kind }: PlotMarks['alerts'][number]): ReadOutLine {
  return { label: SEVERITY_WORDS[severity], value: kind, colour: SEVERITY_COLOUR[severity] ?? null }
}

/** The bucket that a place lies in. */
export function bucketAt(buckets: readonly HistoryBucket[], at: number): HistoryBucket | null {
  let low = 0
  let high = buckets.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (buckets[middle]!.iteration <= at) low = middle
    else high = middle - 1
  }
  const bucket = buckets[low]
  return bucket && at >= bucket.iteration && at <= bucket.iteration + bucket.width - 1 ? bucket : null
}

/** `0.31 nats/token`, or of a bucket of many values their mean with the smallest and the largest. */
export function bucketWords(bucket: HistoryBucket, unit: string): string {
  const { count, nonFinite, min, max, mean, last } = bucket
  const suffix = unit === '' || unit === 'fraction' || unit === 'reward' ? '' : ` ${unit}`
  if (count + nonFinite === 1) return `${exactly(last)}${count === 1 ? suffix : ''}`
  const others = nonFinite > 0 ? `; ${plotCount(nonFinite)} NaN or infinite` : ''
  if (count === 0) return `${plotCount(nonFinite)} values, all NaN or infinite`
  return `${exactly(mean)}${suffix} (${exactly(min)} to ${exactly(max)}, ${plotCount(count)} values${others})`
}

/** Ten significant digits: all that a 32-bit float has, and no tail of the 64-bit one that holds it. */
export function exactly(value: number): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(10))) : String(value)
}

function iterationWords(from: number, to: number): string {
  const first = plotCount(Math.ceil(from))
  const last = plotCount(Math.floor(to))
  return first === last ? `iteration ${first}` : `iterations ${first} to ${last}`
}
