/**
 * Panels and marks as plain JSON and back, so that a page lays out anew what a picture shows. Every value survives, NaN and
 * Infinity included.
 *
 * @module
 */
import type { Severity } from '../../detectors/detector.ts'
import type { HistoryBucket } from '../../metrics/history.ts'
import type { ChartJson } from './chart-definition.ts'
import type { FigureRow, Panel, SeriesPanel } from './panel.ts'
import type { PlotMarks } from './plot-marks.ts'
import { plotText } from './plot-text.ts'
import type { SeriesData, TrendLine } from './series-data.ts'

/** Alerts and checkpoints that go along; no axis has room for more. */
const MAX_MARKS = 1000

type JsonRecord = Readonly<Record<string, ChartJson>>

/** The rows of a figure as JSON. */
export function rowsToJson(rows: readonly FigureRow[]): ChartJson[] {
  return rows.map(({ panels }) => panels.map(({ panel, share = 1 }) => ({ share, ...panelToJson(panel) })))
}

/** What {@link rowsToJson} made. */
export function rowsFromJson(rows: readonly ChartJson[]): FigureRow[] {
  return rows.map((row) => ({
    panels: (row as readonly JsonRecord[]).map((panel) => ({
      panel: panelFromJson(panel),
      share: panel.share as number,
    })),
  }))
}

/** The marks of a figure as JSON, their words cut to what a figure may show. */
export function marksToJson(marks: PlotMarks): ChartJson {
  const { alerts, muted, stop, checkpoints, thresholds, rollbackTo } = marks
  return {
    alerts: alerts.slice(0, MAX_MARKS).map(({ iteration, severity, kind, reason }) => ({
      iteration,
      severity,
      kind: plotText(kind, 60),
      ...(reason === undefined ? {} : { reason: plotText(reason, 240) }),
    })),
    ...(muted === undefined ? {} : { muted }),
    stop: stop && { iteration: stop.iteration, reason: plotText(stop.reason, 240) },
    checkpoints: checkpoints.slice(-MAX_MARKS),
    thresholds: thresholds
      .filter(({ value }) => Number.isFinite(value))
      .map(({ name, value, label }) => ({ name, value, label: plotText(label, 60) })),
    rollbackTo: rollbackTo ?? null,
  }
}

/** What {@link marksToJson} made. */
export function marksFromJson(marks: ChartJson): PlotMarks {
  return marks as unknown as PlotMarks & { readonly alerts: readonly { readonly severity: Severity }[] }
}

function panelToJson(panel: Panel): JsonRecord {
  if (panel.kind === 'alerts') return { kind: 'alerts', title: panel.title, watched: panel.watched }
  const { title, measure, series, colour, trend, smooth, beside, band } = panel
  return {
    kind: 'series',
    title,
    measure,
    series: seriesToJson(series),
    colour,
    trend: trend ?? false,
    smooth: smooth ?? true,
    beside: beside ? { series: seriesToJson(beside.series), label: beside.label } : null,
    band: band ? { lower: seriesToJson(band.lower), upper: seriesToJson(band.upper), label: band.label } : null,
  }
}

function panelFromJson(panel: JsonRecord): Panel {
  if (panel.kind === 'alerts')
    return { kind: 'alerts', title: panel.title as string, watched: panel.watched as boolean }
  const beside = panel.beside as JsonRecord | null
  const band = panel.band as JsonRecord | null
  return {
    ...(panel as unknown as SeriesPanel),
    series: seriesFromJson(panel.series!),
    beside: beside && { series: seriesFromJson(beside.series!), label: beside.label as string },
    band: band && {
      lower: seriesFromJson(band.lower!),
      upper: seriesFromJson(band.upper!),
      label: band.label as string,
    },
  }
}

function seriesToJson({ name, title, unit, buckets, superseded, trend }: SeriesData): ChartJson {
  return {
    name,
    title,
    unit,
    buckets: bucketsToJson(buckets),
    superseded: superseded.map((one) => ({ attempt: one.attempt, buckets: bucketsToJson(one.buckets) })),
    trend: trend && { ...trend, interval: trend.interval.map(toJson) },
  }
}

function seriesFromJson(json: ChartJson): SeriesData {
  const { name, title, unit, buckets, superseded, trend } = json as JsonRecord
  const line = trend as JsonRecord | null
  return {
    name: name as string,
    title: title as string,
    unit: unit as string,
    buckets: bucketsFromJson(buckets!),
    superseded: (superseded as readonly JsonRecord[]).map((one) => ({
      attempt: one.attempt as number,
      buckets: bucketsFromJson(one.buckets!),
    })),
    trend: line && {
      ...(line as unknown as TrendLine),
      interval: (line.interval as readonly ChartJson[]).map(fromJson) as [number, number],
    },
  }
}

/** A bucket of one value is `[iteration, value]`; any other has all of its fields. */
function bucketsToJson(buckets: readonly HistoryBucket[]): ChartJson {
  return buckets.map((bucket) => {
    const { iteration, width, min, max, mean, last, lastIteration, count, nonFinite } = bucket
    return width === 1 && count + nonFinite === 1 && lastIteration === iteration
      ? [iteration, toJson(last)]
      : [iteration, width, toJson(min), toJson(max), toJson(mean), toJson(last), lastIteration, count, nonFinite]
  })
}

function bucketsFromJson(json: ChartJson): HistoryBucket[] {
  return (json as readonly (readonly ChartJson[])[]).map((row) => {
    const [iteration, ...rest] = row.map(fromJson) as [number, ...number[]]
    if (rest.length === 1) return pointBucket(iteration, rest[0]!)
    const [width, min, max, mean, last, lastIteration, count, nonFinite] = rest as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ]
    return { iteration, width, min, max, mean, last, lastIteration, count, nonFinite }
  })
}

/** A bucket that holds one value. */
export function pointBucket(iteration: number, value: number): HistoryBucket {
  const finite = Number.isFinite(value)
  const shown = finite ? value : Number.NaN
  return {
    iteration,
    width: 1,
    min: shown,
    max: shown,
    mean: shown,
    last: value,
    lastIteration: iteration,
    count: finite ? 1 : 0,
    nonFinite: finite ? 0 : 1,
  }
}

/** JSON knows no NaN, no Infinity and no -0. */
function toJson(value: number): ChartJson {
  return Number.isFinite(value) ? value + 0 : String(value)
}

function fromJson(value: ChartJson): number {
  return Number(value)
}
