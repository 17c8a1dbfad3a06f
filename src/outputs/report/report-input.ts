/**
 * What a report is made from: views of the parts, as data.
 *
 * @module
 */
import type { ForgettingEvidence, SampleComparison } from '../../quality/comparison.ts'
import type { AnalyzerView, MonitorView } from '../../run-summary.ts'

export type {
  Advice,
  Alert,
  AlertBasis,
  AlertKind,
  Coverage,
  Severity,
  SimpleAdvice,
} from '../../detectors/detector.ts'

/** {@link ForgettingEvidence}, as a report holds it. */
export type ForgettingView = ForgettingEvidence

/** What a report reads of the comparator. */
export interface ComparatorView {
  /** All comparisons, oldest first. */
  readonly comparisonHistory: readonly SampleComparison[]
  /** What speaks for or against forgetting; null where nothing was compared. */
  forgettingEvidence(): ForgettingEvidence | null
}

/** What a report reads of the tracker of PPO's mechanics. */
export interface PPOTrackerView {
  /** The records, oldest first. */
  readonly ppoHistory: readonly { readonly iteration: number }[]
  /** Numbers by name; anything else in it is left out. */
  getPPOSummary(): object | null
}

/** What {@link ReportGenerator}'s methods take. */
export interface ReportInput {
  /** The run: summary and numbers. */
  readonly monitor: MonitorView
  /** Gives the section "Sample Changes". */
  readonly comparator?: ComparatorView | undefined
  /** Gives the alerts, and what is watched. */
  readonly analyzer?: AnalyzerView | undefined
  /** Pass it to have the section "PPO Mechanics"; one that recorded nothing (SIMPLE) adds none. */
  readonly ppoTracker?: PPOTrackerView | undefined
}
