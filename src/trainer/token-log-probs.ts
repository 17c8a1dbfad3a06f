/**
 * What a policy says of responses: log-probability and entropy of each token, for the parts that need them compiled.
 *
 * @module
 */
import { backend, release, type Tensor, type TensorRecord } from './backend.ts'
import type { ModelConfig } from './model.ts'
import { hiddenStates, oneHot, type SequenceTensors, tokenLogits } from './transformer.ts'

/** Log-probability and entropy, in nats, of each token of responses: [batch, responseLength]. */
export type TokenStatistics = { logProbs: Tensor; entropy: Tensor }

/**
 * Statistics of the tokens after the prompt: borrowed weights, taken sequence and responses [batch, responseLength].
 *
 * @param promptLength tokens of the (left-padded) prompt; the response follows to the end of the sequence.
 * @param temperature divides the logits, as in sampling.
 */
export function tokenStatistics(
  p: TensorRecord,
  sequence: SequenceTensors,
  responses: Tensor,
  config: ModelConfig,
  promptLength: number,
  temperature: number,
): TokenStatistics {
  const { numpy: np, lax } = backend()
  // The token at t is predicted at t - 1.
  const predicting = { from: promptLength - 1, count: sequence.tokens.shape[1]! - promptLength }
  const raw = tokenLogits(p, hiddenStates(p, sequence, config, predicting))
  const logits = temperature === 1 ? raw : raw.div(temperature)
  const top = lax.stopGradient(np.max(logits.ref, -1, { keepdims: true }))
  const shifted = logits.sub(top)
  // Log-softmax only where it is needed: a logarithm a token, and not one for each word of the vocabulary.
  const weights = np.exp(shifted.ref)
  const total = np.sum(weights.ref, -1)
  const logTotal = np.log(total.ref)
  const chosen = np.sum(shifted.ref.mul(oneHot(responses, config.vocabSize)), -1)
  const entropy = logTotal.ref.sub(np.sum(weights.mul(shifted), -1).div(total))
  return { logProbs: chosen.sub(logTotal), entropy }
}

/** Compiled statistics of responses for one configuration: borrows the weights, takes the data. */
export function compileScoring(config: ModelConfig, promptLength: number, temperature: number) {
  const { jit } = backend()
  const compiled = jit((p: TensorRecord, sequence: SequenceTensors, responses: Tensor) => {
    const statistics = tokenStatistics(p, sequence, responses, config, promptLength, temperature)
    release(p)
    return statistics
  })
  return (p: TensorRecord, sequence: SequenceTensors, responses: Tensor): TokenStatistics =>
    compiled(backend().tree.ref(p) as TensorRecord, sequence, responses) as TokenStatistics
}
