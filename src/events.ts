/**
 * The contract between a trainer and everything that watches it: what happened, in which iteration, with which numbers.
 *
 * @module
 */
import { TelltaleError } from './errors.ts'

/**
 * The eleven phases of a training run, in the order in which an iteration usually passes them. The order between policy
 * and value update differs between trainers and is not enforced; algorithms without a critic have no VALUE_UPDATE.
 */
export const TrainingPhase = {
  TRAINING_START: 'training_start',
  ITERATION_START: 'iteration_start',
  RESPONSE_GENERATED: 'response_generated',
  REWARD_COMPUTED: 'reward_computed',
  ADVANTAGE_COMPUTED: 'advantage_computed',
  POLICY_UPDATE: 'policy_update',
  VALUE_UPDATE: 'value_update',
  ITERATION_END: 'iteration_end',
  EVALUATION: 'evaluation',
  CHECKPOINT_SAVED: 'checkpoint_saved',
  TRAINING_END: 'training_end',
} as const

/** One of the values of {@link TrainingPhase}. */
export type TrainingPhase = (typeof TrainingPhase)[keyof typeof TrainingPhase]

/** All phases in order. */
export const TRAINING_PHASES: readonly TrainingPhase[] = Object.freeze(Object.values(TrainingPhase))

const KNOWN_PHASES: ReadonlySet<string> = new Set(TRAINING_PHASES)

/**
 * Whether a string is one of the eleven phases.
 *
 * @example
 * ```ts
 * import { isTrainingPhase } from 'telltale'
 * console.log(isTrainingPhase('policy_update'), isTrainingPhase('epoch_end')) // true false
 * ```
 */
export function isTrainingPhase(value: unknown): value is TrainingPhase {
  return typeof value === 'string' && KNOWN_PHASES.has(value)
}

/** How a run ended; carried as `metadata.status` by TRAINING_END. */
export type RunStatus = 'completed' | 'stopped' | 'failed'

/** What {@link createTrainingEvent} takes. */
export interface TrainingEventInit {
  /** What happened: one of the eleven phases. */
  readonly phase: TrainingPhase
  /** Zero-based iteration (one rollout and its updates). A non-negative integer. */
  readonly iteration: number
  /** Numbers by name; NaN and Infinity are values and are kept. Anything that is not a number is set aside. */
  readonly metrics?: Readonly<Record<string, number | null | undefined>>
  /**
   * Anything else, by reference: `prompts`, `responses` (strings) and `rewards` (numbers, one a response) are understood,
   * the rest is logged as far as it is plain data.
   */
  readonly metadata?: Readonly<Record<string, unknown>>
}

/**
 * The names that the plan's own training loop gives its metrics, with the canonical name of each. Everywhere a metric is
 * asked for by name, either works.
 */
export const OWN_LOOP_KEYS: Readonly<Record<string, string>> = Object.freeze({
  __proto__: null as never,
  reward: 'reward/score',
  reward_mean: 'reward/score',
  reward_std: 'reward/std',
  total_reward: 'reward/total',
  kl_div: 'kl_ref/token',
  kl_divergence: 'kl_ref/token',
  kl_coef: 'kl_ref/coef',
  approx_kl: 'ppo/approx_kl',
  clip_fraction: 'ppo/clip_fraction',
  ratio: 'ppo/ratio_mean',
  entropy: 'entropy/token',
  loss: 'loss/total',
  policy_loss: 'loss/policy',
  value_loss: 'loss/value',
  gradient_norm: 'grad/norm',
  grad_norm: 'grad/norm',
  learning_rate: 'optim/lr',
  explained_variance: 'value/explained_variance',
  advantage_mean: 'adv/mean',
  advantage_std: 'adv/std',
  response_length: 'length/mean',
})

const OWN_LOOP_BY_CANONICAL: Readonly<Record<string, readonly string[]>> = (() => {
  const inverse: Record<string, string[]> = Object.create(null)
  for (const [own, canonical] of Object.entries(OWN_LOOP_KEYS)) {
    const names = inverse[canonical] ?? []
    names.push(own)
    inverse[canonical] = names
  }
  return inverse
})()

/**
 * One thing that happened in a training run. The event and its own `metrics` record are frozen; `metadata` is by
 * reference, never frozen and never changed.
 *
 * @example
 * ```ts
 * import { TrainingEvent } from 'telltale'
 * const event = new TrainingEvent({ phase: 'iteration_end', iteration: 7, metrics: { reward: 0.5, note: null } })
 * console.log(event.iteration, Object.keys(event.metrics)) // 7 [ 'reward' ]
 * ```
 */
export class TrainingEvent {
  /** What happened. */
  readonly phase: TrainingPhase
  /** Zero-based iteration. */
  readonly iteration: number
  /** Numbers by the names that the trainer gave them; a record without a prototype, so that any name is safe. */
  readonly metrics: Readonly<Record<string, number>>
  /** Anything else, by reference, as the trainer gave it. */
  readonly metadata: Readonly<Record<string, unknown>>
  /** Names of metrics that were no numbers (nor null or undefined, which mean "not logged") and were left out. */
  readonly setAside: readonly string[]

  /** Use {@link createTrainingEvent}. */
  constructor(init: TrainingEventInit) {
    if (!isTrainingPhase(init.phase)) {
      throw new TelltaleError(
        'bad-event',
        `phase is ${describe(init.phase)}; expected one of ${TRAINING_PHASES.join(', ')}`,
      )
    }
    if (!Number.isSafeInteger(init.iteration) || init.iteration < 0) {
      throw new TelltaleError(
        'bad-event',
        `iteration is ${describe(init.iteration)}; expected an integer of at least 0`,
      )
    }
    const { metrics, setAside } = init.metrics ? numbersOf(init.metrics) : NO_METRICS
    this.phase = init.phase
    this.iteration = init.iteration
    this.metrics = metrics
    this.metadata = init.metadata ?? NO_METADATA
    this.setAside = setAside
    Object.freeze(this)
  }

  /**
   * The value of a metric by the trainer's own name or its canonical one, or `fallback` where it was not logged.
   *
   * @example
   * ```ts
   * import { createTrainingEvent, TrainingPhase } from 'telltale'
   * const event = createTrainingEvent({ phase: TrainingPhase.ITERATION_END, iteration: 3, metrics: { kl_div: 0.02 } })
   * console.log(event.getMetric('kl_div', 0)) // 0.02
   * console.log(event.getMetric('kl_ref/token')) // 0.02
   * console.log(event.getMetric('loss', -1)) // -1
   * ```
   */
  getMetric(name: string): number | undefined
  getMetric(name: string, fallback: number): number
  getMetric(name: string, fallback?: number): number | undefined {
    const direct = this.metrics[name]
    if (direct !== undefined) return direct
    const canonical = OWN_LOOP_KEYS[name] ?? name
    const byCanonical = this.metrics[canonical]
    if (byCanonical !== undefined) return byCanonical
    const others = OWN_LOOP_BY_CANONICAL[canonical]
    if (others) {
      for (const other of others) {
        const value = this.metrics[other]
        if (value !== undefined) return value
      }
    }
    return fallback
  }
}

const NONE: readonly string[] = Object.freeze([])
const NO_METADATA: Readonly<Record<string, unknown>> = Object.freeze({})
const NO_METRICS: Numbers = { metrics: Object.freeze(Object.create(null)), setAside: NONE }

interface Numbers {
  readonly metrics: Readonly<Record<string, number>>
  readonly setAside: readonly string[]
}

/** What is a number in a record, frozen and without a prototype, and the names of what is something else. */
function numbersOf(record: Readonly<Record<string, unknown>>): Numbers {
  try {
    // A copy of the whole keeps the record's hidden class, which makes it and all that read it several times faster.
    const copy = { ...record } as Record<string, number>
    for (const name in copy) if (typeof copy[name] !== 'number') return sorted(copy)
    return { metrics: Object.freeze(Object.setPrototypeOf(copy, null)), setAside: NONE }
  } catch {
    // A getter that throws costs its own value, not the others.
    return sorted(record)
  }
}

function sorted(record: Readonly<Record<string, unknown>>): Numbers {
  const metrics: Record<string, number> = Object.create(null)
  const setAside: string[] = []
  for (const name of Object.keys(record)) {
    try {
      const value = record[name]
      if (typeof value === 'number') metrics[name] = value
      else if (value !== null && value !== undefined) setAside.push(name)
    } catch {
      setAside.push(name)
    }
  }
  return { metrics: Object.freeze(metrics), setAside }
}

/**
 * Builds a {@link TrainingEvent}.
 *
 * @throws TelltaleError `bad-event` where the phase is unknown or the iteration is not a non-negative integer.
 *
 * @example
 * ```ts
 * import { createTrainingEvent, TrainingPhase } from 'telltale'
 * const event = createTrainingEvent({ phase: TrainingPhase.ITERATION_END, iteration: 0, metrics: { reward: 0.5 } })
 * console.log(Object.isFrozen(event), event.getMetric('reward')) // true 0.5
 * ```
 */
export function createTrainingEvent(init: TrainingEventInit): TrainingEvent {
  return new TrainingEvent(init)
}

function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value)
  return typeof value === 'number' || value === null || value === undefined ? String(value) : `a ${typeof value}`
}
