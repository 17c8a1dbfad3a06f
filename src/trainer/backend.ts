/**
 * The numerics under the trainer: jax-js on wasm, loaded when first needed. Only this file imports it.
 *
 * Arrays are reference-counted: passing one to a function gives it away, `.ref` keeps it. Functions below follow one rule,
 * so that nobody has to count: parameters (weights, optimizer state) are borrowed, data made for one call is given away.
 *
 * @module
 */
import { setFlagsFromString } from 'node:v8'
import type { numpy } from '@jax-js/jax'
import { errorMessage, TelltaleError } from '../errors.ts'

type Jax = typeof import('@jax-js/jax')

/** A multidimensional array of the back end. */
export type Tensor = numpy.Array

/** Named tensors: weights, gradients or optimizer state. A type, not an interface, as the back end's trees need. */
export type TensorRecord = { [name: string]: Tensor }

let loaded: Jax | null = null

/**
 * Loads and starts the back end; later calls do nothing.
 *
 * @throws TelltaleError `bad-option` for a device other than `wasm`, `missing-part` where it does not start.
 *
 * @example
 * ```ts
 * import { createModel, startBackend } from 'telltale/trainer'
 * await startBackend()
 * const model = createModel({ vocabSize: 8, contextLength: 6, width: 8, layers: 1, heads: 2, head: 'token' }, 1)
 * console.log(Object.keys(model.parameters).length) // 16
 * ```
 */
export async function startBackend(device = 'wasm'): Promise<void> {
  if (device !== 'wasm') {
    throw new TelltaleError(
      'bad-option',
      `device is ${JSON.stringify(device)}; expected 'wasm', the one that runs in Node`,
    )
  }
  if (loaded) return
  try {
    // Before the first kernel is compiled (docs/decisions/0003-wasm-tiering.md).
    setFlagsFromString('--no-wasm-dynamic-tiering')
    const jax = await import('@jax-js/jax')
    await jax.init('wasm')
    jax.defaultDevice('wasm')
    loaded = jax
  } catch (error) {
    throw new TelltaleError('missing-part', `The numerical back end does not start: ${errorMessage(error)}`, {
      cause: error,
    })
  }
}

/**
 * The started back end.
 *
 * @throws TelltaleError `bad-usage` before {@link startBackend}.
 */
export function backend(): Jax {
  if (!loaded) throw new TelltaleError('bad-usage', 'the numerical back end is not started; await startBackend() first')
  return loaded
}

/** A float32 tensor of the given shape. */
export function floats(data: Float32Array | readonly number[], shape: readonly number[]): Tensor {
  const { numpy: np } = backend()
  return np.array(data instanceof Float32Array ? data : Float32Array.from(data), { shape: [...shape] })
}

/** An int32 tensor of the given shape. */
export function integers(data: Int32Array, shape: readonly number[]): Tensor {
  const { numpy: np } = backend()
  return np.array(data, { shape: [...shape] })
}

/** The numbers of a float32 tensor, which is given away. */
export function toFloats(tensor: Tensor): Float32Array {
  return tensor.dataSync() as Float32Array
}

/** Another reference to each tensor, to give to a function that takes its arguments. */
export function share(tensors: TensorRecord): TensorRecord {
  return backend().tree.ref(tensors) as TensorRecord
}

/** Gives all tensors back. */
export function release(tensors: TensorRecord): void {
  backend().tree.dispose(tensors)
}
