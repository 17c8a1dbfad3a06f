/**
 * Telltale: a training monitor for RLHF and Constitutional AI. The public names; the trainer is `telltale/trainer`, the
 * figures are `telltale/plots`, contract suites and a manual clock are `telltale/testing`.
 *
 * @module
 */
export {
  type CallbackContext,
  type CallbackFilter,
  CallbackManager,
  type CallbackProblem,
  type MonitorHandle,
  type SampleGenerator,
  type StopOptions,
  type TrainingCallback,
} from './callbacks.ts'
export { alertReason } from './decision/alert-reason.ts'
export { type AnalyzerMode, QualityAnalyzer, type QualityAnalyzerOptions } from './decision/quality-analyzer.ts'
export type { Preset } from './detectors/calibrated/preset.ts'
export {
  type Advice,
  ALERT_KINDS,
  type Alert,
  type AlertBasis,
  type AlertKind,
  type AlertSample,
  type Coverage,
  type Detector,
  type Evidence,
  type Json,
  type Observation,
  type Severity,
  type SimpleAdvice,
} from './detectors/detector.ts'
export { type ErrorCode, TelltaleError } from './errors.ts'
export {
  createTrainingEvent,
  isTrainingPhase,
  OWN_LOOP_KEYS,
  type RunStatus,
  TRAINING_PHASES,
  TrainingEvent,
  type TrainingEventInit,
  TrainingPhase,
} from './events.ts'
export { type ReplayedRun, replayRun } from './log/replay-run.ts'
export { MetricsBuffer } from './metrics/buffer.ts'
export { type HistoryBucket, SeriesHistory } from './metrics/history.ts'
export { MetricsStore, type SeriesStatistics, type Trend } from './metrics/store.ts'
export { TrainingMonitor, type TrainingMonitorOptions } from './monitor.ts'
export { ReportGenerator } from './outputs/report/report-generator.ts'
export { TerminalDisplay, type TerminalDisplayOptions } from './outputs/terminal/terminal-display.ts'
export type { ForgettingEvidence, SampleComparison, SampleDiff, SamplePair } from './quality/comparison.ts'
export { PPOMetricsTracker, type PPORecord, type PPOSummary } from './quality/ppo-metrics-tracker.ts'
export { SampleComparator, type SampleComparatorOptions } from './quality/sample-comparator.ts'
export type { AnalyzerView, MonitorView, RunCounters, RunSummary, StopRequest } from './run-summary.ts'
export { type Clock, systemClock } from './time.ts'
export { VerbosityLevel } from './verbosity.ts'
export { TELLTALE_VERSION } from './version.ts'
export type { SeriesInfo } from './vocabulary/series.ts'
export { recognizeTrainer, seriesInfo, TRAINERS, type TrainerName } from './vocabulary/vocabulary.ts'
