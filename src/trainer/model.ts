/**
 * What a model is: a configuration and named weights.
 *
 * @module
 */
import { TelltaleError } from '../errors.ts'
import { floats, share, type TensorRecord, toFloats } from './backend.ts'
import { randomStream } from './random.ts'

/** Id of the padding token, in every tokenizer that these models work with. */
export const PAD_ID = 0

/** The shape of a small decoder-only transformer. */
export interface ModelConfig {
  /** Tokens of the vocabulary. */
  readonly vocabSize: number
  /** Longest sequence, prompt and response together, in tokens. */
  readonly contextLength: number
  /** Width of the residual stream; divisible by `heads`. */
  readonly width: number
  /** Transformer blocks. */
  readonly layers: number
  /** Attention heads of a layer. */
  readonly heads: number
  /** `token`: logits over the vocabulary through the tied embedding. `scalar`: one number a position (value and reward models). */
  readonly head: 'token' | 'scalar'
}

/** Weights on the back end and their configuration. Whoever holds one owns its tensors. */
export interface Model {
  /** Its shape. */
  readonly config: ModelConfig
  /** Its weights by name; training replaces the record. */
  parameters: TensorRecord
}

/** Weights as plain arrays, as files have them. */
export type WeightRecord = Readonly<Record<string, { readonly shape: readonly number[]; readonly data: Float32Array }>>

/** Name and shape of every weight of a configuration, in the order of their initialisation. */
export function weightShapes(config: ModelConfig): ReadonlyMap<string, readonly number[]> {
  const { vocabSize, contextLength, width, layers } = checked(config)
  const shapes = new Map<string, readonly number[]>([
    ['wte.weight', [vocabSize, width]],
    ['wpe.weight', [contextLength, width]],
  ])
  for (let layer = 0; layer < layers; layer++) {
    const at = `h.${layer}.`
    shapes.set(`${at}ln_1.weight`, [width])
    shapes.set(`${at}ln_1.bias`, [width])
    shapes.set(`${at}attn.qkv.weight`, [width, 3 * width])
    shapes.set(`${at}attn.qkv.bias`, [3 * width])
    shapes.set(`${at}attn.proj.weight`, [width, width])
    shapes.set(`${at}attn.proj.bias`, [width])
    shapes.set(`${at}ln_2.weight`, [width])
    shapes.set(`${at}ln_2.bias`, [width])
    shapes.set(`${at}mlp.fc.weight`, [width, 4 * width])
    shapes.set(`${at}mlp.fc.bias`, [4 * width])
    shapes.set(`${at}mlp.proj.weight`, [4 * width, width])
    shapes.set(`${at}mlp.proj.bias`, [width])
  }
  shapes.set('ln_f.weight', [width])
  shapes.set('ln_f.bias', [width])
  if (config.head === 'scalar') {
    shapes.set('head.weight', [width, 1])
    shapes.set('head.bias', [1])
  }
  return shapes
}

/**
 * A model with fresh weights: normal with standard deviation 0.02, projections into the residual stream scaled down by
 * sqrt(2 layers), biases 0, norms 1 (GPT-2, Radford et al. 2019).
 *
 * @throws TelltaleError `bad-option` for a configuration that makes no model.
 *
 * @example
 * ```ts
 * import { createModel, startBackend, weightsOf } from 'telltale/trainer'
 * await startBackend()
 * const config = { vocabSize: 8, contextLength: 6, width: 8, layers: 1, heads: 2, head: 'token' } as const
 * console.log(weightsOf(createModel(config, 1))['wte.weight']?.shape) // [ 8, 8 ]
 * ```
 */
export function createModel(config: ModelConfig, seed: number): Model {
  const random = randomStream(seed, 'model')
  const weights: Record<string, { shape: readonly number[]; data: Float32Array }> = {}
  for (const [name, shape] of weightShapes(config)) {
    const data = new Float32Array(shape.reduce((a, b) => a * b))
    if (/ln_\w\.weight$/.test(name)) data.fill(1)
    else if (name.endsWith('weight')) {
      const scale = name.endsWith('proj.weight') ? 0.02 / Math.sqrt(2 * config.layers) : 0.02
      for (let i = 0; i < data.length; i++) data[i] = scale * random.normal()
    }
    weights[name] = { shape, data }
  }
  return modelFrom(config, weights)
}

/**
 * A model from plain weights.
 *
 * @throws TelltaleError `bad-format` where a weight is missing or has another shape.
 *
 * @example
 * ```ts
 * import { createModel, modelFrom, startBackend, weightsOf } from 'telltale/trainer'
 * await startBackend()
 * const first = createModel({ vocabSize: 8, contextLength: 6, width: 8, layers: 1, heads: 2, head: 'token' }, 1)
 * const second = modelFrom(first.config, weightsOf(first))
 * console.log(second.parameters['wpe.weight']?.shape) // [ 6, 8 ]
 * ```
 */
export function modelFrom(config: ModelConfig, weights: WeightRecord): Model {
  const parameters: TensorRecord = {}
  for (const [name, shape] of weightShapes(config)) {
    const weight = Object.hasOwn(weights, name) ? weights[name] : undefined
    if (!weight || weight.shape.join() !== shape.join()) {
      const came = weight ? `shape [${weight.shape.join(', ')}]` : 'nothing'
      throw new TelltaleError('bad-format', `weight ${name}: expected shape [${shape.join(', ')}], got ${came}`)
    }
    parameters[name] = floats(weight.data, shape)
  }
  return { config, parameters }
}

/**
 * The weights of a model as plain arrays; the model keeps its own.
 *
 * @example
 * ```ts
 * import { createModel, startBackend, weightsOf } from 'telltale/trainer'
 * await startBackend()
 * const config = { vocabSize: 8, contextLength: 6, width: 8, layers: 1, heads: 2, head: 'token' } as const
 * const weights = weightsOf(createModel(config, 1))
 * console.log(weights['ln_f.weight']?.data[0]) // 1
 * ```
 */
export function weightsOf(model: Model): WeightRecord {
  const weights: Record<string, { shape: readonly number[]; data: Float32Array }> = {}
  for (const [name, shape] of weightShapes(model.config)) {
    weights[name] = { shape, data: toFloats(model.parameters[name]!.ref) }
  }
  return weights
}

/**
 * A second model with the same weights, for a frozen reference. Tensors are immutable, so nothing is copied.
 *
 * @example
 * ```ts
 * import { cloneModel, createModel, startBackend, weightsOf } from 'telltale/trainer'
 * await startBackend()
 * const policy = createModel({ vocabSize: 8, contextLength: 6, width: 8, layers: 1, heads: 2, head: 'token' }, 1)
 * const reference = cloneModel(policy)
 * console.log(weightsOf(reference)['wte.weight']?.data[0] === weightsOf(policy)['wte.weight']?.data[0]) // true
 * ```
 */
export function cloneModel(model: Model): Model {
  return { config: model.config, parameters: share(model.parameters) }
}

/**
 * A model with a scalar head on the trunk of a language model: how value and reward models begin. The head starts at
 * zero, so that it predicts 0 everywhere until it has learned something.
 *
 * @example
 * ```ts
 * import { createModel, startBackend, withScalarHead } from 'telltale/trainer'
 * await startBackend()
 * const policy = createModel({ vocabSize: 8, contextLength: 6, width: 8, layers: 1, heads: 2, head: 'token' }, 1)
 * const value = withScalarHead(policy)
 * console.log(value.config.head, value.parameters['head.weight']?.shape) // scalar [ 8, 1 ]
 * ```
 */
export function withScalarHead(model: Model): Model {
  const { width } = model.config
  const parameters = share(model.parameters)
  parameters['head.weight'] = floats(new Float32Array(width), [width, 1])
  parameters['head.bias'] = floats(new Float32Array(1), [1])
  return { config: { ...model.config, head: 'scalar' }, parameters }
}

/**
 * How many numbers a model learns.
 *
 * @example
 * ```ts
 * import { parameterCount } from 'telltale/trainer'
 * const config = { vocabSize: 8, contextLength: 6, width: 8, layers: 1, heads: 2, head: 'token' } as const
 * console.log(parameterCount(config)) // 1000
 * ```
 */
export function parameterCount(config: ModelConfig): number {
  let count = 0
  for (const shape of weightShapes(config).values()) count += shape.reduce((a, b) => a * b)
  return count
}

function checked(config: ModelConfig): ModelConfig {
  for (const field of ['vocabSize', 'contextLength', 'width', 'layers', 'heads'] as const) {
    const value = config[field]
    if (!Number.isSafeInteger(value) || value < 1 || value > 1_000_000) {
      throw new TelltaleError('bad-option', `${field} is ${String(value)}; expected an integer from 1 to 1,000,000`)
    }
  }
  if (config.width % config.heads !== 0) {
    throw new TelltaleError('bad-option', `width ${config.width} is not divisible by ${config.heads} heads`)
  }
  if (config.head !== 'token' && config.head !== 'scalar') {
    throw new TelltaleError('bad-option', `head is ${JSON.stringify(config.head)}; expected 'token' or 'scalar'`)
  }
  return config
}
