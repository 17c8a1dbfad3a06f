/**
 * Measures of answers whose prompt came before, against the first answer to it: what a batch happens to ask cancels out, so that a
 * change is the model's.
 *
 * @module
 */
import { textHash } from '../text/text-hash.ts'
import { wordPairs } from '../text/word-pairs.ts'
import { mean } from './text-measures.ts'

/** Prompts that are remembered: those of the smallest hashes. Only numbers are kept of their answers. */
const MAX_REMEMBERED = 4096
/** Answers of an iteration that are measured, so that its time is bounded. */
const MAX_MEASURED = 16
/** Pairs below which a mean would only be noise. */
const MIN_PAIRS = 3

interface First {
  readonly repetition: number
  readonly characters: number
}

/** Remembers first answers and compares later ones with them. */
export interface PairedAnswers {
  /** Takes the answers of an iteration; gives `quality/paired_repetition` and `quality/paired_length` where enough prompts came again. */
  answers(prompts: readonly unknown[], responses: readonly string[]): Record<string, number>
  /** Takes their rewards; gives `quality/paired_reward`. */
  rewards(prompts: readonly unknown[], rewards: ArrayLike<unknown>): Record<string, number>
  /** What is remembered, to go on from in another process. */
  save(): PairedAnswersState
}

/** What a {@link PairedAnswers} remembers. */
export interface PairedAnswersState {
  readonly firsts: FirstValuesState<First>
  readonly firstRewards: FirstValuesState<number>
}

/** Makes a {@link PairedAnswers}. @param saved of an earlier one, to go on from. */
export function pairedAnswers(saved?: PairedAnswersState): PairedAnswers {
  const firsts = firstValues<First>(saved?.firsts)
  const firstRewards = firstValues<number>(saved?.firstRewards)
  return {
    save: () => ({ firsts: firsts.save(), firstRewards: firstRewards.save() }),
    answers(prompts, responses) {
      const chosen = hashed(prompts.slice(0, responses.length))
        .sort((a, b) => a.hash - b.hash)
        .slice(0, MAX_MEASURED)
      if (chosen.length === 0) return {}
      const { repetition } = wordPairs(chosen.map(({ at }) => responses[at]!))
      const repetitions: number[] = []
      const lengths: number[] = []
      for (const [i, { hash, at }] of chosen.entries()) {
        const now: First = { repetition: repetition[i]!, characters: responses[at]!.length }
        const first = firsts.get(hash)
        if (first === undefined) {
          firsts.set(hash, now)
          continue
        }
        repetitions.push(now.repetition - first.repetition)
        lengths.push(Math.log((now.characters + 1) / (first.characters + 1)))
      }
      return repetitions.length < MIN_PAIRS
        ? {}
        : { 'quality/paired_repetition': mean(repetitions), 'quality/paired_length': mean(lengths) }
    },
    rewards(prompts, rewards) {
      const changes: number[] = []
      for (const { hash, at } of hashed(prompts)) {
        const reward = rewards[at]
        if (typeof reward !== 'number' || !Number.isFinite(reward)) continue
        const first = firstRewards.get(hash)
        if (first === undefined) firstRewards.set(hash, reward)
        else changes.push(reward - first)
      }
      return changes.length < MIN_PAIRS ? {} : { 'quality/paired_reward': mean(changes) }
    },
  }
}

function hashed(prompts: readonly unknown[]): { readonly hash: number; readonly at: number }[] {
  return prompts.flatMap((prompt, at) =>
    typeof prompt === 'string' && prompt !== '' ? [{ hash: textHash(prompt), at }] : [],
  )
}

interface FirstValuesState<Value> {
  readonly values: ReadonlyMap<number, Value>
  readonly limit: number
}

/** A map that halves the range of hashes that it keeps when it is full: what stays does not depend on the order of what came. */
function firstValues<Value>(saved?: FirstValuesState<Value>) {
  const values = new Map<number, Value>(saved?.values)
  let limit = saved?.limit ?? 2 ** 32
  return {
    save: (): FirstValuesState<Value> => ({ values, limit }),
    get: (hash: number) => values.get(hash),
    set(hash: number, value: Value) {
      if (hash >= limit) return
      values.set(hash, value)
      while (values.size > MAX_REMEMBERED) {
        limit /= 2
        for (const kept of values.keys()) if (kept >= limit) values.delete(kept)
      }
    },
  }
}
