/**
 * Supervised fine-tuning: the model learns to answer as the examples do.
 *
 * @module
 */
import { TelltaleError } from '../errors.ts'
import { yieldToEventLoop } from '../time.ts'
import { type AdamOptions, adamScalars, adamStep, newAdamState, type Trained } from './adam.ts'
import { backend, floats, integers, release, share, type Tensor, type TensorRecord, toFloats } from './backend.ts'
import type { Model, ModelConfig } from './model.ts'
import { randomStream } from './random.ts'
import { learningRateSchedule, type ScheduleOptions } from './schedule.ts'
import { tokenStatistics } from './token-log-probs.ts'
import { type SequenceTensors, sequenceTensors } from './transformer.ts'

/** A prompt and the answer to learn, as token ids of fixed lengths. */
export interface SupervisedExample {
  /** Left-padded to the prompt length. */
  readonly prompt: Int32Array
  /** Right-padded to the response length; ends with the end-of-sequence token where it is complete. */
  readonly response: Int32Array
}

/** Options of {@link trainSupervised}. */
export interface SupervisedOptions extends AdamOptions {
  /** At least one; prompts of one length, responses of one length. */
  readonly examples: readonly SupervisedExample[]
  /** Id of the padding token. */
  readonly padId: number
  /** Steps of the optimiser, at least 1. */
  readonly steps: number
  /** Examples a step; 32 by default. */
  readonly batchSize?: number
  /** 4e-3 along a cosine to a tenth, 20 warm-up steps, by default (chosen on the demo's model). */
  readonly schedule?: Omit<ScheduleOptions, 'totalSteps'>
  /** Seed of the order of the examples; 0 by default. */
  readonly seed?: number
  /** Called after each step (counted from 1) with its loss in nats per token. */
  readonly onStep?: (step: number, loss: number) => void
  /** Ends the training between two steps, with an error. */
  readonly signal?: AbortSignal
}

/**
 * Trains a language model on examples; the loss is the mean negative log-probability of the answers' tokens.
 *
 * @returns the loss of each step, in nats per token. The model's weights are replaced.
 * @throws TelltaleError `bad-option` without examples, `interrupted` when the signal fires.
 *
 * @example
 * ```ts
 * import { createModel, startBackend, trainSupervised } from 'telltale/trainer'
 * await startBackend()
 * const model = createModel({ vocabSize: 8, contextLength: 4, width: 8, layers: 1, heads: 2, head: 'token' }, 1)
 * const examples = [{ prompt: Int32Array.of(0, 3), response: Int32Array.of(4, 1) }]
 * const losses = await trainSupervised(model, { examples, padId: 0, steps: 50, batchSize: 4 })
 * console.log(losses.at(-1)! < losses[0]! / 2) // true
 * ```
 */
export async function trainSupervised(model: Model, options: SupervisedOptions): Promise<Float32Array> {
  const { examples, steps, batchSize = 32, padId, seed = 0 } = options
  const first = examples[0]
  if (!first) throw new TelltaleError('bad-option', 'examples is empty; supervised training needs at least one')
  const rate = learningRateSchedule({
    ...(options.schedule ?? {
      learningRate: 4e-3,
      shape: 'cosine',
      warmupSteps: Math.min(20, steps - 1),
      finalFraction: 0.1,
    }),
    totalSteps: steps,
  })
  const step = compileSupervisedStep(model.config, first.prompt.length, options)
  const random = randomStream(seed, 'supervised')
  const state = newAdamState(model.parameters)
  let trained: Trained = { parameters: model.parameters, mean: state.mean, square: state.square }
  const losses = new Float32Array(steps)
  try {
    for (let i = 0; i < steps; i++) {
      const batch = Array.from({ length: batchSize }, () => examples[random.integer(examples.length)]!)
      const next = step(trained, supervisedBatch(batch, padId), adamScalars(rate(i), i + 1, options))
      trained = next.trained
      losses[i] = toFloats(next.loss)[0]!
      options.onStep?.(i + 1, losses[i]!)
      await yieldToEventLoop()
      if (options.signal?.aborted) throw new TelltaleError('interrupted', 'supervised training was interrupted')
    }
  } finally {
    model.parameters = trained.parameters
    release(trained.mean)
    release(trained.square)
  }
  return losses
}

/** A batch as tensors. */
export type SupervisedBatch = { sequence: SequenceTensors; responses: Tensor; weights: Tensor }

/** Tensors of a batch of examples; `weights` is 1 for the answers' tokens. */
export function supervisedBatch(batch: readonly SupervisedExample[], padId: number): SupervisedBatch {
  const responseLength = batch[0]!.response.length
  const responses = new Int32Array(batch.length * responseLength)
  const weights = new Float32Array(batch.length * responseLength)
  batch.forEach(({ response }, r) => {
    responses.set(response, r * responseLength)
    for (let t = 0; t < responseLength; t++) weights[r * responseLength + t] = response[t] === padId ? 0 : 1
  })
  const shape = [batch.length, responseLength]
  return {
    sequence: sequenceTensors(
      batch.map(({ prompt, response }) => joined(prompt, response)),
      padId,
    ),
    responses: integers(responses, shape),
    weights: floats(weights, shape),
  }
}

/** Mean negative log-probability of the answers' tokens: weights and batch are taken. */
export function supervisedLoss(
  p: TensorRecord,
  batch: SupervisedBatch,
  config: ModelConfig,
  promptLength: number,
): Tensor {
  const { numpy: np } = backend()
  const { logProbs, entropy } = tokenStatistics(p, batch.sequence, batch.responses, config, promptLength, 1)
  entropy.dispose()
  release(p)
  const count = np.sum(batch.weights.ref)
  return np.sum(logProbs.mul(batch.weights)).div(count).mul(-1)
}

function compileSupervisedStep(config: ModelConfig, promptLength: number, options: AdamOptions) {
  const { jit, valueAndGrad } = backend()
  const compiled = jit((trained: Trained, batch: SupervisedBatch, scalars: Tensor) => {
    const lossAndGradients = valueAndGrad((p: TensorRecord) => supervisedLoss(p, batch, config, promptLength))
    const [loss, gradients] = lossAndGradients(share(trained.parameters)) as [Tensor, TensorRecord]
    const { trained: next, norm } = adamStep(trained, gradients, scalars, options)
    norm.dispose()
    return { trained: next, loss }
  })
  return (trained: Trained, batch: SupervisedBatch, scalars: Tensor) =>
    compiled(trained, batch, scalars) as { trained: Trained; loss: Tensor }
}

/** Prompt and response as one row. */
export function joined(prompt: Int32Array, response: Int32Array): Int32Array {
  const row = new Int32Array(prompt.length + response.length)
  row.set(prompt)
  row.set(response, prompt.length)
  return row
}
