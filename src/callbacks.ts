/**
 * How a part listens to a run without being able to harm it.
 *
 * @module
 */

import type { Severity } from './detectors/detector.ts'
import type { TrainingEvent, TrainingEventInit, TrainingPhase } from './events.ts'
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

/** What of a monitor its callbacks may use. */
export interface MonitorHandle {
  readonly runId: string
  /** Folder of the run, or null for a monitor that writes nothing. */
  readonly outputDir: string | null
  readonly clock: Clock
  getMetricsStore(): MetricsStore
  /** Iterations of the checkpoints saved so far, ascending. */
  readonly checkpoints: readonly number[]
  /** Hyper-parameters that TRAINING_START brought as `metadata.config`. */
  readonly config: Readonly<Record<string, unknown>>
  getGenerator(): SampleGenerator | null
  /**
   * Puts derived points into the run, as an EVALUATION event of the given iteration: logged first, then stored, then seen
   * by every callback. During a replay it does nothing, since the log already has them.
   */
  publish(event: Omit<TrainingEventInit, 'phase'>): void
  requestEarlyStop(reason: string, options?: { readonly severity?: Severity; readonly iteration?: number }): void
  shouldStopEarly(): { readonly shouldStop: boolean; readonly reason: string | null }
}

/** What a callback gets beside the event. */
export interface CallbackContext {
  readonly monitor: MonitorHandle
  readonly store: MetricsStore
}

/**
 * Something that listens to a run. `onEvent` must return quickly: a synchronous one over its budget (5 ms, median of 20
 * calls) is reported and disabled, one that throws is isolated and disabled after ten failures, an asynchronous one is not
 * awaited (at most 32 in flight).
 */
export interface TrainingCallback {
  /** Shown in reports of failures; the class name by default. */
  readonly name?: string
  onEvent(event: TrainingEvent, context: CallbackContext): void | Promise<void>
  /** Called once when it is registered. */
  onRegister?(monitor: MonitorHandle): void
  /** Work that touches the model (re-generation): awaited inside `monitor.settle()`, and nowhere else. */
  settle?(context: CallbackContext): Promise<void>
  /** Called once at the end of the run. */
  close?(): Promise<void>
}

/** Which events a callback wants. */
export interface CallbackFilter {
  /** Only these phases; all by default. */
  readonly phases?: readonly TrainingPhase[]
  /** Only iterations divisible by this; 1 by default. */
  readonly every?: number
  /** First iteration, inclusive; 0 by default. */
  readonly from?: number
  /** Last iteration, inclusive; none by default. */
  readonly until?: number
}
