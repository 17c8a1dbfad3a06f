/**
 * What a policy says of responses: log-probability and entropy of each token, for the parts that need them compiled.
 *
 * @module
 */
import { backend, release, type Tensor, type TensorRecord } from './backend.ts'
import type { ModelConfig } from './model.ts'
import { hiddenStates, type SequenceTensors, tokenLogits } from './transformer.ts'

/**
 * Log-softmax [batch, responseLength, vocabulary] of the tokens after the prompt, borrowed weights, taken sequence.
 *
 * @param promptLength tokens of the (left-padded) prompt; the response follows to the end of the sequence.
 * @param temperature divides the logits, as in sampling.
 */
export function responseLogSoftmax(
  p: TensorRecord,
  sequence: SequenceTensors,
  config: ModelConfig,
  promptLength: number,
  temperature: number,
): Tensor {
  const { nn } = backend()
  const length = sequence.tokens.shape[1]!
  const hidden = hiddenStates(p, sequence, config)
  // The token at t is predicted at t - 1.
  const [, predicting] = splitTime(hidden, promptLength - 1, length - promptLength)
  const logits = tokenLogits(p, predicting)
  return nn.logSoftmax(temperature === 1 ? logits : logits.div(temperature), -1)
}

/** Log-probability [batch, responseLength] of the tokens given as ids [batch, responseLength]; both are taken. */
export function gatherTokens(logSoftmax: Tensor, responses: Tensor, vocabSize: number): Tensor {
  const { numpy: np, nn } = backend()
  return np.sum(logSoftmax.mul(nn.oneHot(responses, vocabSize)), -1)
}

/** Entropy [batch, responseLength] in nats of log-probabilities [batch, responseLength, vocabulary], which are taken. */
export function entropyOf(logSoftmax: Tensor): Tensor {
  const { numpy: np } = backend()
  return np.sum(np.exp(logSoftmax.ref).mul(logSoftmax), -1).mul(-1)
}

/** Compiled scoring of responses by one configuration: borrows the weights, takes the data. */
export function compileScoring(config: ModelConfig, promptLength: number, temperature: number) {
  const { jit } = backend()
  const compiled = jit((p: TensorRecord, sequence: SequenceTensors, responses: Tensor) => {
    const logSoftmax = responseLogSoftmax(p, sequence, config, promptLength, temperature)
    release(p)
    return { logProbs: gatherTokens(logSoftmax.ref, responses, config.vocabSize), entropy: entropyOf(logSoftmax) }
  })
  return (p: TensorRecord, sequence: SequenceTensors, responses: Tensor): { logProbs: Tensor; entropy: Tensor } =>
    compiled(backend().tree.ref(p) as TensorRecord, sequence, responses) as { logProbs: Tensor; entropy: Tensor }
}

/** Splits [batch, time, ...] into what is before `from`, `count` steps from there, and the rest is dropped. */
export function splitTime(x: Tensor, from: number, count: number): [null, Tensor] {
  const { numpy: np } = backend()
  const length = x.shape[1]!
  const cuts = [from, from + count].filter((cut) => cut > 0 && cut < length)
  const parts = cuts.length === 0 ? [x] : np.split(x, cuts, 1)
  const index = from > 0 ? 1 : 0
  parts.forEach((part, i) => {
    if (i !== index) part.dispose()
  })
  return [null, parts[index]!]
}
