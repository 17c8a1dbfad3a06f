/**
 * Follows the mechanics of PPO in detail, iteration by iteration.
 *
 * @module
 */
import type { CallbackContext, TrainingCallback } from '../callbacks.ts'
import type { TrainingEvent } from '../events.ts'
import { TrainingPhase } from '../events.ts'
import { VerbosityLevel } from '../verbosity.ts'

/**
 * What a record holds, by the canonical name that it comes from. A field is absent where the trainer did not log it.
 */
export const PPO_FIELDS = {
  policyLoss: 'loss/policy',
  policyLossUnclipped: 'loss/policy_unclipped',
  valueLoss: 'loss/value',
  advantageMean: 'adv/mean',
  advantageStd: 'adv/std',
  advantageQ10: 'adv/q10',
  advantageQ50: 'adv/q50',
  advantageQ90: 'adv/q90',
  gradientNorm: 'grad/norm',
  valueGradientNorm: 'grad/value_norm',
  learningRate: 'optim/lr',
  clipFraction: 'ppo/clip_fraction',
  approxKlNats: 'ppo/approx_kl',
  ratioMean: 'ppo/ratio_mean',
  ratioFirst: 'ppo/ratio_first',
  explainedVariance: 'value/explained_variance',
  entropyNats: 'entropy/token',
  reward: 'reward/score',
} as const

const FIELDS = Object.entries(PPO_FIELDS)

/** One field of a {@link PPORecord}. */
export type PPOField = keyof typeof PPO_FIELDS

/** The mechanics of one iteration. */
export type PPORecord = { readonly iteration: number } & { readonly [field in PPOField]?: number }

/**
 * The run's mechanics in a few numbers; null where what it needs was not logged. "First" and "last" are the first and the
 * last tenth of the recorded iterations (at least one).
 */
export interface PPOSummary {
  /** Recorded iterations. */
  readonly iterations: number
  /** Mean of `ppo/clip_fraction`: share of tokens whose clipped branch was active, 0 to 1. */
  readonly avgClipFraction: number | null
  /** Mean `reward/score` of the last tenth minus that of the first, in reward units. */
  readonly policyImprovement: number | null
  /** Mean `value/explained_variance` of the last tenth: 1 is perfect, 0 no better than a constant. */
  readonly valueAccuracy: number | null
  /** Mean of -`loss/policy`: the clipped surrogate objective gained over the updates, in standard deviations of the advantage. */
  readonly avgSurrogateGain: number | null
  /** Mean of `loss/policy` - `loss/policy_unclipped`: what clipping took away, at least 0. */
  readonly avgClippingCost: number | null
  /** Mean `loss/value` of the last tenth over that of the first; below 1 the value head learns. */
  readonly valueLossRatio: number | null
  /** Mean and largest `ppo/approx_kl`, KL(old || new) in nats per token. */
  readonly avgApproxKlNats: number | null
  /** Largest `ppo/approx_kl`, in nats per token. */
  readonly maxApproxKlNats: number | null
  /** Largest distance of `ppo/ratio_first` from 1; anything but 0 means wrong old log-probabilities. */
  readonly maxFirstRatioError: number | null
  /** Mean and largest `grad/norm` before clipping. */
  readonly avgGradientNorm: number | null
  /** Largest `grad/norm`. */
  readonly maxGradientNorm: number | null
  /** Mean `entropy/token` of the last tenth, in nats. */
  readonly finalEntropyNats: number | null
  /** Newest `optim/lr`. */
  readonly finalLearningRate: number | null
}

/** Records kept; a longer run drops its oldest. */
export const PPO_HISTORY_LIMIT = 10_000

/**
 * Records PPO's mechanics. In SIMPLE verbosity it records nothing, as in the plan.
 *
 * @example
 * ```ts
 * import { PPOMetricsTracker, TrainingMonitor } from 'telltale'
 * const monitor = new TrainingMonitor()
 * const tracker = new PPOMetricsTracker({ verbosity: 'verbose' })
 * monitor.registerCallback(tracker)
 * monitor.onEvent({ phase: 'policy_update', iteration: 0, metrics: { clip_fraction: 0.1, policy_loss: -0.02 } })
 * monitor.onEvent({ phase: 'iteration_end', iteration: 0, metrics: { reward: 1 } })
 * console.log(tracker.getPPOSummary().avgClipFraction) // 0.1
 * ```
 */
export class PPOMetricsTracker implements TrainingCallback {
  readonly name = 'PPOMetricsTracker'
  /** What it listens to. */
  readonly phases = [TrainingPhase.ITERATION_END] as const
  /** It records in `verbose` only, as in the plan. */
  readonly verbosity: VerbosityLevel
  #history: PPORecord[] = []

  /** @param options.verbosity VERBOSE records, SIMPLE (the default) does not. */
  constructor(options: { readonly verbosity?: VerbosityLevel } = {}) {
    this.verbosity = options.verbosity ?? VerbosityLevel.SIMPLE
  }

  /** One record an iteration, oldest first, at most 10,000. */
  get ppoHistory(): readonly PPORecord[] {
    return this.#history
  }

  onEvent(event: TrainingEvent, context: CallbackContext): void {
    if (this.verbosity !== VerbosityLevel.VERBOSE || event.phase !== TrainingPhase.ITERATION_END || !context.closed)
      return
    const record: Record<string, number> = { iteration: event.iteration }
    for (const [field, name] of FIELDS) {
      const value = context.closed.get(name)
      if (value !== undefined) record[field] = value
    }
    // A resumed run does its iterations again; the record of the newest attempt counts.
    while (this.#history.length > 0 && this.#history.at(-1)!.iteration >= event.iteration) this.#history.pop()
    this.#history.push(record as unknown as PPORecord)
    if (this.#history.length > PPO_HISTORY_LIMIT) this.#history.shift()
  }

  /** The recorded run in a few numbers; formulas at {@link PPOSummary}. */
  getPPOSummary(): PPOSummary {
    const history = this.#history
    const tenth = Math.max(1, Math.floor(history.length / 10))
    const first = history.slice(0, tenth)
    const last = history.slice(-tenth)
    const of = (records: readonly PPORecord[], field: PPOField): number[] =>
      records
        .map((record) => record[field])
        .filter((value): value is number => value !== undefined && Number.isFinite(value))
    const policyLoss = mean(of(history, 'policyLoss'))
    const clippingCosts = history.map(
      (record) => (record.policyLoss ?? Number.NaN) - (record.policyLossUnclipped ?? Number.NaN),
    )
    return {
      iterations: history.length,
      avgClipFraction: mean(of(history, 'clipFraction')),
      policyImprovement: difference(mean(of(last, 'reward')), mean(of(first, 'reward'))),
      valueAccuracy: mean(of(last, 'explainedVariance')),
      avgSurrogateGain: policyLoss === null ? null : -policyLoss,
      avgClippingCost: mean(clippingCosts.filter(Number.isFinite)),
      valueLossRatio: ratio(mean(of(last, 'valueLoss')), mean(of(first, 'valueLoss'))),
      avgApproxKlNats: mean(of(history, 'approxKlNats')),
      maxApproxKlNats: max(of(history, 'approxKlNats')),
      maxFirstRatioError: max(of(history, 'ratioFirst').map((value) => Math.abs(value - 1))),
      avgGradientNorm: mean(of(history, 'gradientNorm')),
      maxGradientNorm: max(of(history, 'gradientNorm')),
      finalEntropyNats: mean(of(last, 'entropyNats')),
      finalLearningRate: of(history, 'learningRate').at(-1) ?? null,
    }
  }
}

function mean(values: readonly number[]): number | null {
  if (values.length === 0) return null
  let sum = 0
  for (const value of values) sum += value
  return sum / values.length
}

function max(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((a, b) => Math.max(a, b))
}

function difference(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a - b
}

function ratio(a: number | null, b: number | null): number | null {
  return a === null || b === null || b === 0 ? null : a / b
}
