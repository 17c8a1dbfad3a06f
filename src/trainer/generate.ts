/**
 * Generation with a compiled key-value cache: the prompt goes through the model once, then one token a row at a time.
 *
 * @module
 */
import { TelltaleError } from '../errors.ts'
import { backend, floats, integers, release, type Tensor, type TensorRecord, toFloats } from './backend.ts'
import type { ModelConfig } from './model.ts'
import type { RandomStream } from './random.ts'
import {
  attend,
  embed,
  layerNorm,
  linear,
  mlp,
  queriesKeysValues,
  sequenceTensors,
  tokenLogits,
} from './transformer.ts'

/** How tokens are drawn. */
export interface SamplingOptions {
  /** Divides the logits; 1 by default. 0 takes the most likely token. */
  readonly temperature?: number
  /** Only the k most likely tokens; 0 (default) means all. */
  readonly topK?: number
  /** Only the most likely tokens that together have this probability; 1 (default) means all. */
  readonly topP?: number
}

/** Drawn responses. */
export interface Generated {
  /** A row a prompt, padded on the right after the end of sequence. */
  readonly responses: readonly Int32Array[]
  /** Whether each ended with the end-of-sequence token, and was not cut. */
  readonly ended: readonly boolean[]
}

/** Generates for prompts of one fixed batch size and length. Compiled at the first call. */
export type Generator = (
  parameters: TensorRecord,
  prompts: readonly Int32Array[],
  random: RandomStream,
  sampling?: SamplingOptions,
) => Generated

type Cache = { keys: Tensor[]; values: Tensor[] }

/**
 * A generator for a configuration.
 *
 * Draws are made outside the compiled part from a seeded stream, one number a row and token, so that equal seeds give equal
 * answers. With a temperature other than 1, top-k or top-p, the tokens come from another distribution than the model's own;
 * the trainer scores them with the same temperature, but truncation it cannot undo: its KL estimates are then biased.
 *
 * @example
 * ```ts
 * import { createGenerator, createModel, randomStream, startBackend } from 'telltale/trainer'
 * await startBackend()
 * const model = createModel({ vocabSize: 8, contextLength: 6, width: 8, layers: 1, heads: 2, head: 'token' }, 1)
 * const generate = createGenerator(model.config, { batchSize: 2, promptLength: 2, responseLength: 4, padId: 0, eosId: 1 })
 * const { responses } = generate(model.parameters, [Int32Array.of(3, 4), Int32Array.of(0, 5)], randomStream(1))
 * console.log(responses.map(({ length }) => length)) // [ 4, 4 ]
 * ```
 */
export function createGenerator(
  config: ModelConfig,
  options: {
    readonly batchSize: number
    readonly promptLength: number
    readonly responseLength: number
    readonly padId: number
    readonly eosId: number
  },
): Generator {
  const { batchSize, promptLength, responseLength, padId, eosId } = options
  if (promptLength + responseLength > config.contextLength) {
    throw new TelltaleError(
      'bad-option',
      `prompt (${promptLength}) and response (${responseLength}) are longer than the model's context of ${config.contextLength} tokens`,
    )
  }
  const { prefill, next } = compile(config, batchSize, promptLength, responseLength)
  return (parameters, prompts, random, sampling = {}) => {
    if (prompts.length !== batchSize)
      throw new TelltaleError('bad-usage', `${prompts.length} prompts for a generator of ${batchSize}`)
    const responses = prompts.map(() => new Int32Array(responseLength).fill(padId))
    const ended = prompts.map(() => false)
    const { tree } = backend()
    const real = Int32Array.from(prompts, (row) => row.reduce((n, id) => n + (id === padId ? 0 : 1), 0))
    // Which of all slots hold something a token may look at.
    const visible = new Float32Array(batchSize * (promptLength + responseLength))
    prompts.forEach((row, r) => {
      for (let t = 0; t < promptLength; t++) visible[r * (promptLength + responseLength) + t] = row[t] === padId ? 0 : 1
    })
    let { logits, cache } = prefill(tree.ref(parameters) as TensorRecord, sequenceTensors(prompts, padId))
    for (let t = 0; t < responseLength; t++) {
      const drawn = new Int32Array(batchSize)
      const rows = toFloats(logits)
      for (let r = 0; r < batchSize; r++) {
        const u = random.uniform()
        if (ended[r]) continue
        const token = drawToken(rows.subarray(r * config.vocabSize, (r + 1) * config.vocabSize), u, sampling)
        responses[r]![t] = token
        drawn[r] = token
        ended[r] = token === eosId
      }
      if (t === responseLength - 1 || ended.every(Boolean)) break
      const slot = promptLength + t
      for (let r = 0; r < batchSize; r++) visible[r * (promptLength + responseLength) + slot] = 1
      const positions = Int32Array.from(real, (count) => count + t)
      const at = new Float32Array(promptLength + responseLength)
      at[slot] = 1
      const step = next(tree.ref(parameters) as TensorRecord, cache, {
        tokens: integers(drawn, [batchSize, 1]),
        positions: integers(positions, [batchSize, 1]),
        visible: floats(visible.slice(), [batchSize, 1, promptLength + responseLength]),
        slot: floats(at, [1, promptLength + responseLength, 1, 1]),
      })
      logits = step.logits
      cache = step.cache
    }
    tree.dispose(cache)
    return { responses, ended }
  }
}

type StepInput = { tokens: Tensor; positions: Tensor; visible: Tensor; slot: Tensor }
type StepOutput = { logits: Tensor; cache: Cache }

function compile(config: ModelConfig, batchSize: number, promptLength: number, responseLength: number) {
  const { jit, numpy: np } = backend()
  const size = config.width / config.heads
  const last = (x: Tensor): Tensor => {
    const length = x.shape[1]!
    if (length === 1) return x
    const [before, end] = np.split(x, [length - 1], 1) as [Tensor, Tensor]
    before.dispose()
    return end
  }
  const prefill = jit((p: TensorRecord, sequence: { tokens: Tensor; positions: Tensor; mask: Tensor }) => {
    const causal = np.tril(np.ones([promptLength, promptLength])).reshape([1, promptLength, promptLength])
    let bias = causal
      .mul(sequence.mask.reshape([batchSize, 1, promptLength]))
      .sub(1)
      .mul(1e9)
    const keys: Tensor[] = []
    const values: Tensor[] = []
    const room = () => np.zeros([batchSize, responseLength, config.heads, size])
    let x = embed(p, sequence.tokens, sequence.positions)
    for (let layer = 0; layer < config.layers; layer++) {
      const at = `h.${layer}.`
      const context = layerNorm(p, `${at}ln_1`, x.ref)
      const final = layer === config.layers - 1
      const asking = final ? last(context.ref) : context.ref
      if (final) {
        x = last(x)
        bias = last(bias)
      }
      const [q, k, v] = queriesKeysValues(p, at, asking, context, config)
      keys.push(np.concatenate([k.ref, room()], 1))
      values.push(np.concatenate([v.ref, room()], 1))
      x = x.add(linear(p, `${at}attn.proj`, attend(q, k, v, bias.ref, config)))
      x = x.ref.add(mlp(p, at, layerNorm(p, `${at}ln_2`, x)))
    }
    bias.dispose()
    const logits = tokenLogits(p, layerNorm(p, 'ln_f', x))
    release(p)
    return { logits, cache: { keys, values } }
  })
  const next = jit((p: TensorRecord, cache: Cache, input: StepInput) => {
    const bias = input.visible.sub(1).mul(1e9)
    const { slot } = input
    const other = slot.ref.mul(-1).add(1)
    const keys: Tensor[] = []
    const values: Tensor[] = []
    let x = embed(p, input.tokens, input.positions)
    for (let layer = 0; layer < config.layers; layer++) {
      const at = `h.${layer}.`
      const context = layerNorm(p, `${at}ln_1`, x.ref)
      const [q, k, v] = queriesKeysValues(p, at, context.ref, context, config)
      const allKeys = cache.keys[layer]!.mul(other.ref).add(k.mul(slot.ref))
      const allValues = cache.values[layer]!.mul(other.ref).add(v.mul(slot.ref))
      keys.push(allKeys.ref)
      values.push(allValues.ref)
      x = x.add(linear(p, `${at}attn.proj`, attend(q, allKeys, allValues, bias.ref, config)))
      x = x.ref.add(mlp(p, at, layerNorm(p, `${at}ln_2`, x)))
    }
    for (const tensor of [bias, slot, other]) tensor.dispose()
    const logits = tokenLogits(p, layerNorm(p, 'ln_f', x))
    release(p)
    return { logits, cache: { keys, values } }
  })
  return {
    prefill: prefill as unknown as (
      p: TensorRecord,
      sequence: { tokens: Tensor; positions: Tensor; mask: Tensor },
    ) => StepOutput,
    next: next as unknown as (p: TensorRecord, cache: Cache, input: StepInput) => StepOutput,
  }
}

/**
 * Draws a token from logits.
 *
 * @param u uniform in [0, 1).
 */
export function drawToken(logits: Float32Array, u: number, sampling: SamplingOptions = {}): number {
  const { temperature = 1, topK = 0, topP = 1 } = sampling
  let best = 0
  for (let i = 1; i < logits.length; i++) if (logits[i]! > logits[best]!) best = i
  if (temperature === 0) return best
  const weights = new Float64Array(logits.length)
  for (let i = 0; i < logits.length; i++) weights[i] = Math.exp((logits[i]! - logits[best]!) / temperature)
  if (topK > 0 || topP < 1) truncate(weights, topK, topP)
  let total = 0
  for (const weight of weights) total += weight
  let left = u * total
  for (let i = 0; i < weights.length; i++) {
    left -= weights[i]!
    if (left < 0 && weights[i]! > 0) return i
  }
  return best
}

/** Sets to 0 what is not among the k most likely, or beyond the probability p. */
function truncate(weights: Float64Array, topK: number, topP: number): void {
  const order = Array.from(weights.keys()).sort((a, b) => weights[b]! - weights[a]!)
  let total = 0
  for (const weight of weights) total += weight
  let seen = 0
  order.forEach((index, rank) => {
    const beyond = (topK > 0 && rank >= topK) || seen >= topP * total
    seen += weights[index]!
    if (beyond) weights[index] = 0
  })
}
