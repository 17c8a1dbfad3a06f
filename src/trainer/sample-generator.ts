/**
 * What the trainer offers the monitor: answers of the current policy, and what the frozen reference thinks of texts. It
 * draws from streams of its own and never touches the training's.
 *
 * @module
 */
import type { SampleGenerator } from '../callbacks.ts'
import type { SamplingOptions } from './generate.ts'
import type { Model } from './model.ts'
import { randomStream } from './random.ts'
import { type Rollout, type RolloutModels, rolloutOf } from './rollout.ts'
import type { Tokenizer } from './tokenizer.ts'

/** What {@link sampleGenerator} is made of. */
export interface SampleGeneratorParts {
  readonly rollouts: RolloutModels
  readonly policy: Model
  readonly reference: Model
  readonly tokenizer: Tokenizer
  readonly batchSize: number
  readonly promptLength: number
  readonly responseLength: number
  readonly sampling: SamplingOptions
  readonly isClear: ((prompts: readonly string[], responses: readonly string[]) => readonly boolean[]) | undefined
}

/** A generator over compiled parts of one batch size: requests of any size are cut and filled up. */
export function sampleGenerator(parts: SampleGeneratorParts): SampleGenerator {
  const { rollouts, policy, reference, tokenizer, batchSize, promptLength, responseLength } = parts
  const promptRow = (text: string) => fitted(tokenizer.encode(text), promptLength, tokenizer.padId, 'right')
  const inBatches = <Item, Result>(
    items: readonly Item[],
    each: (batch: readonly Item[]) => readonly Result[],
  ): Result[] => {
    const results: Result[] = []
    for (let from = 0; from < items.length; from += batchSize) {
      const part = items.slice(from, from + batchSize)
      const filled = Array.from({ length: batchSize }, (_, i) => part[i] ?? part[0]!)
      results.push(...each(filled).slice(0, part.length))
    }
    return results
  }
  const asRollout = (pairs: readonly (readonly [string, string])[]): Rollout => {
    const responses = pairs.map(([, response]) => {
      const ids = tokenizer.encode(response)
      const withEnd = ids.length < responseLength ? Int32Array.from([...ids, tokenizer.eosId]) : ids
      return fitted(withEnd, responseLength, tokenizer.padId, 'left')
    })
    return rolloutOf(
      pairs.map(([prompt]) => promptRow(prompt)),
      responses,
      pairs.map(() => true),
      tokenizer.padId,
    )
  }
  const generator: SampleGenerator = {
    generate(prompts, { seed }) {
      const random = randomStream(seed, 'monitor')
      return inBatches(prompts, (batch) =>
        rollouts
          .generate(policy.parameters, batch.map(promptRow), random, parts.sampling)
          .responses.map((ids) => tokenizer.decode(ids)),
      )
    },
    embed: (texts) =>
      inBatches(texts, (batch) =>
        rollouts.embed(reference.parameters, asRollout(batch.map((text) => ['', text] as const))),
      ),
    refPerplexity: (prompts, responses) =>
      inBatches(
        prompts.map((prompt, i) => [prompt, responses[i] ?? ''] as const),
        (batch) => {
          const rollout = asRollout(batch)
          const { logProbs } = rollouts.score(reference.parameters, rollout)
          return rollout.lengths.map((length, r) => {
            let sum = 0
            for (let t = 0; t < length; t++) sum += logProbs[r * responseLength + t]!
            return Math.exp(-sum / Math.max(1, length))
          })
        },
      ),
  }
  return parts.isClear ? { ...generator, isClear: parts.isClear } : generator
}

/** Ids cut or padded to a length; `keep` says which end of the text stays next to the other part of the sequence. */
function fitted(ids: Int32Array, length: number, padId: number, keep: 'left' | 'right'): Int32Array {
  const row = new Int32Array(length).fill(padId)
  if (keep === 'left') row.set(ids.subarray(0, length))
  else row.set(ids.subarray(-length), Math.max(0, length - ids.length))
  return row
}
