/**
 * What a display shows, as plain data: the frame is a pure function of it. All text in it is plain (`displayText`).
 *
 * @module
 */
import type { Severity } from '../../detectors/detector.ts'
import type { RunStatus } from '../../events.ts'
import type { VerbosityLevel } from '../../verbosity.ts'
import type { AlertCounts } from './status-words.ts'
import type { TrendDirection } from './trend-arrow.ts'

/** One series as a row of the table. */
export interface SeriesRow {
  readonly canonical: string
  readonly title: string
  readonly unit: string
  readonly badDirection: 'up' | 'down' | null
  readonly latest: number
  /** Mean of the newest values (`SERIES_WINDOW` of them), or null where none is finite. */
  readonly mean: number | null
  /** Over the same values. */
  readonly trend: TrendDirection
  /** The run so far, oldest first, at most a few hundred values. */
  readonly history: readonly number[]
}

/** An alert in words. */
export interface AlertView {
  readonly id: string
  readonly severity: Severity
  readonly title: string
  readonly iteration: number
  readonly reason: string
  /** What to do, a sentence each. */
  readonly advice: readonly string[]
  /** What it was before and has become, to follow the iteration. */
  readonly course: string
  readonly resolved: boolean
}

/** The answer that changed most in the newest comparison. */
export interface SampleView {
  readonly iteration: number
  readonly baselineIteration: number
  readonly similarity: number
  readonly prompt: string
  /** Runs of words in order, as `SampleDiff.words`. */
  readonly words: readonly { readonly kind: 'kept' | 'removed' | 'added'; readonly text: string }[]
}

/** What is watched, and what is not. */
export interface CoverageView {
  readonly watched: readonly string[]
  /** `why` says what is missing, and what to log. */
  readonly unwatched: readonly { readonly title: string; readonly why: string }[]
}

/** Everything that a frame needs. */
export interface DisplayState {
  readonly verbosity: VerbosityLevel
  readonly runId: string | null
  readonly status: RunStatus | 'waiting' | 'running'
  /** Why it stopped or failed. */
  readonly why: string | null
  /** Iterations that are over. */
  readonly done: number
  readonly total: number | null
  readonly elapsedMs: number
  readonly etaMs: number | null
  readonly msPerIteration: number | null
  /** The three numbers of the single line. */
  readonly reward: SeriesRow | null
  readonly kl: SeriesRow | null
  readonly loss: SeriesRow | null
  /** Rows of the table, the most telling first. */
  readonly series: readonly SeriesRow[]
  /** Series of the run, those of no table included. */
  readonly seriesCount: number
  /** Mechanics of PPO, in a fixed order. */
  readonly mechanics: readonly SeriesRow[]
  /** Newest first, without the muted ones; at most a few. */
  readonly alerts: readonly AlertView[]
  readonly alertCounts: AlertCounts
  /** Titles of the kinds of which alerts are muted. */
  readonly mutedKinds: readonly string[]
  readonly sample: SampleView | null
  /** Null where no analyzer was given. */
  readonly coverage: CoverageView | null
}
