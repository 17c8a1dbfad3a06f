/**
 * Telltale: a training monitor for RLHF and Constitutional AI. The public names; the trainer is `telltale/trainer`, the
 * figures are `telltale/plots`, contract suites and a manual clock are `telltale/testing`.
 *
 * @example
 * ```ts
 * import { QualityAnalyzer, TrainingMonitor } from 'telltale'
 * const monitor = new TrainingMonitor()
 * monitor.registerCallback(new QualityAnalyzer({ monitor, klThreshold: 0.3 }))
 * await monitor.run(async () => {
 *   for (let iteration = 0; iteration < 100; iteration++) {
 *     const metrics = { reward: Math.tanh(iteration / 30), kl_div: 0.01 * iteration } // your step
 *     monitor.onEvent({ phase: 'iteration_end', iteration, metrics })
 *     await monitor.settle()
 *     if (monitor.shouldStopEarly().shouldStop) break
 *   }
 * })
 * console.log(monitor.summary().status, monitor.summary().iterations) // stopped 34
 * ```
 *
 * @module telltale
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
export {
  ANALYZER_MODES,
  type AnalyzerMode,
  QualityAnalyzer,
  type QualityAnalyzerOptions,
} from './decision/quality-analyzer.ts'
export { type Compared, PRESETS, type Preset } from './detectors/calibrated/preset.ts'
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
  type Tick,
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
export type { DamagedLine, ReadReport } from './log/read-report.ts'
export { type ReplayedRun, replayRun } from './log/replay-run.ts'
export { MetricsBuffer } from './metrics/buffer.ts'
export { type HistoryBucket, SeriesHistory } from './metrics/history.ts'
export { MetricsStore, type SeriesStatistics, type Trend } from './metrics/store.ts'
export { TrainingMonitor, type TrainingMonitorOptions } from './monitor.ts'
export { ReportGenerator } from './outputs/report/report-generator.ts'
export type { ComparatorView, PPOTrackerView, ReportInput } from './outputs/report/report-input.ts'
export {
  type ComparisonSource,
  TerminalDisplay,
  type TerminalDisplayOptions,
} from './outputs/terminal/terminal-display.ts'
export type { Environment, TerminalStream } from './outputs/terminal/terminal-traits.ts'
export { AlertNotifier, type AlertNotifierOptions } from './outputs/webhook/alert-notifier.ts'
export type { WebhookForm } from './outputs/webhook/forms.ts'
export type { Webhook } from './outputs/webhook/webhook-targets.ts'
export type { ForgettingEvidence, SampleComparison, SampleDiff, SamplePair } from './quality/comparison.ts'
export { type PPOField, PPOMetricsTracker, type PPORecord, type PPOSummary } from './quality/ppo-metrics-tracker.ts'
export { type BaselineSample, SampleComparator, type SampleComparatorOptions } from './quality/sample-comparator.ts'
export type { AnalyzerView, MonitorView, ProcessInfo, RunCounters, RunSummary, StopRequest } from './run-summary.ts'
export { type Clock, systemClock } from './time.ts'
export { VerbosityLevel } from './verbosity.ts'
export { TELLTALE_VERSION } from './version.ts'
export type { SeriesInfo } from './vocabulary/series.ts'
export { recognizeTrainer, seriesInfo, TRAINERS, type TrainerName } from './vocabulary/vocabulary.ts'
export { RunIndexer, type RunIndexerOptions } from './watch/run-indexer.ts'
