/**
 * What is marked in the figures beside the data: alerts, the stop, checkpoints, thresholds.
 *
 * @module
 */
import type { Severity } from '../../detectors/detector.ts'
import type { AnalyzerView, RunSummary } from '../../run-summary.ts'
import { worseningAlerts } from '../failures.ts'
import { plotNumber } from './plot-text.ts'

/** Marks of a run, as data. */
export interface PlotMarks {
  /** Vertical lines with a label, coloured by severity. */
  readonly alerts: readonly {
    readonly iteration: number
    readonly severity: Severity
    readonly kind: string
    /** Told of the first alert of a run that was not stopped. */
    readonly reason?: string
  }[]
  /** How many alerts are muted: they are counted beside the others, and not drawn; 0 by default. */
  readonly muted?: number
  /** Where the run was stopped, or null. */
  readonly stop: { readonly iteration: number; readonly reason: string } | null
  /** Iterations at which a checkpoint was saved. */
  readonly checkpoints: readonly number[]
  /** Dashed lines by the canonical name of the series that they belong to. */
  readonly thresholds: readonly { readonly name: string; readonly value: number; readonly label: string }[]
  /** Checkpoint to return to. */
  readonly rollbackTo?: number | null
}

/** Nothing marked. */
export const NO_MARKS: PlotMarks = Object.freeze({ alerts: [], stop: null, checkpoints: [], thresholds: [] })

/**
 * The marks of a run: alerts, but for muted ones and those by which a failure eased, and thresholds of its analyzer, stop and checkpoints of its summary.
 *
 * @example
 * ```ts
 * import { QualityAnalyzer, TrainingMonitor } from 'telltale'
 * import { plotMarks } from 'telltale/plots'
 * const monitor = new TrainingMonitor()
 * const analyzer = new QualityAnalyzer({ monitor, klThreshold: 0.2 })
 * const marks = plotMarks({ analyzer, summary: monitor.summary() })
 * console.log(marks.thresholds) // [ { name: 'kl_ref/token', value: 0.2, label: 'threshold 0.2' } ]
 * ```
 */
export function plotMarks(from: {
  readonly analyzer?: Pick<AnalyzerView, 'alertHistory' | 'thresholds'> | undefined
  readonly summary?: Pick<RunSummary, 'stop' | 'checkpoints'> | undefined
}): PlotMarks {
  const { analyzer, summary } = from
  const kl = analyzer?.thresholds.kl
  const muted = (analyzer?.alertHistory ?? []).filter((alert) => alert.muted).length
  return {
    ...(muted > 0 ? { muted } : {}),
    alerts: worseningAlerts(analyzer?.alertHistory ?? [])
      .filter(({ muted }) => !muted)
      .map(({ iteration, severity, kind, reason }) => ({ iteration, severity, kind, reason })),
    stop: summary?.stop ? { iteration: summary.stop.iteration, reason: summary.stop.reason } : null,
    checkpoints: summary?.checkpoints ?? [],
    thresholds:
      kl !== undefined && Number.isFinite(kl)
        ? [{ name: 'kl_ref/token', value: kl, label: `threshold ${plotNumber(kl)}` }]
        : [],
    rollbackTo: summary?.stop?.rollbackTo ?? null,
  }
}
