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
  /** Why, in one line. */
  readonly reason: string
  /** How much it matters; only `critical` stops. */
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
  /** Lines of the log that could not be written. */
  readonly droppedLines: number
  /** Lines of a replayed log that could not be read. */
  readonly damagedLines: number
}

/** The process that trains, as it has said in the run's log. */
export interface ProcessInfo {
  /** Name of the machine. */
  readonly host: string
  /** Number of the process there. */
  readonly pid: number
  /** Whose numbers these are, where the kernel says it: a container has its own. */
  readonly pidNamespace: string | null
  /** When it began, in the kernel's own count; null where that is not known. */
  readonly startTicks: string | null
  /** Command line, without secrets; at most 2,000 characters. */
  readonly command: string
  /** Of the folder that it was started in; `dirty` where files differ from the commit, null where that is not known. */
  readonly git: { readonly commit: string; readonly dirty: boolean | null } | null
  /** Versions by name: of the language, of Telltale, of the trainer's libraries. */
  readonly versions: Readonly<Record<string, string>>
}

/** Everything a report says about the run itself. */
export interface RunSummary {
  /** Id of the run. */
  readonly runId: string
  /** Project that the run belongs to. */
  readonly project: string
  /** Name of the run for people. */
  readonly name: string
  /** Folder of the run, or null for a monitor that writes nothing. */
  readonly outputDir: string | null
  /** How much outputs show. */
  readonly verbosity: VerbosityLevel
  /** The process that trains, or null where its log does not say. */
  readonly process: ProcessInfo | null
  /** `running` before TRAINING_END. */
  readonly status: RunStatus | 'running'
  /**
   * Iterations that are done: the newest closed iteration where the run counts from 1, and one more where it counts from 0. Of a trainer that logs
   * every tenth step these are all its steps, not the logged ones.
   */
  readonly iterations: number
  /**
   * How many of {@link iterations} have been logged, those that were done again counted once; fewer where a trainer logs every tenth step. Null in a
   * process that goes on with a run that another began.
   */
  readonly loggedIterations: number | null
  /** Whether events come as they happen; false where a log is read. */
  readonly live: boolean
  /** The newest closed iteration, or null before the first. */
  readonly lastIteration: number | null
  /** As announced by TRAINING_START's `metadata.totalIterations`, or null. */
  readonly totalIterations: number | null
  /** Time of TRAINING_START, or null before it, and where a log without times is read. */
  readonly startedUnixSeconds: number | null
  /** Milliseconds since TRAINING_START, until now or the end; null where a log without times is read. */
  readonly elapsedMs: number | null
  /** The first request wins. */
  readonly stop: StopRequest | null
  /** Further requests to stop, in order. */
  readonly laterStops: readonly StopRequest[]
  /** Hyper-parameters from TRAINING_START's `metadata.config`. */
  readonly config: Readonly<Record<string, unknown>>
  /** Iterations of the checkpoints saved so far, ascending. */
  readonly checkpoints: readonly number[]
  /** First iteration of each attempt; one entry unless the run was resumed. */
  readonly attempts: readonly { readonly attempt: number; readonly fromIteration: number }[]
  /** What was set aside. */
  readonly counters: RunCounters
  /** Callbacks that threw or were too slow, what was wrong, and how often. */
  readonly callbackFailures: readonly { readonly callback: string; readonly problem: string; readonly count: number }[]
  /** Versions by name: `telltale` and `node`. */
  readonly versions: Readonly<Record<string, string>>
  /** Message of the exception that ended the run, if one did. */
  readonly error: string | null
}

/** What a report reads of the analyzer. */
export interface AnalyzerView {
  /** The set of detectors. */
  readonly mode: 'threshold' | 'calibrated'
  /** The thresholds in force, by name. */
  readonly thresholds: Readonly<Record<string, number>>
  /** All alerts in the order in which they were raised. */
  readonly alertHistory: readonly Alert[]
  /** What is watched and what is not. */
  readonly coverage: readonly Coverage[]
}

/** What a report reads of a monitor. */
export interface MonitorView {
  /** What is known of the run itself, now. */
  summary(): RunSummary
  /** The numbers of the run. */
  getMetricsStore(): MetricsStore
}
