/**
 * A rollout: prompts answered by the policy, and what every model says of the answers.
 *
 * @module
 */
import { backend, integers, type TensorRecord, toFloats } from './backend.ts'
import { createGenerator, type Generator, type SamplingOptions } from './generate.ts'
import type { ModelConfig } from './model.ts'
import { responseValues } from './ppo-update.ts'
import type { RandomStream } from './random.ts'
import { joined } from './supervised.ts'
import { compileScoring } from './token-log-probs.ts'
import { hiddenStates, type SequenceTensors, sequenceTensors } from './transformer.ts'

/** Fixed sizes that everything is compiled for. */
export interface RolloutSizes {
  readonly batchSize: number
  readonly promptLength: number
  readonly responseLength: number
  readonly padId: number
  readonly eosId: number
  readonly temperature: number
}

/** A batch of answers; the arrays are [batchSize x responseLength] row by row. */
export interface Rollout {
  /** Prompt and response as one row each. */
  readonly rows: readonly Int32Array[]
  readonly responses: readonly Int32Array[]
  /** Whether each response ended by itself. */
  readonly ended: readonly boolean[]
  /** 1 for the real tokens of a response, end of sequence included. */
  readonly mask: Float32Array
  /** Real tokens of each response. */
  readonly lengths: readonly number[]
}

/** The compiled parts of a rollout. */
export interface RolloutModels {
  generate(
    policy: TensorRecord,
    prompts: readonly Int32Array[],
    random: RandomStream,
    sampling: SamplingOptions,
  ): Rollout
  /** Log-probability and entropy of each token under a language model. */
  score(parameters: TensorRecord, rollout: Rollout): { readonly logProbs: Float32Array; readonly entropy: Float32Array }
  /** Value before each token under a value model. */
  values(parameters: TensorRecord, rollout: Rollout): Float32Array
  /** Mean hidden state over each response's tokens under a language model. */
  embed(parameters: TensorRecord, rollout: Rollout): Float32Array[]
}

/** Compiles what a rollout needs, for fixed sizes. */
export function createRolloutModels(config: ModelConfig, valueConfig: ModelConfig, sizes: RolloutSizes): RolloutModels {
  const { jit, tree } = backend()
  const { batchSize, promptLength, responseLength, padId } = sizes
  const generator: Generator = createGenerator(config, sizes)
  const scoring = compileScoring(config, promptLength, sizes.temperature)
  const valuing = jit((p: TensorRecord, sequence: SequenceTensors) => {
    const values = responseValues(p, sequence, valueConfig, promptLength)
    tree.dispose(p)
    return values
  })
  const embedding = jit((p: TensorRecord, sequence: SequenceTensors) => {
    const hidden = hiddenStates(p, sequence, config, { from: promptLength, count: responseLength })
    tree.dispose(p)
    return hidden
  })
  return {
    generate(policy, prompts, random, sampling) {
      const { responses, ended } = generator(policy, prompts, random, sampling)
      return rolloutOf(prompts, responses, ended, padId)
    },
    score(parameters, rollout) {
      const flat = integers(flatten(rollout.responses, responseLength), [batchSize, responseLength])
      const { logProbs, entropy } = scoring(parameters, sequenceTensors(rollout.rows, padId), flat)
      return { logProbs: toFloats(logProbs), entropy: toFloats(entropy) }
    },
    values: (parameters, rollout) =>
      toFloats(valuing(tree.ref(parameters) as TensorRecord, sequenceTensors(rollout.rows, padId)) as never),
    embed(parameters, rollout) {
      const states = toFloats(
        embedding(tree.ref(parameters) as TensorRecord, sequenceTensors(rollout.rows, padId)) as never,
      )
      const { width } = config
      return rollout.lengths.map((length, r) => {
        const pooled = new Float32Array(width)
        for (let t = 0; t < length; t++) {
          const at = (r * responseLength + t) * width
          for (let i = 0; i < width; i++) pooled[i]! += states[at + i]! / length
        }
        return pooled
      })
    },
  }
}

/** A rollout from prompts and answers that are there already. */
export function rolloutOf(
  prompts: readonly Int32Array[],
  responses: readonly Int32Array[],
  ended: readonly boolean[],
  padId: number,
): Rollout {
  const length = responses[0]!.length
  const mask = new Float32Array(responses.length * length)
  const lengths = responses.map((response, r) => {
    let real = 0
    while (real < length && response[real] !== padId) mask[r * length + real++] = 1
    return real
  })
  return { rows: responses.map((response, r) => joined(prompts[r]!, response)), responses, ended, mask, lengths }
}

/** Rows of equal length as one array. */
export function flatten(rows: readonly Int32Array[], length: number): Int32Array {
  const flat = new Int32Array(rows.length * length)
  rows.forEach((row, r) => {
    flat.set(row, r * length)
  })
  return flat
}
