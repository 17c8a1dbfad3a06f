/**
 * How a run's answers to the same prompts have changed: the earliest that was kept beside the newest.
 *
 * @module
 */
import type { SampleDiff } from '../quality/comparison.ts'
import { computeDiff } from '../quality/compute-diff.ts'
import type { StoredSample } from '../stores/store.ts'

/** One prompt's answers at two iterations. */
export interface AnswerChange {
  readonly prompt: string
  readonly earlier: Omit<StoredSample, 'prompt'>
  readonly newest: Omit<StoredSample, 'prompt'>
  /** From 0 (nothing shared) to 1 (equal), of the first 1,000 characters. */
  readonly similarity: number
  readonly words: SampleDiff['words']
}

/** Which changes are asked for, and how many. */
export interface ChangeChoice {
  readonly prompt?: string
  readonly limit: number
}

/** Prompts that are compared at the most, the newest of them: a comparison takes milliseconds. */
const MAX_COMPARED = 500

/**
 * @param samples in the order in which they came.
 * @returns those that have changed most first. A prompt that was answered at one iteration only has none.
 */
export function answerChanges(
  samples: readonly StoredSample[],
  { prompt: asked = '', limit }: ChangeChoice,
): readonly AnswerChange[] {
  const ends = new Map<string, { earlier: StoredSample; newest: StoredSample }>()
  for (const sample of samples) {
    const { prompt, iteration } = sample
    if (prompt === '' || !prompt.includes(asked)) continue
    const found = ends.get(prompt)
    if (!found) ends.set(prompt, { earlier: sample, newest: sample })
    else if (iteration < found.earlier.iteration) found.earlier = sample
    else if (iteration >= found.newest.iteration) found.newest = sample
  }
  return [...ends]
    .filter(([, { earlier, newest }]) => earlier.iteration < newest.iteration)
    .sort(([, a], [, b]) => a.newest.iteration - b.newest.iteration)
    .slice(-MAX_COMPARED)
    .map(([prompt, { earlier, newest }]) => {
      const { similarity, words } = computeDiff(earlier.response, newest.response)
      return { prompt, earlier: withoutPrompt(earlier), newest: withoutPrompt(newest), similarity, words }
    })
    .sort((a, b) => a.similarity - b.similarity)
    .slice(0, limit)
}

function withoutPrompt({ iteration, response, reward }: StoredSample): AnswerChange['earlier'] {
  return { iteration, response, reward }
}
