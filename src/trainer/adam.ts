/**
 * Adam (Kingma and Ba 2015) with gradients clipped by their global norm, as one function to be compiled into a training step.
 *
 * @module
 */
import { backend, floats, share, type Tensor, type TensorRecord } from './backend.ts'

/** Settings of Adam. */
export interface AdamOptions {
  /** Decay of the mean of gradients; 0.9 (Kingma and Ba). */
  readonly beta1?: number
  /** Decay of the mean of squared gradients; 0.999 (Kingma and Ba). */
  readonly beta2?: number
  /** 1e-5, as PPO implementations have it (OpenAI baselines; Huang et al. 2022, detail 3). */
  readonly epsilon?: number
  /** Global norm above which gradients are scaled down; 1 (Ziegler et al. 2019; TRL). 0 means no clipping. */
  readonly maxGradientNorm?: number
}

/** Defaults of {@link AdamOptions}. */
export const ADAM_DEFAULTS = { beta1: 0.9, beta2: 0.999, epsilon: 1e-5, maxGradientNorm: 1 } as const

/** Moments of every weight and the number of steps taken. */
export interface AdamState {
  mean: TensorRecord
  square: TensorRecord
  steps: number
}

/** Adam's state before the first step. */
export function newAdamState(parameters: TensorRecord): AdamState {
  const { numpy: np } = backend()
  const zeros = () =>
    Object.fromEntries(Object.entries(parameters).map(([name, tensor]) => [name, np.zeros(tensor.shape)]))
  return { mean: zeros(), square: zeros(), steps: 0 }
}

/** What one step depends on beside the gradients: [learning rate, 1 - beta1^t, 1 - beta2^t]. */
export function adamScalars(learningRate: number, step: number, options: AdamOptions): Tensor {
  const { beta1, beta2 } = { ...ADAM_DEFAULTS, ...options }
  return floats([learningRate, 1 - beta1 ** step, 1 - beta2 ** step], [3])
}

/** Trees that go through a compiled step together. */
export type Trained = { parameters: TensorRecord; mean: TensorRecord; square: TensorRecord }

/**
 * One step. All arguments are taken; to be called inside a compiled function.
 *
 * @returns the new weights and moments, and the gradients' global norm before clipping.
 */
export function adamStep(
  trained: Trained,
  gradients: TensorRecord,
  scalars: Tensor,
  options: AdamOptions,
): { trained: Trained; norm: Tensor } {
  const { numpy: np } = backend()
  const { beta1, beta2, epsilon, maxGradientNorm } = { ...ADAM_DEFAULTS, ...options }
  const norm = globalNorm(gradients)
  const scale =
    maxGradientNorm > 0 ? np.minimum(np.reciprocal(norm.ref.add(1e-6)).mul(maxGradientNorm), 1) : np.ones([])
  const [rate, correction1, correction2] = np.split(scalars, 3).map((scalar) => scalar.reshape([])) as [
    Tensor,
    Tensor,
    Tensor,
  ]
  const next: Trained = { parameters: {}, mean: {}, square: {} }
  for (const name of Object.keys(trained.parameters)) {
    const gradient = gradients[name]!.mul(scale.ref)
    const mean = trained.mean[name]!.mul(beta1).add(gradient.ref.mul(1 - beta1))
    const square = trained.square[name]!.mul(beta2).add(np.square(gradient).mul(1 - beta2))
    const denominator = np.sqrt(square.ref.div(correction2.ref)).add(epsilon)
    const update = mean.ref.div(correction1.ref).mul(rate.ref).div(denominator)
    next.parameters[name] = trained.parameters[name]!.sub(update)
    next.mean[name] = mean
    next.square[name] = square
  }
  for (const scalar of [scale, rate, correction1, correction2]) scalar.dispose()
  return { trained: next, norm }
}

/** The global L2 norm of gradients, which are kept. */
export function globalNorm(gradients: TensorRecord): Tensor {
  const { numpy: np } = backend()
  let sum: Tensor | null = null
  for (const gradient of Object.values(gradients)) {
    const squares = np.sum(np.square(gradient.ref))
    sum = sum === null ? squares : sum.add(squares)
  }
  return np.sqrt(sum ?? np.zeros([]))
}

/** A model's weights with Adam's moments, given to a compiled step that returns the next ones. */
export function lend(parameters: TensorRecord, state: AdamState): Trained {
  return { parameters: share(parameters), mean: share(state.mean), square: share(state.square) }
}
