/**
 * The first phase of Constitutional AI: the model drafts, a principle criticises, the draft is revised, and the model
 * learns from the revisions (Bai et al. 2022).
 *
 * @module
 */
import type { RandomStream } from '../trainer/random.ts'
import { CONSTITUTION, type Principle, pick } from './constitution.ts'
import { type Prompt, RESPONSE_LENGTH } from './prompts.ts'

/** A draft and what became of it. */
export interface Revision {
  readonly prompt: Prompt
  readonly draft: string
  readonly principle: Principle
  /** What the principle has against the draft, or null where it has nothing. */
  readonly critique: string | null
  /** The revised answer; the draft itself where there was nothing to criticise. */
  readonly revised: string
}

/** Judges a draft by one principle drawn at random, and revises it where it breaks it. */
export function reviseDraft(prompt: Prompt, draft: string, random: RandomStream): Revision {
  const principle = pick(CONSTITUTION, random)
  if (principle.judge(prompt, draft) >= 0) return { prompt, draft, principle, critique: null, revised: draft }
  const revised = principle.revise(prompt, draft, random)
  const fits = revised !== '' && revised.split(' ').length < RESPONSE_LENGTH
  return { prompt, draft, principle, critique: principle.critique, revised: fits ? revised : draft }
}
