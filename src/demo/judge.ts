import type { RandomStream } from '../trainer/random.ts'
import { goldOf } from './constitution.ts'
import type { Prompt } from './prompts.ts'

/** Gold difference at which the judge errs in a quarter of the cases; makes 12 % wrong labels on pairs of the model's own answers, and half of the ties (4 %). */
const NOISE_SCALE = 0.4

/**
 * The AI judge: compares two answers to one prompt under the whole constitution and says whether it prefers the first. It
 * is not always right: it prefers the better answer with probability sigmoid(difference / 0.4).
 */
export function prefersFirst(prompt: Prompt, first: string, second: string, random: RandomStream): boolean {
  const difference = goldOf(prompt, first).total - goldOf(prompt, second).total
  return random.uniform() < 1 / (1 + Math.exp(-difference / NOISE_SCALE))
}
