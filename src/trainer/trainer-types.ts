/**
 * What goes into {@link RLAIFTrainer} and what comes out.
 *
 * @module
 */
import type { SampleGenerator } from '../callbacks.ts'
import type { RunStatus, TrainingEvent } from '../events.ts'
import type { Clock } from '../time.ts'
import type { TrainerFaults } from './faults.ts'
import type { Model } from './model.ts'
import type { PPOOptions } from './ppo-options.ts'
import type { RewardModel } from './reward-model.ts'
import type { Tokenizer } from './tokenizer.ts'

/** What the trainer uses of a monitor; `TrainingMonitor` is one. */
export interface TrainerMonitor {
  /** Where times come from. */
  readonly clock: Clock
  /** Takes one event; must not throw. */
  onEvent(event: TrainingEvent): void
  /** Awaited after each iteration: the only place where callbacks may use the model. */
  settle(): Promise<void>
  /** Asked between two iterations. */
  shouldStopEarly(): { readonly shouldStop: boolean; readonly reason: string | null }
  /** The request to stop, with the checkpoint to go back to, or null. */
  getStop(): { readonly reason: string; readonly iteration: number; readonly rollbackTo: number | null } | null
  /** Takes what can answer prompts with the current policy. */
  registerGenerator(generator: SampleGenerator): void
}

/** Rewards from elsewhere: one number an answer. */
export interface RewardFunction {
  /** The reward of each response to the prompt at its place; finite numbers. */
  score(prompts: readonly string[], responses: readonly string[]): ArrayLike<number>
}

/** Options of {@link RLAIFTrainer}: the plan's, and PPO's hyper-parameters. */
export interface RLAIFTrainerOptions extends PPOOptions {
  /** Trained in place: `model.parameters` is replaced. */
  readonly policyModel: Model
  /** Frozen; the KL penalty is measured against it. */
  readonly refPolicyModel: Model
  /** A model with a scalar head; trained in place, so it must not be the reward model itself. */
  readonly valueModel: Model
  /** Scores whole answers: a trained reward model, or any function. */
  readonly rewardModel: RewardModel | RewardFunction
  /** Of all four models. */
  readonly tokenizer: Tokenizer
  /** `wasm`, the default. */
  readonly device?: string
  /** Watches the training; nothing does by default. */
  readonly monitor?: TrainerMonitor
  /** Mistakes made on purpose; none by default. */
  readonly faults?: TrainerFaults
}

/** What {@link RLAIFTrainer.train} takes. */
export interface TrainOptions {
  /** At least one; none empty or longer than the prompt length. */
  readonly prompts: readonly string[]
  /** Iterations in all, those before a resumed checkpoint included; 100, from the plan. */
  readonly numIterations?: number
  /** Prompts an iteration; 4, from the plan. */
  readonly batchSize?: number
  /** Folder of a checkpoint to go on from. */
  readonly resumeFrom?: string
  /** Prompts never trained on, answered every `evalEvery` iterations for `evaluate`. At most `batchSize` are used. */
  readonly evalPrompts?: readonly string[]
  /** Iterations between evaluations, an integer of at least 1; 10 by default. */
  readonly evalEvery?: number
  /** Metrics of the answers to `evalPrompts`, logged with EVALUATION. */
  readonly evaluate?: (prompts: readonly string[], responses: readonly string[]) => Readonly<Record<string, number>>
  /** Further metrics of a rollout, logged with REWARD_COMPUTED. */
  readonly measure?: (
    prompts: readonly string[],
    responses: readonly string[],
    rewards: readonly number[],
  ) => Readonly<Record<string, number>>
  /** Whether each answer is clear by the world's own rule; given to the monitor's generator. */
  readonly isClear?: (prompts: readonly string[], responses: readonly string[]) => readonly boolean[]
  /** Stops between two iterations. */
  readonly signal?: AbortSignal
}

/** One iteration in a few numbers. */
export interface TrainHistoryEntry {
  /** Zero-based iteration. */
  readonly iteration: number
  /** Mean reward of the iteration, without the KL penalty. */
  readonly reward: number
  /** KL to the reference, in nats per token (k1, mean over the response tokens). */
  readonly klNats: number
  /** Policy loss plus value loss. */
  readonly loss: number
}

/** How a training ended. */
export interface TrainResult {
  /** Finished iterations. */
  readonly iterations: number
  /** How it ended. */
  readonly status: RunStatus
  /** Why it stopped early, and the checkpoint's iteration to go back to (null where none was saved before the onset). */
  readonly stop: { readonly reason: string; readonly iteration: number; readonly rollbackTo: number | null } | null
  /** Path of the newest checkpoint, or null. */
  readonly checkpoint: string | null
  /** One entry an iteration of this call. */
  readonly history: readonly TrainHistoryEntry[]
}
