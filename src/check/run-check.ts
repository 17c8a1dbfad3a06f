/**
 * One run on its way through the detectors: takes its lines, says in the end what they found.
 *
 * @module
 */
import {
  type AnalyzerMode,
  DEFAULT_MODE,
  QualityAnalyzer,
  type QualityAnalyzerOptions,
} from '../decision/quality-analyzer.ts'
import type { Compared } from '../detectors/calibrated/preset.ts'
import type { Alert, Coverage, Severity } from '../detectors/detector.ts'
import type { RunStatus } from '../events.ts'
import { createReplayer } from '../log/replayer.ts'
import type { WireLine } from '../log/wire.ts'
import type { TrainingMonitor } from '../monitor.ts'
import type { SourceName } from '../sources/source.ts'
import { deriveQuality } from './derive-quality.ts'

/** How runs are checked: the options of an analyzer. */
export interface CheckOptions
  extends Pick<QualityAnalyzerOptions, 'mode' | 'preset' | 'falseAlarmRate' | 'klThreshold' | 'mute'> {
  /** Mode `calibrated`: called with what the detectors of a run compare at each iteration. */
  readonly onCompared?: ((run: string, compared: Compared, iteration: number) => void) | undefined
  /** Called with a run's monitor and analyzer before its first event, to register what else shall see it. */
  readonly onBegin?: ((run: string, monitor: TrainingMonitor, analyzer: QualityAnalyzer) => void) | undefined
}

/** A run that was checked, as `telltale check --json` prints it. */
export interface CheckedRun {
  readonly run: string
  readonly path: string
  /** The format that its numbers were read from: `telltale` for Telltale's own logs. */
  readonly source: SourceName
  /** Table of names by which the series were understood. */
  readonly trainer: string
  /** Step reached, counted from 0 or 1. */
  readonly iterations: number
  /** How many of them the log has, those that were done again counted once; null where that is not known. */
  readonly loggedIterations: number | null
  /** Milliseconds from its first event to its newest; null where the log has no times. */
  readonly elapsedMs: number | null
  /** `running` where the log has no end. */
  readonly status: RunStatus | 'running'
  readonly mode: AnalyzerMode
  readonly preset: string | null
  readonly alerts: readonly Alert[]
  /** Where these detectors would have stopped the run. */
  readonly stop: {
    readonly iteration: number
    readonly reason: string
    readonly rollbackTo: number | null
  } | null
  readonly coverage: readonly Coverage[]
}

/** A run that is being checked. */
export interface RunCheck {
  readonly run: string
  take(line: WireLine): void
  /** The alerts so far. */
  result(): CheckedRun
}

const RANK: Readonly<Record<Severity, number>> = { info: 0, warning: 1, critical: 2 }

/** Whether a run has an alert at or above a severity that is not muted. */
export function hasAlert(run: CheckedRun, atLeast: Severity): boolean {
  return run.alerts.some(({ severity, muted }) => !muted && RANK[severity] >= RANK[atLeast])
}

/** Begins to check a run. */
export function checkRun(run: string, path: string, source: CheckedRun['source'], options: CheckOptions): RunCheck {
  let analyzer: QualityAnalyzer | null = null
  const replayer = createReplayer({
    setup(monitor) {
      const { onCompared, onBegin, ...judged } = options
      const made = new QualityAnalyzer({
        monitor,
        ...judged,
        ...(onCompared ? { onCompared: (compared, iteration) => onCompared(run, compared, iteration) } : {}),
      })
      analyzer = made
      monitor.registerCallback({
        name: 'QualityAnalyzer',
        phases: made.phases,
        onEvent(event, context) {
          made.onEvent(event, context)
        },
        onTick: (tick) => made.onTick(tick),
      })
      onBegin?.(run, monitor, made)
    },
    derive: deriveQuality().derive,
  })
  return {
    run,
    take: (line) => replayer.take(line),
    result() {
      const summary = replayer.monitor?.summary()
      const alerts = analyzer?.alertHistory ?? []
      const stopping = alerts.find(({ severity, muted }) => severity === 'critical' && !muted)
      return {
        run,
        path,
        source,
        trainer: replayer.monitor?.getMetricsStore().trainer ?? 'own-loop',
        iterations: summary?.iterations ?? 0,
        loggedIterations: summary?.loggedIterations ?? 0,
        elapsedMs: summary?.elapsedMs ?? null,
        status: summary?.status ?? 'running',
        mode: options.mode ?? DEFAULT_MODE,
        preset: analyzer?.preset ?? null,
        alerts,
        stop: stopping
          ? { iteration: stopping.iteration, reason: stopping.reason, rollbackTo: stopping.rollbackTo }
          : null,
        coverage: analyzer?.coverage ?? [],
      }
    },
  }
}
