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
  AlertSample,
  Coverage,
  Severity,
  SimpleAdvice,
} from '../../detectors/detector.ts'

/** {@link ForgettingEvidence}, as a report holds it. */
export type ForgettingView = ForgettingEvidence

/** What a report reads of the comparator. */
export interface ComparatorView {
  readonly comparisonHistory: readonly SampleComparison[]
  forgettingEvidence(): ForgettingEvidence | null
}

/** What a report reads of the tracker of PPO's mechanics. */
export interface PPOTrackerView {
  readonly ppoHistory: readonly { readonly iteration: number }[]
  /** Numbers by name; anything else in it is left out. */
  getPPOSummary(): object | null
}

/** What {@link ReportGenerator}'s methods take. */
export interface ReportInput {
  readonly monitor: MonitorView
  readonly comparator?: ComparatorView | undefined
  readonly analyzer?: AnalyzerView | undefined
  /** Pass it to have the section "PPO Mechanics"; one that recorded nothing (SIMPLE) adds none. */
  readonly ppoTracker?: PPOTrackerView | undefined
}
