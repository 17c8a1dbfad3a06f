/**
 * A reward model learned from preferences (Bradley and Terry 1952; Christiano et al. 2017).
 *
 * @module
 */
import { TelltaleError } from '../errors.ts'
import { yieldToEventLoop } from '../time.ts'
import { type AdamOptions, adamScalars, adamStep, newAdamState, type Trained } from './adam.ts'
import { backend, floats, release, share, type Tensor, type TensorRecord, toFloats } from './backend.ts'
import type { Model, ModelConfig } from './model.ts'
import { randomStream } from './random.ts'
import { learningRateSchedule } from './schedule.ts'
import { hiddenStates, type SequenceTensors, scalarHead, sequenceTensors } from './transformer.ts'

/** Two whole sequences (prompt and response as one row, padded) of which a judge prefers the first. */
export interface PreferencePair {
  /** The one that the judge prefers, right-padded. */
  readonly chosen: Int32Array
  /** The other, of the same length. */
  readonly rejected: Int32Array
}

/** A trained reward model: raw scores are shifted and scaled by what typical answers get. */
export interface RewardModel {
  /** A model with a scalar head; the raw score is read at the last real token. */
  readonly model: Model
  /** Id of the padding token. */
  readonly padId: number
  /** Mean and standard deviation of the raw score of typical answers; the reward is (raw - mean) / std. */
  mean: number
  /** Standard deviation of the raw score of typical answers. */
  std: number
}

/** Options of {@link trainRewardModel}. */
export interface RewardTrainingOptions extends AdamOptions {
  /** At least one; all rows of one length. */
  readonly pairs: readonly PreferencePair[]
  /** Id of the padding token. */
  readonly padId: number
  /** Passes over the pairs; 2 by default (more begins to learn the judge's noise by heart). */
  readonly epochs?: number
  /** Pairs a step; 16 by default. */
  readonly batchSize?: number
  /** Peak rate, falling linearly to 0; 1e-3 by default (chosen on the demo's model). */
  readonly learningRate?: number
  /** Seed of the order of the pairs; 0 by default. */
  readonly seed?: number
  /** Called after each step (counted from 1) with its loss in nats. */
  readonly onStep?: (step: number, steps: number, loss: number) => void
  /** Ends the training between two steps, with an error. */
  readonly signal?: AbortSignal
}

type PairBatch = { sequence: SequenceTensors; last: Tensor }

/**
 * Trains a model with a scalar head on preferences; the loss is -log sigmoid(chosen - rejected). The model's weights are
 * replaced.
 *
 * @returns the loss of each step in nats.
 * @throws TelltaleError `bad-option` for a model without a scalar head or without pairs, `interrupted` when the signal fires.
 *
 * @example
 * ```ts
 * import { createModel, startBackend, trainRewardModel } from 'telltale/trainer'
 * await startBackend()
 * const model = createModel({ vocabSize: 8, contextLength: 4, width: 8, layers: 1, heads: 2, head: 'scalar' }, 1)
 * const pairs = [{ chosen: Int32Array.of(3, 4, 4, 1), rejected: Int32Array.of(3, 5, 5, 1) }]
 * const losses = await trainRewardModel(model, { pairs, padId: 0, epochs: 20, batchSize: 1, learningRate: 1e-2 })
 * console.log(losses[0]?.toFixed(2), losses.at(-1)! < losses[0]!) // 0.69 true
 * ```
 */
export async function trainRewardModel(model: Model, options: RewardTrainingOptions): Promise<Float32Array> {
  const { pairs, padId, epochs = 2, batchSize = 16, learningRate = 1e-3, seed = 0 } = options
  if (model.config.head !== 'scalar')
    throw new TelltaleError('bad-option', 'a reward model needs a scalar head; use withScalarHead(model)')
  if (pairs.length === 0) throw new TelltaleError('bad-option', 'pairs is empty; a reward model needs preferences')
  const stepsPerEpoch = Math.ceil(pairs.length / batchSize)
  const steps = epochs * stepsPerEpoch
  const rate = learningRateSchedule({ learningRate, shape: 'linear', totalSteps: Math.max(1, steps) })
  const step = compileStep(model.config, options)
  const random = randomStream(seed, 'reward')
  const state = newAdamState(model.parameters)
  let trained: Trained = { parameters: model.parameters, mean: state.mean, square: state.square }
  const losses = new Float32Array(steps)
  try {
    for (let i = 0, order = random.permutation(pairs.length); i < steps; i++) {
      const within = i % stepsPerEpoch
      if (i > 0 && within === 0) order = random.permutation(pairs.length)
      // The last batch of an epoch is filled up from its beginning, so that every step has one shape.
      const batch = Array.from({ length: batchSize }, (_, j) => pairs[order[(within * batchSize + j) % pairs.length]!]!)
      const rows = [...batch.map(({ chosen }) => chosen), ...batch.map(({ rejected }) => rejected)]
      const next = step(
        trained,
        { sequence: sequenceTensors(rows, padId), last: lastTokens(rows, padId) },
        adamScalars(rate(i), i + 1, options),
      )
      trained = next.trained
      losses[i] = toFloats(next.loss)[0]!
      options.onStep?.(i + 1, steps, losses[i]!)
      await yieldToEventLoop()
      if (options.signal?.aborted)
        throw new TelltaleError('interrupted', 'training of the reward model was interrupted')
    }
  } finally {
    model.parameters = trained.parameters
    release(trained.mean)
    release(trained.square)
  }
  return losses
}

/** Scores whole sequences, any number of rows of one length. Compiled at the first call. */
export type Scorer = (parameters: TensorRecord, rows: readonly Int32Array[]) => Float32Array

/**
 * A scorer of whole sequences, `batchSize` rows at a time.
 *
 * @example
 * ```ts
 * import { createModel, createScorer, startBackend, withScalarHead } from 'telltale/trainer'
 * await startBackend()
 * const policy = createModel({ vocabSize: 8, contextLength: 4, width: 8, layers: 1, heads: 2, head: 'token' }, 1)
 * const { config, parameters } = withScalarHead(policy)
 * const score = createScorer(config, { batchSize: 2, padId: 0 })
 * console.log([...score(parameters, [Int32Array.of(3, 4, 1, 0)])]) // [ 0 ]
 * ```
 */
export function createScorer(
  config: ModelConfig,
  options: { readonly batchSize: number; readonly padId: number },
): Scorer {
  const { jit, tree } = backend()
  const { batchSize, padId } = options
  const compiled = jit((p: TensorRecord, batch: PairBatch) => {
    const scores = sequenceScores(p, batch, config)
    release(p)
    return scores
  })
  return (parameters, rows) => {
    const scores = new Float32Array(rows.length)
    for (let from = 0; from < rows.length; from += batchSize) {
      const part = rows.slice(from, from + batchSize)
      const filled = Array.from({ length: batchSize }, (_, i) => part[i] ?? part[0]!)
      const batch = { sequence: sequenceTensors(filled, padId), last: lastTokens(filled, padId) }
      const raw = toFloats(compiled(tree.ref(parameters) as TensorRecord, batch) as Tensor)
      scores.set(raw.subarray(0, part.length), from)
    }
    return scores
  }
}

/**
 * Share of pairs whose chosen sequence scores higher; ties count half.
 *
 * @example
 * ```ts
 * import { createModel, createScorer, preferenceAccuracy, startBackend, withScalarHead } from 'telltale/trainer'
 * await startBackend()
 * const model = withScalarHead(
 *   createModel({ vocabSize: 8, contextLength: 4, width: 8, layers: 1, heads: 2, head: 'token' }, 1),
 * )
 * const pairs = [{ chosen: Int32Array.of(3, 4, 4, 1), rejected: Int32Array.of(3, 5, 5, 1) }]
 * console.log(preferenceAccuracy(createScorer(model.config, { batchSize: 2, padId: 0 }), model, pairs)) // 0.5
 * ```
 */
export function preferenceAccuracy(scorer: Scorer, model: Model, pairs: readonly PreferencePair[]): number {
  const chosen = scorer(
    model.parameters,
    pairs.map((pair) => pair.chosen),
  )
  const rejected = scorer(
    model.parameters,
    pairs.map((pair) => pair.rejected),
  )
  let right = 0
  for (let i = 0; i < pairs.length; i++) right += chosen[i]! > rejected[i]! ? 1 : chosen[i] === rejected[i] ? 0.5 : 0
  return right / pairs.length
}

/** Bradley and Terry's loss for a batch whose first half is preferred to its second: weights and batch are taken. */
export function bradleyTerryLoss(p: TensorRecord, batch: PairBatch, config: ModelConfig): Tensor {
  const { numpy: np, nn } = backend()
  const scores = sequenceScores(p, batch, config)
  release(p)
  const [chosen, rejected] = np.split(scores, 2) as [Tensor, Tensor]
  return np.mean(nn.softplus(rejected.sub(chosen)))
}

/** The scalar head's number at the last real token of each row: weights are borrowed, the batch is taken. */
function sequenceScores(p: TensorRecord, batch: PairBatch, config: ModelConfig): Tensor {
  const rows = batch.last.shape[0]!
  return scalarHead(p, hiddenStates(p, batch.sequence, config, batch.last)).reshape([rows])
}

/** [rows, length] 1 at the last real token of each row. */
export function lastTokens(rows: readonly Int32Array[], padId: number): Tensor {
  const length = rows[0]!.length
  const last = new Float32Array(rows.length * length)
  rows.forEach((row, r) => {
    let at = length - 1
    while (at > 0 && row[at] === padId) at--
    last[r * length + at] = 1
  })
  return floats(last, [rows.length, length])
}

function compileStep(config: ModelConfig, options: AdamOptions) {
  const { jit, valueAndGrad } = backend()
  const compiled = jit((trained: Trained, batch: PairBatch, scalars: Tensor) => {
    const lossAndGradients = valueAndGrad((p: TensorRecord) => bradleyTerryLoss(p, batch, config))
    const [loss, gradients] = lossAndGradients(share(trained.parameters)) as [Tensor, TensorRecord]
    const { trained: next, norm } = adamStep(trained, gradients, scalars, options)
    norm.dispose()
    return { trained: next, loss }
  })
  return (trained: Trained, batch: PairBatch, scalars: Tensor) =>
    compiled(trained, batch, scalars) as { trained: Trained; loss: Tensor }
}
