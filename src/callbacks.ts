/**
 * How a part listens to a run without being able to harm it.
 *
 * @module
 */

import type { Alert, Observation, Severity, Tick } from './detectors/detector.ts'
import { errorMessage, TelltaleError } from './errors.ts'
import {
  isTrainingPhase,
  TRAINING_PHASES,
  type TrainingEvent,
  type TrainingEventInit,
  type TrainingPhase,
} from './events.ts'
import type { MetricsStore } from './metrics/store.ts'
import type { Clock } from './time.ts'

/** A model's answers and measures on demand; the trainer registers one, {@link MonitorHandle.getGenerator} gives it. */
export interface SampleGenerator {
  /** One answer a prompt, in order, from the current policy, with a random key of its own (training draws are untouched). */
  generate(
    prompts: readonly string[],
    options: { readonly seed: number },
  ): Promise<readonly string[]> | readonly string[]
  /** One vector a text, all of one length: the reference model's mean-pooled hidden state. */
  embed?(texts: readonly string[]): Promise<readonly Float32Array[]> | readonly Float32Array[]
  /** Perplexity (at least 1) of each answer to its prompt under the frozen reference model. */
  refPerplexity?(
    prompts: readonly string[],
    responses: readonly string[],
  ): Promise<readonly number[]> | readonly number[]
  /** Whether each answer is clear by the world's own rule, for `quality/clear_share`. */
  isClear?(prompts: readonly string[], responses: readonly string[]): readonly boolean[]
}

/** What {@link MonitorHandle.requestEarlyStop} takes beside the reason. */
export interface StopOptions {
  /** Only `critical`, the default, stops; the rest is recorded. */
  readonly severity?: Severity
  /** The open or newest iteration by default. */
  readonly iteration?: number
  /** Newest existing checkpoint before the onset of the failure; null by default. */
  readonly rollbackTo?: number | null
}

/** What of a monitor its callbacks may use. */
export interface MonitorHandle {
  /** Id of the run. */
  readonly runId: string
  /** Folder of the run, or null for a monitor that writes nothing. */
  readonly outputDir: string | null
  /** Where times come from. */
  readonly clock: Clock
  /** The numbers of the run so far. */
  getMetricsStore(): MetricsStore
  /** Iterations of the checkpoints saved so far, ascending. */
  readonly checkpoints: readonly number[]
  /** Hyper-parameters that TRAINING_START brought as `metadata.config`. */
  readonly config: Readonly<Record<string, unknown>>
  /** The generator that the trainer registered, or null. */
  getGenerator(): SampleGenerator | null
  /**
   * Puts derived points into the run, as an EVALUATION event of the given iteration: logged first, then stored, then seen
   * by every callback. During a replay it does nothing, since the log already has them.
   */
  publish(event: Omit<TrainingEventInit, 'phase'>): void
  /** Asks for an early stop, which the trainer sees between two iterations. The first request wins. */
  requestEarlyStop(reason: string, options?: StopOptions): void
  /** Whether a stop has been asked for, and why. */
  shouldStopEarly(): { readonly shouldStop: boolean; readonly reason: string | null }
  /** Writes an alert into the run's log. */
  recordAlert(alert: Alert): void
}

/** What a callback gets beside the event. */
export interface CallbackContext {
  /** The monitor, as far as a callback may use it. */
  readonly monitor: MonitorHandle
  /** The numbers of the run so far, those of this event included. */
  readonly store: MetricsStore
  /** The closed iteration, on the ITERATION_END that closes it; null with every other event. */
  readonly closed: Observation | null
}

/**
 * Something that listens to a run. `onEvent` must return quickly: a synchronous one over its budget (5 ms, median of 20
 * calls) is reported and disabled, one that throws is isolated and disabled after ten failures, an asynchronous one is not
 * awaited (at most 32 in flight).
 */
export interface TrainingCallback {
  /** Shown in reports of failures; the class name by default. */
  readonly name?: string
  /** Only events of these phases reach it; all by default. What it does not want costs nothing. */
  readonly phases?: readonly TrainingPhase[]
  /** Called for each event, in order. What it returns is not awaited. */
  onEvent(event: TrainingEvent, context: CallbackContext): void | Promise<void>
  /** Called when `monitor.tick()` says that time passes, in order with the events; filters say nothing of it. As quick as `onEvent`. */
  onTick?(tick: Tick, context: CallbackContext): void
  /** Called once when it is registered. */
  onRegister?(monitor: MonitorHandle): void
  /** Work that touches the model (re-generation): awaited inside `monitor.settle()`, and nowhere else. */
  settle?(context: CallbackContext): Promise<void>
  /** Called once at the end of the run. */
  close?(): Promise<void>
}

/** Which events a callback wants. */
export interface CallbackFilter {
  /** Only these phases, of those that the callback itself wants; all by default. */
  readonly phases?: readonly TrainingPhase[]
  /** Only iterations divisible by this; 1 by default. */
  readonly every?: number
  /** First iteration, inclusive; 0 by default. */
  readonly from?: number
  /** Last iteration, inclusive; none by default. */
  readonly until?: number
}

/** Calls of which the median is compared with the budget. */
const BUDGET_WINDOW = 20
/** Milliseconds that a synchronous callback may take. */
export const CALLBACK_BUDGET_MS = 5
/** Failures after which a callback is disabled. */
export const MAX_CALLBACK_FAILURES = 10
/** Promises of one callback that may be pending; further calls are dropped and counted. */
export const MAX_IN_FLIGHT = 32

/** What is known of a callback that did not behave. */
export interface CallbackProblem {
  /** Name of the callback. */
  readonly callback: string
  /** What was wrong, in one line. */
  readonly problem: string
  /** How often. */
  readonly count: number
}

interface Registration {
  readonly callback: TrainingCallback
  readonly name: string
  readonly phases: ReadonlySet<TrainingPhase> | null
  readonly every: number
  readonly from: number
  readonly until: number
  /** Milliseconds of the newest calls; made at the first slow one. */
  recent: Float64Array | null
  calls: number
  failures: number
  inFlight: number
  dropped: number
  disabled: boolean
  reported: boolean
}

/**
 * Calls the callbacks of a run in the order of their registration, so that none can harm the training or another.
 *
 * @example
 * ```ts
 * import { TrainingMonitor } from 'telltale'
 * const monitor = new TrainingMonitor()
 * const seen: number[] = []
 * const unregister = monitor.registerCallback(
 *   { onEvent: (event) => void seen.push(event.iteration) },
 *   { phases: ['iteration_end'], every: 2 },
 * )
 * for (let i = 0; i < 5; i++) monitor.onEvent({ phase: 'iteration_end', iteration: i })
 * unregister()
 * console.log(seen) // [ 0, 2, 4 ]
 * ```
 */
export class CallbackManager {
  readonly #clock: Clock
  readonly #warn: (message: string) => void
  /** Replaced, never changed in place: a callback may come or go while events are being sent. */
  #registrations: readonly Registration[] = []
  readonly #problems = new Map<string, { callback: string; problem: string; count: number }>()

  /** @param warn takes one line the first time that a callback misbehaves. */
  constructor(clock: Clock, warn: (message: string) => void) {
    this.#clock = clock
    this.#warn = warn
  }

  /** What did not behave so far, one entry a callback and kind of problem. */
  get problems(): readonly CallbackProblem[] {
    return [...this.#problems.values()]
  }

  /**
   * Adds a callback; the same one twice counts once. Returns what takes it out again.
   *
   * @throws TelltaleError `bad-option` for a filter out of range, or phases that are none.
   */
  register(callback: TrainingCallback, filter: CallbackFilter = {}): () => void {
    const every = filter.every ?? 1
    if (!Number.isSafeInteger(every) || every < 1) {
      throw new TelltaleError('bad-option', `every is ${String(filter.every)}; expected an integer of at least 1`)
    }
    const known = this.#registrations.find((registration) => registration.callback === callback)
    const registration: Registration = known ?? {
      callback,
      name: nameOf(callback),
      phases: wantedPhases(callback.phases, filter.phases),
      every,
      from: bound(filter.from, 'from', 0),
      until: bound(filter.until, 'until', Number.POSITIVE_INFINITY),
      recent: null,
      calls: 0,
      failures: 0,
      inFlight: 0,
      dropped: 0,
      disabled: false,
      reported: false,
    }
    if (!known) this.#registrations = [...this.#registrations, registration]
    return () => {
      this.#registrations = this.#registrations.filter((other) => other !== registration)
    }
  }

  /** Sends one event to all who want it. Never throws, never waits. */
  dispatch(event: TrainingEvent, context: CallbackContext): void {
    // The end of one call is the start of the next: the clock is read once a call.
    let startedMs = this.#clock.monotonicMs()
    for (const registration of this.#registrations) {
      if (registration.disabled || !wants(registration, event)) continue
      if (!this.#call(registration, event, context)) continue
      const endedMs = this.#clock.monotonicMs()
      this.#spend(registration, endedMs - startedMs)
      startedMs = endedMs
    }
  }

  /** Says to all who listen for it that time passes. Never throws, never waits. */
  tick(tick: Tick, context: CallbackContext): void {
    for (const registration of this.#registrations) {
      if (registration.disabled || !registration.callback.onTick) continue
      const startedMs = this.#clock.monotonicMs()
      if (!this.#call(registration, tick, context)) continue
      this.#spend(registration, this.#clock.monotonicMs() - startedMs)
    }
  }

  /** Awaits the `settle` of each callback that has one, in order. Never throws. */
  async settle(context: CallbackContext): Promise<void> {
    for (const registration of this.#registrations) {
      if (registration.disabled || !registration.callback.settle) continue
      try {
        await registration.callback.settle(context)
      } catch (error) {
        this.#failed(registration, `settle failed: ${errorMessage(error)}`)
      }
    }
  }

  /** Closes every callback, the disabled ones too. Never throws. */
  async close(): Promise<void> {
    for (const registration of this.#registrations) {
      try {
        await registration.callback.close?.()
      } catch (error) {
        this.#failed(registration, `close failed: ${errorMessage(error)}`)
      }
    }
  }

  /** Whether it was called. */
  #call(registration: Registration, what: TrainingEvent | Tick, context: CallbackContext): boolean {
    if (registration.inFlight >= MAX_IN_FLIGHT) {
      registration.dropped++
      this.#note(registration, `more than ${MAX_IN_FLIGHT} calls were pending; further ones were dropped`)
      return false
    }
    try {
      const { callback } = registration
      const result: unknown = 'phase' in what ? callback.onEvent(what, context) : callback.onTick?.(what, context)
      if (isPromise(result)) this.#follow(registration, result)
    } catch (error) {
      this.#failed(registration, `threw: ${errorMessage(error)}`)
    }
    return true
  }

  #follow(registration: Registration, promise: PromiseLike<unknown>): void {
    registration.inFlight++
    promise.then(
      () => {
        registration.inFlight--
      },
      (error: unknown) => {
        registration.inFlight--
        this.#failed(registration, `rejected: ${errorMessage(error)}`)
      },
    )
  }

  /** Keeps the newest durations; a callback whose median is over the budget is disabled. */
  #spend(registration: Registration, elapsedMs: number): void {
    const slot = registration.calls++ % BUDGET_WINDOW
    if (registration.recent) registration.recent[slot] = elapsedMs
    if (elapsedMs <= CALLBACK_BUDGET_MS) return
    if (!registration.recent) {
      // Every call before this one was within the budget, so zeros stand for them rightly.
      registration.recent = new Float64Array(BUDGET_WINDOW)
      registration.recent[slot] = elapsedMs
    }
    if (registration.calls < BUDGET_WINDOW) return
    const medianMs = registration.recent.toSorted()[BUDGET_WINDOW / 2]!
    if (medianMs <= CALLBACK_BUDGET_MS) return
    registration.disabled = true
    this.#note(
      registration,
      `took ${medianMs.toFixed(1)} ms (median of ${BUDGET_WINDOW} calls; budget ${CALLBACK_BUDGET_MS} ms) and was disabled`,
    )
  }

  #failed(registration: Registration, problem: string): void {
    registration.failures++
    this.#note(registration, problem)
    if (registration.failures < MAX_CALLBACK_FAILURES || registration.disabled) return
    registration.disabled = true
    this.#note(registration, `was disabled after ${MAX_CALLBACK_FAILURES} failures`)
  }

  #note(registration: Registration, problem: string): void {
    const key = `${registration.name}\n${problem}`
    const known = this.#problems.get(key)
    if (known) known.count++
    else if (this.#problems.size < 100) this.#problems.set(key, { callback: registration.name, problem, count: 1 })
    if (registration.reported) return
    registration.reported = true
    this.#warn(`The callback ${registration.name} ${problem}. The training goes on.`)
  }
}

function wants(registration: Registration, event: TrainingEvent): boolean {
  if (event.iteration < registration.from || event.iteration > registration.until) return false
  if (registration.phases && !registration.phases.has(event.phase)) return false
  return registration.every === 1 || event.iteration % registration.every === 0
}

function wantedPhases(own: unknown, filter: unknown): ReadonlySet<TrainingPhase> | null {
  const [a, b] = [phaseSet(own), phaseSet(filter)]
  return a && b ? new Set([...b].filter((phase) => a.has(phase))) : (a ?? b)
}

/** A misspelt phase would else be a callback that is never called and never says so. */
function phaseSet(phases: unknown): ReadonlySet<TrainingPhase> | null {
  if (phases === undefined || phases === null) return null
  const listed: readonly unknown[] | null = Array.isArray(phases) || phases instanceof Set ? [...phases] : null
  if (listed?.every(isTrainingPhase)) return new Set(listed)
  const wrong =
    listed === null ? `a ${typeof phases}` : JSON.stringify(String(listed.find((one) => !isTrainingPhase(one))))
  throw new TelltaleError(
    'bad-option',
    `phases ${listed === null ? 'is' : 'has'} ${wrong}; expected a list of ${TRAINING_PHASES.join(', ')}`,
  )
}

function bound(value: number | undefined, option: string, fallback: number): number {
  if (value === undefined) return fallback
  if (typeof value === 'number' && !Number.isNaN(value)) return value
  throw new TelltaleError('bad-option', `${option} is ${String(value)}; expected an iteration`)
}

function nameOf(callback: TrainingCallback): string {
  try {
    const name = callback.name ?? callback.constructor?.name
    return typeof name === 'string' && name !== '' && name !== 'Object' ? name.slice(0, 80) : 'without a name'
  } catch {
    return 'without a name'
  }
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}
