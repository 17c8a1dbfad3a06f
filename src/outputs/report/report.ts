/**
 * The training report as data: what `training_report.json` holds, and what the Markdown report is written from.
 *
 * @module
 */
import type { Advice, AlertBasis, AlertKind, Coverage, ForgettingView, Severity } from './report-input.ts'

/** Version of the JSON report; it goes up when a reader of the old one would misread the new one. */
export const REPORT_SCHEMA_VERSION = 1

/** One series over the newest attempt of the run. Values are null where no finite one was logged. */
export interface ReportMetric {
  readonly title: string
  /** The trainer's own name. */
  readonly original: string
  readonly unit: string
  /** The newest value, finite or not, and its iteration. */
  readonly final: number
  readonly finalIteration: number
  readonly mean: number | null
  readonly min: number | null
  readonly max: number | null
  /** Mean over the first and the last tenth of the iterations. */
  readonly firstTenth: number | null
  readonly lastTenth: number | null
  /** Finite values, and NaN and infinite ones. */
  readonly count: number
  readonly nonFinite: number
  /** Slope per iteration over the last 200 values, with a 95 % interval. */
  readonly trend: {
    readonly slope: number
    readonly interval: readonly [number, number]
    readonly direction: 'up' | 'down' | 'flat'
  } | null
  readonly badDirection: 'up' | 'down' | null
  readonly estimator: 'k1' | 'k2' | 'k3' | null
  readonly reliability: 'exact' | 'biased' | 'unusable'
  readonly why: string | null
}

/** Characters that were cut off three texts. */
export interface CharactersLeftOut {
  readonly prompt: number
  readonly original: number
  readonly updated: number
}

/** Answers to one prompt, beside an alert; texts are cut to 2,000 characters. */
export interface ReportSample {
  readonly prompt: string
  readonly original: string
  readonly updated: string
  readonly baselineIteration: number
  readonly iteration: number
  readonly charactersLeftOut: CharactersLeftOut
  /** Rewards of the two answers, where both were logged. */
  readonly rewards: readonly [number, number] | null
}

/** One alert with what a person needs to judge it. */
export interface ReportAlert {
  readonly id: string
  readonly detector: string
  readonly kind: AlertKind
  readonly direction: 'up' | 'down' | null
  readonly severity: Severity
  readonly state: 'open' | 'resolved'
  readonly iteration: number
  readonly reason: string
  readonly onset: { readonly estimate: number; readonly interval: readonly [number, number] }
  readonly series: readonly string[]
  readonly observed: number
  readonly expected: number
  readonly statistic: number
  readonly threshold: number
  readonly rollbackTo: number | null
  readonly advice: readonly Advice[]
  readonly basis: AlertBasis
  readonly falseAlarmRate: number | null
  readonly samples: readonly ReportSample[]
  /** Id of the alert of the same failure that it took over from; null for a new failure. */
  readonly replaces: string | null
  /** There where nobody wants to hear of this kind. */
  readonly muted?: true | undefined
}

/** One pair of answers; texts are cut to 2,000 characters. */
export interface ReportPair {
  readonly prompt: string
  readonly original: string
  readonly updated: string
  readonly charactersLeftOut: CharactersLeftOut
  readonly baselineIteration: number
  readonly similarity: number
  readonly drift: number
  readonly charactersAdded: number
  readonly charactersRemoved: number
  readonly linesAdded: number
  readonly linesRemoved: number
  readonly words: readonly { readonly kind: 'kept' | 'removed' | 'added'; readonly text: string }[]
  readonly measures: Readonly<Record<string, { readonly original: number; readonly updated: number }>>
}

/** One comparison of answers, the most changed pairs first. */
export interface ReportComparison {
  readonly iteration: number
  readonly source: 'regenerated' | 'paired'
  readonly driftKind: 'semantic' | 'lexical'
  readonly metrics: Readonly<Record<string, number>>
  readonly pairs: readonly ReportPair[]
}

/** A request to stop. */
export interface ReportStop {
  readonly reason: string
  readonly severity: Severity
  readonly iteration: number
  readonly rollbackTo: number | null
}

/** Checkpoints that a report names. */
export const MAX_CHECKPOINTS = 1000

/** The run itself. */
export interface ReportRun {
  readonly id: string
  readonly project: string
  readonly name: string
  readonly status: 'running' | 'completed' | 'stopped' | 'failed'
  /** Iterations that are done, counted from iteration 0 or 1. */
  readonly iterations: number
  /** How many of them were logged, where a trainer logs every tenth; null where that is not known. */
  readonly loggedIterations: number | null
  /** Whether the run was followed as it went; false where its log was read, which may have no end though the run does not go on. */
  readonly live: boolean
  /** The newest closed iteration; null before the first. */
  readonly lastIteration: number | null
  readonly totalIterations: number | null
  readonly startedUnixSeconds: number | null
  /** Null where the log has no times. */
  readonly elapsedMs: number | null
  readonly attempts: readonly { readonly attempt: number; readonly fromIteration: number }[]
  /** Iterations of the newest checkpoints that exist, ascending; at most {@link MAX_CHECKPOINTS}. */
  readonly checkpoints: readonly number[]
  readonly error: string | null
}

/** The whole report. Non-finite numbers are written as "NaN", "Infinity" and "-Infinity". */
export interface TrainingReport {
  readonly schemaVersion: typeof REPORT_SCHEMA_VERSION
  readonly run: ReportRun
  /** What happened, when, how sure, and what to do: paragraphs of plain text. */
  readonly summary: { readonly text: readonly string[] }
  readonly stop: ReportStop | null
  readonly laterStops: readonly ReportStop[]
  /** By canonical name. */
  readonly metrics: Readonly<Record<string, ReportMetric>>
  readonly alerts: readonly ReportAlert[]
  readonly sample_changes: readonly ReportComparison[]
  readonly forgetting: ForgettingView | null
  /** Null where PPO's mechanics were not recorded. */
  readonly ppoMechanics: {
    readonly summary: Readonly<Record<string, number | null>>
    /** At most 200 records, evenly spread over the run. */
    readonly history: readonly Readonly<Record<string, number>>[]
  } | null
  readonly configuration: {
    readonly verbosity: string
    /** How the run was watched; null without an analyzer. */
    readonly detection: { readonly mode: string; readonly thresholds: Readonly<Record<string, number>> } | null
    /** Hyper-parameters as the trainer gave them. */
    readonly training: Readonly<Record<string, unknown>>
  }
  /** What was watched and what was not; null without an analyzer. */
  readonly coverage: readonly Coverage[] | null
  readonly plots: readonly { readonly file: string; readonly title: string; readonly caption: string }[]
  readonly counters: Readonly<Record<string, number>>
  readonly callbackFailures: readonly { readonly callback: string; readonly problem: string; readonly count: number }[]
  readonly versions: Readonly<Record<string, string>>
  /** What there was more of than a report holds. */
  readonly leftOut: {
    readonly metrics: number
    readonly comparisons: number
    readonly pairs: number
    readonly characters: number
    readonly configuration: boolean
  }
}
