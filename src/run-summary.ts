/**
 * A run as its outputs see it: plain data, so that reports and displays need neither the monitor nor detectors.
 *
 * @module
 */
import type { Alert, Coverage, Severity } from './detectors/detector.ts'
import type { RunStatus } from './events.ts'
import type { MetricsStore } from './metrics/store.ts'
import type { VerbosityLevel } from './verbosity.ts'

/** Why the run was asked to stop. */
export interface StopRequest {
  readonly reason: string
  readonly severity: Severity
  /** Iteration that was open or just closed when the request came. */
  readonly iteration: number
  /** Newest existing checkpoint before the onset of the failure, or null. */
  readonly rollbackTo: number | null
}

/** Things that were set aside rather than lost silently; all zero in a clean run. */
export interface RunCounters {
  /** Events that were no events (unknown phase, negative iteration). */
  readonly rejectedEvents: number
  /** Values that were no numbers. */
  readonly rejectedValues: number
  /** Values for an iteration that had already closed; stored, not detected on. */
  readonly lateValues: number
  /** Events repeated or after the end. */
  readonly ignoredEvents: number
  /** Series beyond the limit of names. */
  readonly droppedNames: number
  /** Samples, metadata or lines beyond a limit, or that could not be written. */
  readonly droppedSamples: number
  readonly droppedLines: number
  /** Lines of a replayed log that could not be read. */
  readonly damagedLines: number
}

/** Everything a report says about the run itself. */
export interface RunSummary {
  readonly runId: string
  readonly project: string
  readonly name: string
  readonly outputDir: string | null
  readonly verbosity: VerbosityLevel
  /** `running` before TRAINING_END. */
  readonly status: RunStatus | 'running'
  /** Closed iterations of the newest attempt, counted from iteration 0: last closed iteration + 1. */
  readonly iterations: number
  /** As announced by TRAINING_START's `metadata.totalIterations`, or null. */
  readonly totalIterations: number | null
  readonly startedUnixSeconds: number | null
  readonly elapsedMs: number
  /** The first request wins. */
  readonly stop: StopRequest | null
  readonly laterStops: readonly StopRequest[]
  /** Hyper-parameters from TRAINING_START's `metadata.config`. */
  readonly config: Readonly<Record<string, unknown>>
  readonly checkpoints: readonly number[]
  /** First iteration of each attempt; one entry unless the run was resumed. */
  readonly attempts: readonly { readonly attempt: number; readonly fromIteration: number }[]
  readonly counters: RunCounters
  readonly callbackFailures: readonly { readonly callback: string; readonly problem: string; readonly count: number }[]
  readonly versions: Readonly<Record<string, string>>
  /** Message of the exception that ended the run, if one did. */
  readonly error: string | null
}

/** What a report reads of the analyzer. */
export interface AnalyzerView {
  readonly mode: 'threshold' | 'calibrated'
  readonly thresholds: Readonly<Record<string, number>>
  readonly alertHistory: readonly Alert[]
  readonly coverage: readonly Coverage[]
}

/** What a report reads of a monitor. */
export interface MonitorView {
  summary(): RunSummary
  getMetricsStore(): MetricsStore
}
