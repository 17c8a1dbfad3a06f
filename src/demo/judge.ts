import type { RandomStream } from '../trainer/random.ts'
import { goldOf } from './constitution.ts'
import type { Prompt } from './prompts.ts'

/** Gold difference at which the judge errs in about a quarter of the cases; makes 10 to 20 % wrong labels on the model's own pairs. */
const NOISE_SCALE = 0.5

/**
 * The AI judge: compares two answers to one prompt under the whole constitution and says whether it prefers the first. It
 * is not always right: it prefers the better answer with probability sigmoid(difference / 0.5).
 */
export function prefersFirst(prompt: Prompt, first: string, second: string, random: RandomStream): boolean {
  const difference = goldOf(prompt, first).total - goldOf(prompt, second).total
  return random.uniform() < 1 / (1 + Math.exp(-difference / NOISE_SCALE))
}
