/**
 * PPO from a reward model, watched at every step: the loop, readable from top to bottom.
 *
 * @module
 */
import { errorMessage, TelltaleError } from '../errors.ts'
import { createTrainingEvent, type RunStatus, type TrainingEventInit, TrainingPhase } from '../events.ts'
import { systemClock, yieldToEventLoop } from '../time.ts'
import { startBackend } from './backend.ts'
import type { TrainerFaults } from './faults.ts'
import { type Model, PAD_ID } from './model.ts'
import { type PPOOptions, type ResolvedPPOOptions, resolvePPOOptions } from './ppo-options.ts'
import type { RewardModel } from './reward-model.ts'
import type { Rollout } from './rollout.ts'
import type { RewardFunction, RLAIFTrainerOptions, TrainerMonitor, TrainOptions, TrainResult } from './trainer-types.ts'
import { TrainingRun } from './training-run.ts'

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
  /** The hyper-parameters in force, defaults included. */
  readonly options: ResolvedPPOOptions
  readonly #models: RLAIFTrainerOptions
  readonly #monitor: TrainerMonitor | null

  constructor(options: RLAIFTrainerOptions) {
    this.options = resolvePPOOptions(hyperParameters(options))
    this.#models = options
    this.#monitor = options.monitor ?? null
    checkModels(options)
    checkFaults(options.faults)
  }

  /**
   * Trains until `numIterations`, a stop request of the monitor, or the signal.
   *
   * @throws TelltaleError `bad-option` for prompts or counts that cannot be, `bad-format` for a damaged checkpoint; both before
   * TRAINING_START. What goes wrong later is first reported as a TRAINING_END with status failed: `diverged` where loss or
   * weights are no longer finite (such weights are never saved), and whatever a reward or a hook throws.
   */
  async train(options: TrainOptions): Promise<TrainResult> {
    const { numIterations = 100, batchSize = 4, evalEvery = 10 } = options
    await startBackend(this.#models.device)
    const run = new TrainingRun(this.#models, this.options, options, { numIterations, batchSize, evalEvery })
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
    const diverged = divergence(iteration, entry.loss, run)
    // Weights that are lost must not push a good checkpoint out.
    if (diverged === null) this.#saveAndEvaluate(run, options, iteration)
    await this.#monitor?.settle()
    await yieldToEventLoop()
    if (diverged !== null) throw new TelltaleError('diverged', diverged)
  }

  #saveAndEvaluate(run: TrainingRun, { evalPrompts, evaluate }: TrainOptions, iteration: number): void {
    const saved = run.saveIfDue()
    if (saved) this.#emit({ phase: TrainingPhase.CHECKPOINT_SAVED, iteration, metadata: saved })
    if (evalPrompts?.length && evaluate && (iteration + 1) % run.evalEvery === 0) {
      const answers = run.answer(evalPrompts.slice(0, run.batchSize), iteration)
      this.#emit({
        phase: TrainingPhase.EVALUATION,
        iteration,
        metrics: evaluate(evalPrompts.slice(0, run.batchSize), answers),
      })
    }
  }

  #stopping(options: TrainOptions): boolean {
    return options.signal?.aborted === true || this.#monitor?.shouldStopEarly().shouldStop === true
  }

  #emit(event: TrainingEventInit): void {
    this.#monitor?.onEvent(createTrainingEvent(event))
  }
}

function hyperParameters(options: RLAIFTrainerOptions): PPOOptions {
  const { policyModel, refPolicyModel, valueModel, rewardModel, tokenizer, device, monitor, faults, ...rest } = options
  return rest
}

/** What there is to say where an iteration ended in numbers that are not finite, or null. */
function divergence(iteration: number, loss: number, run: TrainingRun): string | null {
  const advice = 'Lower the learning rate, or go back to a checkpoint'
  if (!Number.isFinite(loss)) return `the loss of iteration ${iteration} is ${loss}: the weights are lost. ${advice}`
  // The loss is that of the weights before the last step, which may be the one that broke them.
  return run.weightsAreFinite() ? null : `the weights after iteration ${iteration} are not all finite. ${advice}`
}

function expect(right: boolean, problem: string): void {
  if (!right) throw new TelltaleError('bad-option', problem)
}

function checkModels({ policyModel, refPolicyModel, valueModel, rewardModel, tokenizer }: RLAIFTrainerOptions): void {
  expect(policyModel.config.head === 'token', 'policyModel has a scalar head; expected a language model')
  expect(valueModel.config.head === 'scalar', 'valueModel has no scalar head; use withScalarHead(model)')
  expect(
    JSON.stringify(policyModel.config) === JSON.stringify(refPolicyModel.config),
    'refPolicyModel has another configuration than policyModel',
  )
  expect(
    policyModel !== refPolicyModel && policyModel.parameters !== refPolicyModel.parameters,
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
  checkReward(rewardModel, valueModel, policyModel)
}

function checkFaults(faults: TrainerFaults = {}): void {
  const { frozenValueHead, flippedRewardSign, staleLogProbUpdates, ...rest } = faults
  expect(Object.keys(rest).length === 0, `${JSON.stringify(Object.keys(rest)[0])} is no fault that can be made`)
  for (const [name, value] of Object.entries({ frozenValueHead, flippedRewardSign })) {
    expect(
      value === undefined || typeof value === 'boolean',
      `faults.${name} is ${String(value)}; expected true or false`,
    )
  }
  const updates = staleLogProbUpdates
  expect(
    updates === undefined || (Number.isSafeInteger(updates) && updates >= 1 && updates <= 100),
    `faults.staleLogProbUpdates is ${String(updates)}; expected an integer from 1 to 100`,
  )
}

function checkReward(reward: RewardModel | RewardFunction, valueModel: Model, { config }: Model): void {
  const given: Partial<RewardModel & RewardFunction> = reward ?? {}
  if (typeof given.score === 'function') return
  const { model, mean, std } = given
  expect(model !== undefined, 'rewardModel has neither a model nor a function score(prompts, responses)')
  if (model === undefined) return
  expect(model.config.head === 'scalar', 'rewardModel.model has no scalar head; use withScalarHead(model)')
  expect(
    model !== valueModel && model.parameters !== valueModel.parameters,
    'valueModel is the reward model itself, which would be trained with it; use cloneModel(rewardModel.model)',
  )
  expect(
    model.config.vocabSize === config.vocabSize && model.config.contextLength >= config.contextLength,
    'rewardModel.model has other tokens or a shorter context than policyModel',
  )
  expect(Number.isFinite(mean), `rewardModel.mean is ${String(mean)}; expected a finite number`)
  expect(
    Number.isFinite(std) && (std as number) > 0,
    `rewardModel.std is ${String(std)}; expected a finite number above 0`,
  )
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
