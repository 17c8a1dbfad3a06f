/**
 * The state of one training: compiled parts, moments, chance, counters, and the steps of an iteration.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import type { SampleGenerator } from '../callbacks.ts'
import { TelltaleError } from '../errors.ts'
import { quantile } from '../stats/median.ts'
import { pearson } from '../stats/pearson.ts'
import { yieldToEventLoop } from '../time.ts'
import { type AdamState, adamScalars, newAdamState, type Trained } from './adam.ts'
import { floats, integers, release, share, type TensorRecord, toFloats } from './backend.ts'
import { encodePrompts, padLeft } from './encode-prompts.ts'
import { generalizedAdvantages, maskedMoments, whiten } from './gae.ts'
import { adaptiveKl, fixedKl, type KlController } from './kl-controller.ts'
import { type Model, parameterCount } from './model.ts'
import type { ResolvedPPOOptions } from './ppo-options.ts'
import { compilePolicyStep, compileValueStep, type PolicyStats, type ValueStats } from './ppo-update.ts'
import { type RandomStream, randomStream, restoredStream } from './random.ts'
import { createScorer, type RewardModel } from './reward-model.ts'
import { tokenRewards } from './rewards.ts'
import { createRolloutModels, flatten, type Rollout, type RolloutModels } from './rollout.ts'
import { sampleGenerator } from './sample-generator.ts'
import { learningRateSchedule } from './schedule.ts'
import { loadCheckpoint, saveCheckpoint, trainerState } from './trainer-checkpoint.ts'
import type { RewardFunction, RLAIFTrainerOptions, TrainHistoryEntry, TrainOptions } from './trainer-types.ts'
import { sequenceTensors } from './transformer.ts'

/** A rollout with its rewards, and what policy and value model said of it. */
export interface Scored {
  readonly rawRewards: readonly number[]
  readonly logProbs: Float32Array
  readonly values: Float32Array
  readonly rewards: Float32Array
  readonly klToken: number
  readonly klSequence: number
  readonly metrics: Readonly<Record<string, number>>
}

/** Advantages of a rollout, ready to be learned from. */
export interface AdvantageBatch {
  readonly whitened: Float32Array
  readonly returns: Float32Array
  readonly metrics: Readonly<Record<string, number>>
}

/** The state of one call of `train`: compiled parts, moments, chance, counters. */
export class TrainingRun {
  iteration = 0
  checkpoint: string | null = null
  readonly history: TrainHistoryEntry[] = []
  readonly batchSize: number
  readonly evalEvery: number
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
  /** Weights of earlier updates, the oldest first; kept for a fault alone. */
  readonly #earlier: TensorRecord[] = []
  #promptCursor = 0

  constructor(
    models: RLAIFTrainerOptions,
    options: ResolvedPPOOptions,
    train: TrainOptions,
    counts: { numIterations: number; batchSize: number; evalEvery: number },
  ) {
    const { tokenizer, policyModel, valueModel } = models
    for (const [name, value] of Object.entries(counts)) {
      if (!Number.isSafeInteger(value) || value < 1 || value > 1e9)
        throw new TelltaleError('bad-option', `${name} is ${String(value)}; expected an integer of at least 1`)
    }
    if (options.numMinibatches > counts.batchSize) {
      throw new TelltaleError(
        'bad-option',
        `numMinibatches is ${options.numMinibatches}; a batchSize of ${counts.batchSize} gives at most as many`,
      )
    }
    this.#models = models
    this.#options = options
    this.#isClear = train.isClear
    this.batchSize = counts.batchSize
    this.evalEvery = counts.evalEvery
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
      const { prompts: promptsThen, batchSize: batchThen } = saved.state
      if (promptsThen !== promptsHash(train.prompts)) {
        throw new TelltaleError(
          'bad-option',
          'the checkpoint was trained on other prompts; give it the same ones, in the same order',
        )
      }
      if (batchThen !== counts.batchSize) {
        throw new TelltaleError(
          'bad-option',
          `the checkpoint was trained with batchSize ${batchThen}, not ${counts.batchSize}`,
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
    const { refPolicyModel, valueModel } = this.#models
    const { logProbs } = this.#rollouts.score(this.#rolloutParameters(), rollout)
    const reference = this.#rollouts.score(refPolicyModel.parameters, rollout).logProbs
    const values = this.#rollouts.values(valueModel.parameters, rollout)
    const scores = this.#rewardOf(prompts, responses, rollout)
    const { missingEosPenalty } = this.#options
    const penalised = scores.map((score, i) => (rollout.ended[i] ? score : score - missingEosPenalty))
    const beta = this.#kl.coefficient
    const learned = this.#models.faults?.flippedRewardSign ? penalised.map((score) => -score) : penalised
    const shaped = tokenRewards(rollout, logProbs, reference, learned, beta)
    const { std } = maskedMoments(penalised, new Float32Array(penalised.length).fill(1))
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
    const returnStd = maskedMoments(returns, mask).std
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
        ...rewardCorrelation(advantages, rollout, scored.rawRewards),
        'value/mean': maskedMoments(scored.values, mask).mean,
        'value/return_mean': maskedMoments(returns, mask).mean,
        // There is nothing to explain where all returns are equal: not logged, since NaN would look like a broken run.
        ...(returnStd > 0 && { 'value/explained_variance': 1 - (maskedMoments(errors, mask).std / returnStd) ** 2 }),
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
    const headBefore = headOf(valueModel)
    const frozen = this.#models.faults?.frozenValueHead ?? false
    const all: ValueStats[] = []
    await this.#eachMinibatch(async (rows, shape) => {
      const adam = this.#valueAdam
      const given: Trained = { parameters: valueModel.parameters, mean: adam.mean, square: adam.square }
      const head = frozen ? share(headParameters(valueModel)) : {}
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
      for (const [name, tensor] of Object.entries(head)) {
        trained.parameters[name]!.dispose()
        trained.parameters[name] = tensor
      }
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
        'value/head_update_norm': distance(headBefore, headOf(valueModel)),
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

  /** Whether every weight that is trained is a number to go on with. */
  weightsAreFinite(): boolean {
    return [this.#models.policyModel, this.#models.valueModel].every((model) =>
      Object.values(model.parameters).every((tensor) => {
        // One sum instead of a test a weight: 0 times anything not finite is NaN.
        let sum = 0
        for (const weight of toFloats(tensor.ref)) sum += 0 * weight
        return sum === 0
      }),
    )
  }

  /** Writes a checkpoint of the iteration that has just finished, where one is due. */
  saveIfDue(): { path: string; removed: readonly number[] } | null {
    const { checkpointEvery, checkpointDir, keepCheckpoints } = this.#options
    if (checkpointEvery === 0 || !checkpointDir || this.iteration % checkpointEvery !== 0) return null
    const state = trainerState({
      iteration: this.iteration - 1,
      batchSize: this.batchSize,
      prompts: promptsHash(this.#prompts.map(({ text }) => text)),
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
    for (const weights of this.#earlier.splice(0)) release(weights)
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

  /** The weights that the old log-probabilities come from: the policy's own, but for the fault of stale ones. */
  #rolloutParameters(): TensorRecord {
    const { policyModel, faults } = this.#models
    if (!faults?.staleLogProbUpdates) return policyModel.parameters
    this.#earlier.push(share(policyModel.parameters))
    if (this.#earlier.length > faults.staleLogProbUpdates + 1) release(this.#earlier.shift()!)
    return this.#earlier[0]!
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

function rewardSource(
  source: RewardModel | RewardFunction,
  batchSize: number,
  padId: number,
): (prompts: readonly string[], responses: readonly string[], rollout: Rollout) => Float32Array {
  if ('score' in source) {
    return (prompts, responses) => {
      const scores = Float32Array.from(source.score(prompts, responses))
      if (scores.length === responses.length) return finiteScores(scores, 'function')
      throw new TelltaleError(
        'bad-option',
        `the reward function gave ${scores.length} scores for ${responses.length} responses`,
      )
    }
  }
  const scorer = createScorer(source.model.config, { batchSize, padId })
  return (_prompts, _responses, rollout) =>
    finiteScores(
      scorer(source.model.parameters, rollout.rows).map((raw) => (raw - source.mean) / source.std),
      'model',
    )
}

function finiteScores(scores: Float32Array, source: 'function' | 'model'): Float32Array {
  const bad = scores.findIndex((score) => !Number.isFinite(score))
  if (bad < 0) return scores
  throw new TelltaleError(
    'bad-option',
    `the reward ${source} gave ${scores[bad]} for response ${bad}; one such number makes every weight NaN`,
  )
}

/** How the answers' advantages go with their rewards; left out where either is the same for all. */
function rewardCorrelation(
  advantages: Float32Array,
  { lengths, mask }: Rollout,
  rewards: readonly number[],
): { 'adv/reward_corr'?: number } {
  const width = mask.length / lengths.length
  const means = lengths.map((length, r) => {
    let sum = 0
    for (let t = 0; t < length; t++) sum += advantages[r * width + t]!
    return sum / Math.max(1, length)
  })
  const correlation = pearson(means, rewards)
  return correlation === null ? {} : { 'adv/reward_corr': correlation }
}

function headParameters({ parameters }: Model): TensorRecord {
  return { 'head.weight': parameters['head.weight']!, 'head.bias': parameters['head.bias']! }
}

function headOf(model: Model): Float32Array {
  return Float32Array.from(Object.values(headParameters(model)).flatMap((tensor) => [...toFloats(tensor.ref)]))
}

function distance(before: Float32Array, after: Float32Array): number {
  return Math.sqrt(before.reduce((sum, weight, i) => sum + (weight - after[i]!) ** 2, 0))
}

/** exp of the mean negative log-probability over real tokens. */
function perplexity(logProbs: Float32Array, mask: Float32Array): number {
  return Math.exp(-maskedMoments(logProbs, mask).mean)
}

/** Names a list of prompts. */
function promptsHash(prompts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(prompts)).digest('hex').slice(0, 16)
}

function average<Stats>(all: readonly Stats[], field: keyof Stats): number {
  return all.reduce((sum, stats) => sum + (stats[field] as number), 0) / all.length
}
