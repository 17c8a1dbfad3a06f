/**
 * PPO from a reward model, watched at every step: the loop, readable from top to bottom.
 *
 * @module
 */
import type { SampleGenerator } from '../callbacks.ts'
import { errorMessage, TelltaleError } from '../errors.ts'
import {
  createTrainingEvent,
  type RunStatus,
  type TrainingEvent,
  type TrainingEventInit,
  TrainingPhase,
} from '../events.ts'
import { quantile } from '../stats/median.ts'
import { type Clock, systemClock, yieldToEventLoop } from '../time.ts'
import { type AdamState, adamScalars, newAdamState, type Trained } from './adam.ts'
import { floats, integers, release, startBackend } from './backend.ts'
import { generalizedAdvantages, maskedMoments, whiten } from './gae.ts'
import { adaptiveKl, fixedKl, type KlController } from './kl-controller.ts'
import { type Model, PAD_ID, parameterCount } from './model.ts'
import { type PPOOptions, type ResolvedPPOOptions, resolvePPOOptions } from './ppo-options.ts'
import { compilePolicyStep, compileValueStep, type PolicyStats, type ValueStats } from './ppo-update.ts'
import { type RandomStream, randomStream, restoredStream } from './random.ts'
import { createScorer, type RewardModel } from './reward-model.ts'
import { tokenRewards } from './rewards.ts'
import { createRolloutModels, flatten, type Rollout, type RolloutModels } from './rollout.ts'
import { sampleGenerator } from './sample-generator.ts'
import { learningRateSchedule } from './schedule.ts'
import type { Tokenizer } from './tokenizer.ts'
import { loadCheckpoint, saveCheckpoint, trainerState } from './trainer-checkpoint.ts'
import { sequenceTensors } from './transformer.ts'

/** What the trainer uses of a monitor; `TrainingMonitor` is one. */
export interface TrainerMonitor {
  readonly clock: Clock
  onEvent(event: TrainingEvent): void
  settle(): Promise<void>
  shouldStopEarly(): { readonly shouldStop: boolean; readonly reason: string | null }
  getStop(): { readonly reason: string; readonly iteration: number; readonly rollbackTo: number | null } | null
  registerGenerator(generator: SampleGenerator): void
}

/** Rewards from elsewhere: one number an answer. */
export interface RewardFunction {
  score(prompts: readonly string[], responses: readonly string[]): ArrayLike<number>
}

/** Options of {@link RLAIFTrainer}: the plan's, and PPO's hyper-parameters. */
export interface RLAIFTrainerOptions extends PPOOptions {
  /** Trained in place: `model.parameters` is replaced. */
  readonly policyModel: Model
  /** Frozen; the KL penalty is measured against it. */
  readonly refPolicyModel: Model
  /** A model with a scalar head; trained in place. */
  readonly valueModel: Model
  readonly rewardModel: RewardModel | RewardFunction
  readonly tokenizer: Tokenizer
  /** `wasm`, the default. */
  readonly device?: string
  readonly monitor?: TrainerMonitor
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
  readonly iteration: number
  readonly reward: number
  readonly klNats: number
  readonly loss: number
}

/** How a training ended. */
export interface TrainResult {
  /** Finished iterations. */
  readonly iterations: number
  readonly status: RunStatus
  /** Why it stopped early, and the checkpoint's iteration to go back to (null where none was saved before the onset). */
  readonly stop: { readonly reason: string; readonly iteration: number; readonly rollbackTo: number | null } | null
  /** Path of the newest checkpoint, or null. */
  readonly checkpoint: string | null
  readonly history: readonly TrainHistoryEntry[]
}

/**
 * PPO from AI feedback: answers are sampled, scored by a reward model, and the policy is moved towards what scores well
 * while a penalty holds it near the reference.
 *
 * The monitor is optional; weights are the same bit for bit with and without one.
 *
 * @throws TelltaleError `bad-option` for a hyper-parameter out of range or models that do not fit together.
 *
 * @example
 * ```ts
 * import { cloneModel, createModel, RLAIFTrainer, startBackend, withScalarHead, wordTokenizer } from 'telltale/trainer'
 * await startBackend()
 * const tokenizer = wordTokenizer(['yes', 'no', 'maybe', '?'])
 * const config = { vocabSize: tokenizer.vocabSize, contextLength: 6, width: 8, layers: 1, heads: 2, head: 'token' } as const
 * const policyModel = createModel(config, 1)
 * const trainer = new RLAIFTrainer({
 *   policyModel, refPolicyModel: cloneModel(policyModel), valueModel: withScalarHead(policyModel), tokenizer,
 *   rewardModel: { score: (_, responses) => responses.map((r) => (r.includes('yes') ? 1 : 0)) },
 * })
 * const { iterations, status } = await trainer.train({ prompts: ['yes ?', 'no ?'], numIterations: 2 })
 * console.log(iterations, status) // 2 completed
 * ```
 */
export class RLAIFTrainer {
  readonly options: ResolvedPPOOptions
  readonly #models: RLAIFTrainerOptions
  readonly #monitor: TrainerMonitor | null

  constructor(options: RLAIFTrainerOptions) {
    this.options = resolvePPOOptions(hyperParameters(options))
    this.#models = options
    this.#monitor = options.monitor ?? null
    checkModels(options)
  }

  /**
   * Trains until `numIterations`, a stop request of the monitor, or the signal.
   *
   * @throws TelltaleError `bad-option` for prompts or counts that cannot be, `bad-format` for a damaged checkpoint. Whatever
   * goes wrong is first reported as a TRAINING_END with status failed.
   */
  async train(options: TrainOptions): Promise<TrainResult> {
    const { numIterations = 100, batchSize = 4 } = options
    await startBackend(this.#models.device)
    const run = new TrainingRun(this.#models, this.options, options, { numIterations, batchSize })
    this.#emit({ phase: TrainingPhase.TRAINING_START, iteration: run.iteration, metadata: run.description() })
    try {
      this.#monitor?.registerGenerator(run.generator())
      while (run.iteration < numIterations && !this.#stopping(options)) await this.#iterate(run, options)
      const stop =
        this.#monitor?.getStop() ??
        (options.signal?.aborted
          ? { reason: 'aborted by the caller', iteration: run.iteration, rollbackTo: null }
          : null)
      const stopped = run.iteration < numIterations
      const status: RunStatus = stopped ? 'stopped' : 'completed'
      this.#emit({ phase: TrainingPhase.TRAINING_END, iteration: Math.max(0, run.iteration - 1), metadata: { status } })
      return {
        iterations: run.iteration,
        status,
        stop: stopped && stop ? { reason: stop.reason, iteration: stop.iteration, rollbackTo: stop.rollbackTo } : null,
        checkpoint: run.checkpoint,
        history: run.history,
      }
    } catch (error) {
      this.#emit({
        phase: TrainingPhase.TRAINING_END,
        iteration: run.iteration,
        metadata: { status: 'failed', error: errorMessage(error) },
      })
      throw error
    } finally {
      run.dispose()
    }
  }

  /** One iteration: the eleven phases but the first and the last. */
  async #iterate(run: TrainingRun, options: TrainOptions): Promise<void> {
    const clock = this.#monitor?.clock ?? systemClock
    const startedMs = clock.monotonicMs()
    const { iteration } = run
    this.#emit({ phase: TrainingPhase.ITERATION_START, iteration })

    const { prompts, responses, rollout } = run.generate()
    this.#emit({
      phase: TrainingPhase.RESPONSE_GENERATED,
      iteration,
      metrics: lengthMetrics(rollout),
      metadata: { prompts, responses },
    })
    await yieldToEventLoop()

    const scored = run.reward(prompts, responses, rollout)
    const measured = options.measure?.(prompts, responses, scored.rawRewards)
    this.#emit({
      phase: TrainingPhase.REWARD_COMPUTED,
      iteration,
      metrics: { ...scored.metrics, ...measured },
      metadata: { prompts, responses, rewards: scored.rawRewards },
    })
    await yieldToEventLoop()

    const advantages = run.advantages(rollout, scored)
    this.#emit({ phase: TrainingPhase.ADVANTAGE_COMPUTED, iteration, metrics: advantages.metrics })

    const policy = await run.updatePolicy(rollout, scored, advantages)
    this.#emit({ phase: TrainingPhase.POLICY_UPDATE, iteration, metrics: policy.metrics })

    const value = await run.updateValue(rollout, scored, advantages)
    this.#emit({ phase: TrainingPhase.VALUE_UPDATE, iteration, metrics: value.metrics })

    const seconds = (clock.monotonicMs() - startedMs) / 1000
    const entry = run.finish(scored, policy.loss + value.loss)
    const tokens = rollout.lengths.reduce((a, b) => a + b, 0)
    this.#emit({
      phase: TrainingPhase.ITERATION_END,
      iteration,
      metrics: {
        'reward/score': entry.reward,
        'kl_ref/token': entry.klNats,
        'loss/total': entry.loss,
        'time/step': seconds,
        'throughput/tokens_per_s': seconds > 0 ? tokens / seconds : 0,
      },
    })
    const saved = run.saveIfDue()
    if (saved) this.#emit({ phase: TrainingPhase.CHECKPOINT_SAVED, iteration, metadata: saved })
    const { evalPrompts, evaluate, evalEvery = 10 } = options
    if (evalPrompts?.length && evaluate && (iteration + 1) % evalEvery === 0) {
      const answers = run.answer(evalPrompts.slice(0, run.batchSize), iteration)
      this.#emit({
        phase: TrainingPhase.EVALUATION,
        iteration,
        metrics: evaluate(evalPrompts.slice(0, run.batchSize), answers),
      })
    }
    await this.#monitor?.settle()
    await yieldToEventLoop()
  }

  #stopping(options: TrainOptions): boolean {
    return options.signal?.aborted === true || this.#monitor?.shouldStopEarly().shouldStop === true
  }

  #emit(event: TrainingEventInit): void {
    this.#monitor?.onEvent(createTrainingEvent(event))
  }
}

interface Scored {
  readonly rawRewards: readonly number[]
  readonly logProbs: Float32Array
  readonly values: Float32Array
  readonly rewards: Float32Array
  readonly klToken: number
  readonly klSequence: number
  readonly metrics: Readonly<Record<string, number>>
}

interface AdvantageBatch {
  readonly whitened: Float32Array
  readonly returns: Float32Array
  readonly metrics: Readonly<Record<string, number>>
}

/** The state of one call of `train`: compiled parts, moments, chance, counters. */
class TrainingRun {
  iteration = 0
  checkpoint: string | null = null
  readonly history: TrainHistoryEntry[] = []
  readonly batchSize: number
  readonly #models: RLAIFTrainerOptions
  readonly #options: ResolvedPPOOptions
  readonly #prompts: readonly { readonly text: string; readonly ids: Int32Array }[]
  readonly #promptLength: number
  readonly #responseLength: number
  readonly #numIterations: number
  readonly #rollouts: RolloutModels
  readonly #rewardOf: (prompts: readonly string[], responses: readonly string[], rollout: Rollout) => Float32Array
  readonly #policyStep: ReturnType<typeof compilePolicyStep>
  readonly #valueStep: ReturnType<typeof compileValueStep>
  readonly #kl: KlController
  readonly #isClear: TrainOptions['isClear']
  #policyAdam: AdamState
  #valueAdam: AdamState
  #random: { rollout: RandomStream; prompts: RandomStream; minibatches: RandomStream }
  #promptOrder: Int32Array
  #promptCursor = 0

  constructor(
    models: RLAIFTrainerOptions,
    options: ResolvedPPOOptions,
    train: TrainOptions,
    counts: { numIterations: number; batchSize: number },
  ) {
    const { tokenizer, policyModel, valueModel } = models
    for (const [name, value] of Object.entries(counts)) {
      if (!Number.isSafeInteger(value) || value < 1 || value > 1e9)
        throw new TelltaleError('bad-option', `${name} is ${String(value)}; expected an integer of at least 1`)
    }
    this.#models = models
    this.#options = options
    this.#isClear = train.isClear
    this.batchSize = counts.batchSize
    this.#numIterations = counts.numIterations
    const encoded = encodePrompts(train.prompts, tokenizer)
    this.#promptLength = options.promptLength ?? Math.max(...encoded.map(({ ids }) => ids.length))
    this.#responseLength = options.responseLength ?? policyModel.config.contextLength - this.#promptLength
    if (this.#responseLength < 1 || this.#promptLength + this.#responseLength > policyModel.config.contextLength) {
      throw new TelltaleError(
        'bad-option',
        `prompt (${this.#promptLength} tokens) and response (${this.#responseLength}) do not fit into the model's context of ${policyModel.config.contextLength}`,
      )
    }
    this.#prompts = encoded.map(({ text, ids }) => ({
      text,
      ids: padLeft(ids, this.#promptLength, tokenizer.padId, text),
    }))
    const sizes = {
      batchSize: counts.batchSize,
      promptLength: this.#promptLength,
      responseLength: this.#responseLength,
      padId: tokenizer.padId,
      eosId: tokenizer.eosId,
      temperature: options.temperature,
    }
    this.#rollouts = createRolloutModels(policyModel.config, valueModel.config, sizes)
    this.#rewardOf = rewardSource(models.rewardModel, counts.batchSize, tokenizer.padId)
    const losses = {
      ...sizes,
      clipRange: options.clipRange,
      valueClipRange: options.valueClipRange,
      entropyCoefficient: options.entropyCoefficient,
    }
    this.#policyStep = compilePolicyStep(policyModel.config, losses, options)
    this.#valueStep = compileValueStep(valueModel.config, losses, options)
    this.#kl =
      options.klControl === 'adaptive'
        ? adaptiveKl(options.klCoefficient, options.adaptiveKl)
        : fixedKl(options.klCoefficient)
    this.#random = {
      rollout: randomStream(options.seed, 'rollout'),
      prompts: randomStream(options.seed, 'prompts'),
      minibatches: randomStream(options.seed, 'minibatches'),
    }
    if (train.resumeFrom === undefined) {
      this.#policyAdam = newAdamState(policyModel.parameters)
      this.#valueAdam = newAdamState(valueModel.parameters)
      this.#promptOrder = this.#random.prompts.permutation(this.#prompts.length)
    } else {
      const saved = loadCheckpoint(train.resumeFrom, policyModel, valueModel)
      if (saved.state.promptOrder.length !== this.#prompts.length) {
        throw new TelltaleError(
          'bad-option',
          `the checkpoint was trained on ${saved.state.promptOrder.length} prompts, not ${this.#prompts.length}; give it the same ones`,
        )
      }
      release(policyModel.parameters)
      release(valueModel.parameters)
      policyModel.parameters = saved.policy.parameters
      valueModel.parameters = saved.value.parameters
      this.#policyAdam = saved.policyAdam
      this.#valueAdam = saved.valueAdam
      this.#kl.restore(saved.state.klCoefficient)
      const { rollout, prompts, minibatches } = saved.state.random
      this.#random = {
        rollout: restoredStream(rollout),
        prompts: restoredStream(prompts),
        minibatches: restoredStream(minibatches),
      }
      this.#promptOrder = Int32Array.from(saved.state.promptOrder)
      this.#promptCursor = saved.state.promptCursor
      this.iteration = saved.state.iteration + 1
      this.checkpoint = train.resumeFrom
    }
  }

  /** Metadata of TRAINING_START. */
  description(): Record<string, unknown> {
    const { policyModel, valueModel } = this.#models
    return {
      totalIterations: this.#numIterations,
      config: {
        algorithm: 'ppo',
        ...this.#options,
        batchSize: this.batchSize,
        numIterations: this.#numIterations,
        promptLength: this.#promptLength,
        responseLength: this.#responseLength,
        prompts: this.#prompts.length,
        policyParameters: parameterCount(policyModel.config),
        valueParameters: parameterCount(valueModel.config),
      },
    }
  }

  /** Answers to the next prompts of the shuffled list. */
  generate(): { prompts: string[]; responses: string[]; rollout: Rollout } {
    const batch = Array.from({ length: this.batchSize }, () => this.#nextPrompt())
    const { policyModel, tokenizer } = this.#models
    const rollout = this.#rollouts.generate(
      policyModel.parameters,
      batch.map(({ ids }) => ids),
      this.#random.rollout,
      this.#options,
    )
    return {
      prompts: batch.map(({ text }) => text),
      responses: rollout.responses.map((ids) => tokenizer.decode(ids)),
      rollout,
    }
  }

  /** Scores of the answers, and what policy, reference and value model say of them. */
  reward(prompts: readonly string[], responses: readonly string[], rollout: Rollout): Scored {
    const { policyModel, refPolicyModel, valueModel } = this.#models
    const { logProbs } = this.#rollouts.score(policyModel.parameters, rollout)
    const reference = this.#rollouts.score(refPolicyModel.parameters, rollout).logProbs
    const values = this.#rollouts.values(valueModel.parameters, rollout)
    const scores = this.#rewardOf(prompts, responses, rollout)
    const { missingEosPenalty } = this.#options
    const penalised = scores.map((score, i) => (rollout.ended[i] ? score : score - missingEosPenalty))
    const beta = this.#kl.coefficient
    const shaped = tokenRewards(rollout, logProbs, reference, penalised, beta)
    const { std } = maskedMoments(scores, new Float32Array(scores.length).fill(1))
    return {
      rawRewards: Array.from(penalised),
      logProbs,
      values,
      rewards: shaped.rewards,
      klToken: shaped.klToken,
      klSequence: shaped.klSequence,
      metrics: {
        'reward/std': std,
        'reward/total': shaped.total,
        'kl_ref/token_k3': shaped.klTokenK3,
        'kl_ref/seq': shaped.klSequence,
        'kl_ref/coef': beta,
        'kl_ref/penalty_reward': -beta * shaped.klSequence,
        'quality/ref_perplexity': perplexity(reference, rollout.mask),
      },
    }
  }

  /** Generalised advantages, whitened, and returns. */
  advantages(rollout: Rollout, scored: Scored): AdvantageBatch {
    const { gamma, lambda } = this.#options
    const { mask } = rollout
    const { advantages, returns } = generalizedAdvantages({
      ...scored,
      mask,
      length: this.#responseLength,
      gamma,
      lambda,
    })
    const real = advantages.filter((_, i) => mask[i] === 1)
    const { mean, std } = maskedMoments(advantages, mask)
    const errors = returns.map((value, i) => value - scored.values[i]!)
    return {
      whitened: whiten(advantages, mask),
      returns,
      metrics: {
        'adv/mean': mean,
        'adv/std': std,
        'adv/min': real.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY),
        'adv/max': real.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY),
        'adv/q10': quantile(real, 0.1),
        'adv/q50': quantile(real, 0.5),
        'adv/q90': quantile(real, 0.9),
        'value/mean': maskedMoments(scored.values, mask).mean,
        'value/return_mean': maskedMoments(returns, mask).mean,
        'value/explained_variance': 1 - (maskedMoments(errors, mask).std / maskedMoments(returns, mask).std) ** 2,
      },
    }
  }

  /** Several passes over shuffled minibatches for the policy. */
  async updatePolicy(
    rollout: Rollout,
    scored: Scored,
    batch: AdvantageBatch,
  ): Promise<{ loss: number; metrics: Record<string, number> }> {
    const { policyModel } = this.#models
    const rate = this.#rate(this.#options.learningRate)
    const all: PolicyStats[] = []
    await this.#eachMinibatch(async (rows, shape) => {
      const adam = this.#policyAdam
      const given: Trained = { parameters: policyModel.parameters, mean: adam.mean, square: adam.square }
      const { trained, stats } = this.#policyStep(
        given,
        {
          sequence: sequenceTensors(
            rows.map((r) => rollout.rows[r]!),
            this.#models.tokenizer.padId,
          ),
          responses: integers(
            flatten(
              rows.map((r) => rollout.responses[r]!),
              this.#responseLength,
            ),
            shape,
          ),
          mask: floats(this.#rows(rollout.mask, rows), shape),
          oldLogProbs: floats(this.#rows(scored.logProbs, rows), shape),
          advantages: floats(this.#rows(batch.whitened, rows), shape),
        },
        adamScalars(rate, ++adam.steps, this.#options),
      )
      policyModel.parameters = trained.parameters
      this.#policyAdam = { ...trained, steps: adam.steps }
      all.push(stats)
    })
    const loss = average(all, 'loss')
    return {
      loss,
      metrics: {
        'loss/policy': loss,
        'loss/policy_unclipped': average(all, 'lossUnclipped'),
        'ppo/clip_fraction': average(all, 'clipFraction'),
        'ppo/approx_kl': average(all, 'approxKl'),
        'ppo/approx_kl_first': all[0]!.approxKl,
        'ppo/ratio_first': all[0]!.ratioMean,
        'ppo/ratio_mean': average(all, 'ratioMean'),
        'ppo/ratio_max': all.reduce((max, { ratioMax }) => Math.max(max, ratioMax), 0),
        'entropy/token': all[0]!.entropy,
        'grad/norm': average(all, 'gradientNorm'),
        'optim/lr': rate,
      },
    }
  }

  /** The same passes for the value model. */
  async updateValue(
    rollout: Rollout,
    scored: Scored,
    batch: AdvantageBatch,
  ): Promise<{ loss: number; metrics: Record<string, number> }> {
    const { valueModel } = this.#models
    const rate = this.#rate(this.#options.valueLearningRate)
    const all: ValueStats[] = []
    await this.#eachMinibatch(async (rows, shape) => {
      const adam = this.#valueAdam
      const given: Trained = { parameters: valueModel.parameters, mean: adam.mean, square: adam.square }
      const { trained, stats } = this.#valueStep(
        given,
        {
          sequence: sequenceTensors(
            rows.map((r) => rollout.rows[r]!),
            this.#models.tokenizer.padId,
          ),
          mask: floats(this.#rows(rollout.mask, rows), shape),
          oldValues: floats(this.#rows(scored.values, rows), shape),
          returns: floats(this.#rows(batch.returns, rows), shape),
        },
        adamScalars(rate, ++adam.steps, this.#options),
      )
      valueModel.parameters = trained.parameters
      this.#valueAdam = { ...trained, steps: adam.steps }
      all.push(stats)
    })
    const loss = average(all, 'loss')
    return {
      loss,
      metrics: {
        'loss/value': loss,
        'value/clip_fraction': average(all, 'clipFraction'),
        'grad/value_norm': average(all, 'gradientNorm'),
        'optim/value_lr': rate,
      },
    }
  }

  /** Closes the iteration's books. */
  finish(scored: Scored, loss: number): TrainHistoryEntry {
    this.#kl.update(scored.klSequence, this.batchSize)
    const reward = scored.rawRewards.reduce((a, b) => a + b, 0) / scored.rawRewards.length
    const entry = { iteration: this.iteration, reward, klNats: scored.klToken, loss }
    this.history.push(entry)
    this.iteration++
    return entry
  }

  /** Writes a checkpoint of the iteration that has just finished, where one is due. */
  saveIfDue(): { path: string; removed: readonly number[] } | null {
    const { checkpointEvery, checkpointDir, keepCheckpoints } = this.#options
    if (checkpointEvery === 0 || !checkpointDir || this.iteration % checkpointEvery !== 0) return null
    const state = trainerState({
      iteration: this.iteration - 1,
      klCoefficient: this.#kl.coefficient,
      random: {
        rollout: this.#random.rollout.state(),
        prompts: this.#random.prompts.state(),
        minibatches: this.#random.minibatches.state(),
      },
      promptOrder: [...this.#promptOrder],
      promptCursor: this.#promptCursor,
      policySteps: this.#policyAdam.steps,
      valueSteps: this.#valueAdam.steps,
    })
    const { policyModel: policy, valueModel: value } = this.#models
    const saved = saveCheckpoint(
      checkpointDir,
      { state, policy, value, policyAdam: this.#policyAdam, valueAdam: this.#valueAdam },
      keepCheckpoints,
    )
    this.checkpoint = saved.path
    return saved
  }

  /** What the monitor may ask the model; it has chance of its own, so that asking changes nothing. */
  generator(): SampleGenerator {
    return sampleGenerator({
      rollouts: this.#rollouts,
      policy: this.#models.policyModel,
      reference: this.#models.refPolicyModel,
      tokenizer: this.#models.tokenizer,
      batchSize: this.batchSize,
      promptLength: this.#promptLength,
      responseLength: this.#responseLength,
      sampling: this.#options,
      isClear: this.#isClear,
    })
  }

  /** Answers to prompts that are not trained on. */
  answer(prompts: readonly string[], seed: number): string[] {
    return [...(this.generator().generate(prompts, { seed }) as readonly string[])]
  }

  dispose(): void {
    for (const adam of [this.#policyAdam, this.#valueAdam]) {
      release(adam.mean)
      release(adam.square)
    }
  }

  #nextPrompt(): { readonly text: string; readonly ids: Int32Array } {
    if (this.#promptCursor >= this.#promptOrder.length) {
      this.#promptOrder = this.#random.prompts.permutation(this.#prompts.length)
      this.#promptCursor = 0
    }
    return this.#prompts[this.#promptOrder[this.#promptCursor++]!]!
  }

  #rate(peak: number): number {
    const { learningRateSchedule: shape } = this.#options
    return learningRateSchedule({ learningRate: peak, shape, totalSteps: this.#numIterations })(this.iteration)
  }

  /** Calls back for each minibatch of each pass, in an order of its own; the event loop runs in between. */
  async #eachMinibatch(update: (rows: readonly number[], shape: [number, number]) => Promise<void>): Promise<void> {
    const size = Math.ceil(this.batchSize / this.#options.numMinibatches)
    for (let epoch = 0; epoch < this.#options.ppoEpochs; epoch++) {
      const order = this.#random.minibatches.permutation(this.batchSize)
      for (let from = 0; from < this.batchSize; from += size) {
        // The last minibatch is filled up from the beginning of the order, so that all have one shape.
        const rows = Array.from({ length: size }, (_, i) => order[(from + i) % this.batchSize]!)
        await update(rows, [size, this.#responseLength])
        await yieldToEventLoop()
      }
    }
  }

  #rows(values: Float32Array, rows: readonly number[]): Float32Array {
    const length = this.#responseLength
    const picked = new Float32Array(rows.length * length)
    rows.forEach((row, i) => {
      picked.set(values.subarray(row * length, (row + 1) * length), i * length)
    })
    return picked
  }
}

function hyperParameters(options: RLAIFTrainerOptions): PPOOptions {
  const { policyModel, refPolicyModel, valueModel, rewardModel, tokenizer, device, monitor, ...rest } = options
  return rest
}

function checkModels({ policyModel, refPolicyModel, valueModel, tokenizer }: RLAIFTrainerOptions): void {
  const expect = (right: boolean, problem: string) => {
    if (!right) throw new TelltaleError('bad-option', problem)
  }
  expect(policyModel.config.head === 'token', 'policyModel has a scalar head; expected a language model')
  expect(valueModel.config.head === 'scalar', 'valueModel has no scalar head; use withScalarHead(model)')
  expect(
    JSON.stringify(policyModel.config) === JSON.stringify(refPolicyModel.config),
    'refPolicyModel has another configuration than policyModel',
  )
  expect(
    policyModel !== refPolicyModel,
    'refPolicyModel is policyModel itself and would be trained; use cloneModel(policyModel)',
  )
  expect(tokenizer.padId === PAD_ID, `the tokenizer pads with ${tokenizer.padId}; expected ${PAD_ID}`)
  for (const [name, model] of Object.entries({ policyModel, valueModel })) {
    expect(
      model.config.vocabSize === tokenizer.vocabSize,
      `${name} has ${model.config.vocabSize} tokens, the tokenizer ${tokenizer.vocabSize}`,
    )
  }
  expect(
    valueModel.config.contextLength >= policyModel.config.contextLength,
    'valueModel has a shorter context than policyModel',
  )
}

function encodePrompts(prompts: readonly string[], tokenizer: Tokenizer): { text: string; ids: Int32Array }[] {
  if (!Array.isArray(prompts) || prompts.length === 0)
    throw new TelltaleError('bad-option', 'prompts is empty; training needs at least one')
  return prompts.map((text, i) => {
    const ids = typeof text === 'string' ? tokenizer.encode(text) : new Int32Array(0)
    if (ids.length === 0)
      throw new TelltaleError(
        'bad-option',
        `prompt ${i} is ${typeof text === 'string' ? 'empty' : `a ${typeof text}`}; expected a text with at least one word`,
      )
    return { text, ids }
  })
}

/** Padding on the left, so that every response begins at one place. */
export function padLeft(ids: Int32Array, length: number, padId: number, text: string): Int32Array {
  if (ids.length > length) {
    throw new TelltaleError(
      'bad-option',
      `the prompt ${JSON.stringify(text.slice(0, 80))} has ${ids.length} tokens; at most ${length} fit`,
    )
  }
  const row = new Int32Array(length).fill(padId)
  row.set(ids, length - ids.length)
  return row
}

function rewardSource(
  source: RewardModel | RewardFunction,
  batchSize: number,
  padId: number,
): (prompts: readonly string[], responses: readonly string[], rollout: Rollout) => Float32Array {
  if ('score' in source) {
    return (prompts, responses) => {
      const scores = Float32Array.from(source.score(prompts, responses))
      if (scores.length === responses.length) return scores
      throw new TelltaleError(
        'bad-option',
        `the reward function gave ${scores.length} scores for ${responses.length} responses`,
      )
    }
  }
  const scorer = createScorer(source.model.config, { batchSize, padId })
  return (_prompts, _responses, rollout) =>
    scorer(source.model.parameters, rollout.rows).map((raw) => (raw - source.mean) / source.std)
}

function lengthMetrics({ lengths, ended }: Rollout): Record<string, number> {
  const cut = ended.filter((end) => !end).length / ended.length
  return {
    'length/mean': lengths.reduce((a, b) => a + b, 0) / lengths.length,
    'length/max': Math.max(...lengths),
    'length/clip_ratio': cut,
    'eos/fraction': 1 - cut,
  }
}

/** exp of the mean negative log-probability over real tokens. */
export function perplexity(logProbs: Float32Array, mask: Float32Array): number {
  return Math.exp(-maskedMoments(logProbs, mask).mean)
}

function average<Stats>(all: readonly Stats[], field: keyof Stats): number {
  return all.reduce((sum, stats) => sum + (stats[field] as number), 0) / all.length
}
