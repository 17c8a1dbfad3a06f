/**
 * PPO's two losses and the compiled steps that follow their gradients (Schulman et al. 2017).
 *
 * @module
 */
import { type AdamOptions, adamStep, type Trained } from './adam.ts'
import { backend, release, share, type Tensor, type TensorRecord, toFloats } from './backend.ts'
import type { ModelConfig } from './model.ts'
import { tokenStatistics } from './token-log-probs.ts'
import { hiddenStates, type SequenceTensors, scalarHead } from './transformer.ts'

/** A minibatch for the policy; all [rows, responseLength] but the sequence. */
export type PolicyBatch = {
  sequence: SequenceTensors
  responses: Tensor
  /** 1 for the response's real tokens. */
  mask: Tensor
  /** Log-probabilities of the rollout. */
  oldLogProbs: Tensor
  /** Whitened advantages. */
  advantages: Tensor
}

/** A minibatch for the value model. */
export type ValueBatch = { sequence: SequenceTensors; mask: Tensor; oldValues: Tensor; returns: Tensor }

/** Settings of the losses. */
export interface PPOLossOptions {
  readonly promptLength: number
  readonly temperature: number
  readonly clipRange: number
  readonly valueClipRange: number
  readonly entropyCoefficient: number
}

/** What a policy step measured, over the real tokens of its minibatch, with the weights before the step. */
export interface PolicyStats {
  readonly loss: number
  readonly lossUnclipped: number
  readonly clipFraction: number
  /** KL(old || new) by the k3 estimator: mean of r - 1 - log r. */
  readonly approxKl: number
  readonly entropy: number
  readonly ratioMean: number
  readonly ratioMax: number
  readonly gradientNorm: number
}

const POLICY_STATS = [
  'loss',
  'lossUnclipped',
  'clipFraction',
  'approxKl',
  'entropy',
  'ratioMean',
  'ratioMax',
  'gradientNorm',
] as const

/** What a value step measured. */
export interface ValueStats {
  readonly loss: number
  readonly clipFraction: number
  readonly gradientNorm: number
}

const VALUE_STATS = ['loss', 'clipFraction', 'gradientNorm'] as const

/** Mean of `x` over the real tokens; both are taken. */
function maskedMean(x: Tensor, mask: Tensor): Tensor {
  const { numpy: np } = backend()
  return np.sum(x.mul(mask.ref)).div(np.sum(mask))
}

/** The clipped policy objective to be minimised, with what is measured beside it: weights and batch are taken. */
export function policyLoss(
  p: TensorRecord,
  batch: PolicyBatch,
  config: ModelConfig,
  options: PPOLossOptions,
): { objective: Tensor; stats: Tensor[] } {
  const { numpy: np, lax } = backend()
  const { clipRange, entropyCoefficient } = options
  const { promptLength, temperature } = options
  const tokens = tokenStatistics(p, batch.sequence, batch.responses, config, promptLength, temperature)
  release(p)
  const entropy = maskedMean(tokens.entropy, batch.mask.ref)
  // Padding has ratio 1 by construction, so that no huge number is made only to be masked away.
  const logRatio = tokens.logProbs.sub(batch.oldLogProbs).mul(batch.mask.ref)
  const ratio = np.exp(logRatio.ref)
  const unclipped = batch.advantages.ref.mul(ratio.ref).mul(-1)
  const clipped = batch.advantages.mul(np.clip(ratio.ref, 1 - clipRange, 1 + clipRange)).mul(-1)
  const loss = maskedMean(np.maximum(unclipped.ref, clipped.ref), batch.mask.ref)
  const objective = entropyCoefficient === 0 ? loss.ref : loss.ref.sub(entropy.ref.mul(entropyCoefficient))
  const still = (x: Tensor) => lax.stopGradient(x)
  const binds = still(clipped).sub(still(unclipped.ref))
  const stats = [
    still(loss),
    maskedMean(still(unclipped), batch.mask.ref),
    maskedMean(np.greater(binds, 0).astype(np.float32), batch.mask.ref),
    maskedMean(still(ratio.ref).sub(1).sub(still(logRatio)), batch.mask.ref),
    still(entropy),
    maskedMean(still(ratio.ref), batch.mask.ref),
    np.max(still(ratio).mul(batch.mask)),
  ]
  return { objective, stats }
}

/** The clipped value loss, half the mean squared error, with its clip fraction: weights and batch are taken. */
export function valueLoss(
  p: TensorRecord,
  batch: ValueBatch,
  config: ModelConfig,
  options: PPOLossOptions,
): { objective: Tensor; stats: Tensor[] } {
  const { numpy: np, lax } = backend()
  const values = responseValues(p, batch.sequence, config, options.promptLength)
  release(p)
  const { valueClipRange } = options
  const change = np.clip(values.ref.sub(batch.oldValues.ref), -valueClipRange, valueClipRange)
  const plain = np.square(values.sub(batch.returns.ref))
  const clipped = np.square(batch.oldValues.add(change).sub(batch.returns))
  const binds = lax.stopGradient(clipped.ref).sub(lax.stopGradient(plain.ref))
  const objective = maskedMean(np.maximum(plain, clipped), batch.mask.ref).mul(0.5)
  const stats = [lax.stopGradient(objective.ref), maskedMean(np.greater(binds, 0).astype(np.float32), batch.mask)]
  return { objective, stats }
}

/** Values [batch, responseLength] before each token of the response: weights are borrowed, the sequence is taken. */
export function responseValues(
  p: TensorRecord,
  sequence: SequenceTensors,
  config: ModelConfig,
  promptLength: number,
): Tensor {
  const before = { from: promptLength - 1, count: sequence.tokens.shape[1]! - promptLength }
  return scalarHead(p, hiddenStates(p, sequence, config, before))
}

type Loss<Batch> = (
  p: TensorRecord,
  batch: Batch,
  config: ModelConfig,
  options: PPOLossOptions,
) => { objective: Tensor; stats: Tensor[] }

function compileStep<Batch extends PolicyBatch | ValueBatch>(
  loss: Loss<Batch>,
  config: ModelConfig,
  options: PPOLossOptions,
  adam: AdamOptions,
) {
  const { jit, valueAndGrad, numpy: np } = backend()
  const compiled = jit((trained: Trained, batch: Batch, scalars: Tensor) => {
    const withAuxiliary = valueAndGrad(
      (p: TensorRecord) => {
        const { objective, stats } = loss(p, batch, config, options)
        return [objective, stats] as [Tensor, Tensor[]]
      },
      { hasAux: true },
    )
    const [[objective, stats], gradients] = withAuxiliary(share(trained.parameters)) as unknown as [
      [Tensor, Tensor[]],
      TensorRecord,
    ]
    objective.dispose()
    const { trained: next, norm } = adamStep(trained, gradients, scalars, adam)
    return { trained: next, stats: np.stack([...stats, norm]) }
  })
  return (trained: Trained, batch: Batch, scalars: Tensor) => {
    const { trained: next, stats } = compiled(trained, batch as never, scalars) as unknown as {
      trained: Trained
      stats: Tensor
    }
    return { trained: next, stats: toFloats(stats) }
  }
}

/** A compiled policy step; weights, moments, batch and scalars are taken, the next weights and moments given. */
export function compilePolicyStep(config: ModelConfig, options: PPOLossOptions, adam: AdamOptions) {
  const step = compileStep<PolicyBatch>(policyLoss, config, options, adam)
  return (trained: Trained, batch: PolicyBatch, scalars: Tensor): { trained: Trained; stats: PolicyStats } => {
    const { trained: next, stats } = step(trained, batch, scalars)
    return { trained: next, stats: named(POLICY_STATS, stats) }
  }
}

/** A compiled value step, as {@link compilePolicyStep}. */
export function compileValueStep(config: ModelConfig, options: PPOLossOptions, adam: AdamOptions) {
  const step = compileStep<ValueBatch>(valueLoss, config, options, adam)
  return (trained: Trained, batch: ValueBatch, scalars: Tensor): { trained: Trained; stats: ValueStats } => {
    const { trained: next, stats } = step(trained, batch, scalars)
    return { trained: next, stats: named(VALUE_STATS, stats) }
  }
}

function named<Name extends string>(names: readonly Name[], values: Float32Array): Record<Name, number> {
  return Object.fromEntries(names.map((name, i) => [name, values[i]!])) as Record<Name, number>
}
