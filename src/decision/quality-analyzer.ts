/**
 * Runs the detectors over closed iterations, turns their evidence into alerts, and asks for the early stop.
 *
 * @module
 */
import type { CallbackContext, MonitorHandle, TrainingCallback } from '../callbacks.ts'
import type { Advice, Alert, Coverage, Detector, Evidence, Severity } from '../detectors/detector.ts'
import { thresholdPreset } from '../detectors/presets.ts'
import { TelltaleError } from '../errors.ts'
import type { TrainingEvent } from '../events.ts'
import type { AnalyzerView } from '../run-summary.ts'
import { alertReason } from './alert-reason.ts'

/** Options of {@link QualityAnalyzer}. */
export interface QualityAnalyzerOptions {
  /** The monitor that it is registered with: asked for series, and to stop. */
  readonly monitor: MonitorHandle
  /** `threshold`: the plan's fixed rules. */
  readonly mode?: 'threshold'
  /**
   * Standardised rise of the reward minus the standardised change of quality over the window above which it is reward
   * hacking; 0.3, from the plan.
   */
  readonly rewardHackThreshold?: number
  /** Nats per token of `kl_ref/token` above which the run is stopped; 0.1, from the plan. */
  readonly klThreshold?: number
  /** Iterations that trends are taken over; 50, from the plan. An integer of at least 20. */
  readonly windowSize?: number
  /** Detectors of your own, beside those of the mode. */
  readonly detectors?: readonly Detector[]
}

/** Closed iterations without evidence after which an open alert is resolved. */
const RESOLVED_AFTER = 3
const MAX_ALERTS = 1000
const RANK: Readonly<Record<Severity, number>> = { info: 0, warning: 1, critical: 2 }

interface Watch {
  readonly detector: Detector
  /** Index of the open alert in the history, or null. */
  open: number | null
  raised: number
  quiet: number
  failed: boolean
}

/**
 * Watches the quality of a run with a set of detectors; a critical alert requests the early stop.
 *
 * @throws TelltaleError `bad-option` for an option out of range.
 *
 * @example
 * ```ts
 * import { QualityAnalyzer, TrainingMonitor } from 'telltale'
 * const monitor = new TrainingMonitor()
 * const analyzer = new QualityAnalyzer({ monitor, klThreshold: 0.2 })
 * monitor.registerCallback(analyzer)
 * for (let i = 0; i < 3; i++) monitor.onEvent({ phase: 'iteration_end', iteration: i, metrics: { kl_div: 0.1 * i + 0.05 } })
 * console.log(analyzer.alertHistory.map(({ iteration, severity }) => [iteration, severity])) // [ [ 2, 'critical' ] ]
 * console.log(monitor.shouldStopEarly().reason) // KL divergence too high: kl_ref/token is 0.25, above the threshold of 0.2
 * ```
 */
export class QualityAnalyzer implements TrainingCallback, AnalyzerView {
  readonly name = 'QualityAnalyzer'
  /** What it listens to. */
  readonly phases = ['iteration_end'] as const
  /** The set of detectors: the fixed rules of the plan. */
  readonly mode = 'threshold'
  /** The thresholds in force, by name. */
  readonly thresholds: Readonly<Record<string, number>>
  readonly #monitor: MonitorHandle
  readonly #watches: readonly Watch[]
  #history: readonly Alert[] = []

  constructor(options: QualityAnalyzerOptions) {
    this.#monitor = options.monitor
    if (options.mode !== undefined && options.mode !== 'threshold') {
      throw new TelltaleError('bad-option', `mode is ${JSON.stringify(options.mode)}; expected 'threshold'`)
    }
    const rewardHackThreshold = positive(options.rewardHackThreshold ?? 0.3, 'rewardHackThreshold')
    const klThreshold = positive(options.klThreshold ?? 0.1, 'klThreshold')
    const windowSize = options.windowSize ?? 50
    if (!Number.isSafeInteger(windowSize) || windowSize < 20 || windowSize > 10_000) {
      throw new TelltaleError('bad-option', `windowSize is ${windowSize}; expected an integer from 20 to 10,000`)
    }
    this.thresholds = Object.freeze({ rewardHack: rewardHackThreshold, kl: klThreshold, windowSize })
    const detectors = [
      ...thresholdPreset({ rewardHackThreshold, klThreshold, windowSize }),
      ...(options.detectors ?? []),
    ]
    this.#watches = detectors.map((detector) => ({ detector, open: null, raised: 0, quiet: 0, failed: false }))
  }

  /** All alerts in the order in which they were raised; an escalation is an entry of its own. At most 1,000. */
  get alertHistory(): readonly Alert[] {
    return this.#history
  }

  /** What is watched and what is not: which series each detector needs, and which of them have never been logged. */
  get coverage(): readonly Coverage[] {
    const store = this.#monitor.getMetricsStore()
    return this.#watches.map(({ detector }) => ({
      detector: detector.name,
      kind: detector.kind,
      needs: detector.reads.map((group) => group.join(' | ')),
      missing: detector.reads
        .filter((group) => !group.some((name) => store.get(name) !== undefined))
        .map((group) => group.join(' | ')),
    }))
  }

  onEvent(_event: TrainingEvent, context: CallbackContext): void {
    if (!context.closed) return
    let broken: { readonly error: unknown } | null = null
    for (const watch of this.#watches) {
      if (watch.failed) continue
      let evidence: Evidence | undefined
      try {
        evidence = watch.detector.update(context.closed)
      } catch (error) {
        // One broken detector must not take the others with it.
        watch.failed = true
        broken = { error }
        continue
      }
      if (evidence) this.#raise(watch, evidence, context.closed.iteration)
      else this.#calm(watch)
    }
    // The callback manager reports it, once.
    if (broken) throw broken.error
  }

  #raise(watch: Watch, evidence: Evidence, iteration: number): void {
    watch.quiet = 0
    const open = watch.open === null ? undefined : this.#history[watch.open]
    if (open && RANK[evidence.severity] <= RANK[open.severity]) return
    if (this.#history.length >= MAX_ALERTS) return
    const rollbackTo = newestBefore(this.#monitor.checkpoints, evidence.onset.estimate)
    const alert: Alert = {
      ...evidence,
      id: `${watch.detector.name}-${++watch.raised}`,
      detector: watch.detector.name,
      iteration,
      reason: alertReason(evidence),
      rollbackTo,
      advice: adviceFor(evidence, rollbackTo, this.#monitor.config),
      state: 'open',
    }
    if (watch.open !== null) this.#resolve(watch.open)
    watch.open = this.#history.length
    this.#history = [...this.#history, alert]
    this.#monitor.recordAlert(alert)
    if (alert.severity === 'critical') {
      this.#monitor.requestEarlyStop(alert.reason, { severity: 'critical', iteration, rollbackTo })
    }
  }

  #calm(watch: Watch): void {
    if (watch.open === null || ++watch.quiet < RESOLVED_AFTER) return
    this.#resolve(watch.open)
    watch.open = null
  }

  #resolve(index: number): void {
    this.#history = this.#history.map((alert, i) => (i === index ? { ...alert, state: 'resolved' as const } : alert))
  }
}

function positive(value: number, option: string): number {
  if (typeof value === 'number' && value > 0 && Number.isFinite(value)) return value
  throw new TelltaleError('bad-option', `${option} is ${String(value)}; expected a number above 0`)
}

function newestBefore(checkpoints: readonly number[], iteration: number): number | null {
  let newest: number | null = null
  for (const checkpoint of checkpoints) if (checkpoint < iteration) newest = checkpoint
  return newest
}

/** What to do, from the evidence and the run's own hyper-parameters where it told them. */
function adviceFor(
  evidence: Evidence,
  rollbackTo: number | null,
  config: Readonly<Record<string, unknown>>,
): readonly Advice[] {
  const rollBack: Advice = { do: 'roll-back', to: rollbackTo }
  const klCoefficient = numberOrNull(config.klCoefficient ?? config.kl_coef)
  const learningRate = numberOrNull(config.learningRate ?? config.learning_rate)
  const raiseKl: Advice = {
    do: 'raise-kl-coefficient',
    from: klCoefficient,
    to: klCoefficient ? 2 * klCoefficient : null,
  }
  const lowerRate: Advice = {
    do: 'lower-learning-rate',
    from: learningRate,
    to: learningRate ? learningRate / 2 : null,
  }
  switch (evidence.kind) {
    case 'reward-hacking':
      return [rollBack, raiseKl, { do: 'read-samples' }, { do: 'check-reward-model' }]
    case 'kl-explosion':
      return [rollBack, raiseKl, lowerRate]
    case 'value-reward-mismatch':
      return [{ do: 'check-value-model' }]
    default:
      return [rollBack, { do: 'read-samples' }, lowerRate]
  }
}

function numberOrNull(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}
