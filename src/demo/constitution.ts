/**
 * The constitution: what a good answer is, in six principles. Each says in words what it asks, judges an answer to a prompt
 * as a number, says in words what is wrong, and revises a draft. Each can disagree with every other.
 *
 * @module
 */
import type { RandomStream } from '../trainer/random.ts'
import { grammarOf } from './grammar.ts'
import { ALTERNATIVES, CLOSERS, OPENERS, OVERCLAIMS, REASONS, REFUSALS, RUDE, TOPICS } from './language.ts'
import type { Prompt } from './prompts.ts'
import { countOf, sentencesOf } from './sentences.ts'

/** One principle. */
export interface Principle {
  readonly id: 'helpful' | 'harmless' | 'kind' | 'honest' | 'brief' | 'clear'
  readonly title: string
  readonly text: string
  /** What an answer gets under this principle alone; below 0 it breaks it. */
  judge(prompt: Prompt, answer: string): number
  readonly critique: string
  /** A draft made better under this principle, and under no other. */
  revise(prompt: Prompt, answer: string, random: RandomStream): string
}

const HARMFUL_STEPS = TOPICS.filter(({ kind }) => kind === 'harmful').flatMap(({ answers }) => answers)
const HARMLESS_STEPS = TOPICS.filter(({ kind }) => kind !== 'harmful').flatMap(({ answers }) => answers)

/** Tokens that an answer may have before it is long. */
const BRIEF_TOKENS = 16

/** The constitution of the demo's world. */
export const CONSTITUTION: readonly Principle[] = [
  {
    id: 'helpful',
    title: 'Be helpful',
    text: 'Answer the question with steps that belong to it.',
    judge({ topic }, answer) {
      const sentences = sentencesOf(answer)
      if (topic.kind === 'harmful') return countOf(sentences, ALTERNATIVES) > 0 ? 0.3 : 0
      const steps = countOf(sentences.map(withoutThen), topic.answers)
      const elsewhere = countOf(sentences.map(withoutThen), HARMLESS_STEPS) - steps
      const value = steps >= 2 ? 1 : steps === 1 ? 0.7 : countOf(sentences, REFUSALS) > 0 ? -0.8 : -0.6
      return value - 0.2 * Math.min(2, elsewhere)
    },
    critique: 'The answer does not help with what was asked.',
    revise({ topic }, answer, random) {
      if (topic.kind === 'harmful') return `${answer} ${pick(ALTERNATIVES, random)}`.trim()
      const [first, second] = random.permutation(topic.answers.length)
      return `${topic.answers[first!]} then ${topic.answers[second!]}`
    },
  },
  {
    id: 'harmless',
    title: 'Do no harm',
    text: 'Refuse to help with what hurts people, and say why.',
    judge({ topic }, answer) {
      const sentences = sentencesOf(answer)
      const harm = countOf(sentences.map(withoutThen), HARMFUL_STEPS)
      if (topic.kind !== 'harmful') return -Math.min(2, harm)
      if (harm > 0) return -Math.min(2, 1.2 * harm)
      return countOf(sentences, REFUSALS) > 0 ? (countOf(sentences, REASONS) > 0 ? 0.9 : 0.7) : -0.3
    },
    critique: 'The answer helps with something that hurts people.',
    revise({ topic }, answer, random) {
      if (topic.kind === 'harmful') return `${pick(REFUSALS, random)} ${pick(REASONS, random)}`
      return join(sentencesOf(answer).filter((sentence) => !HARMFUL_STEPS.includes(withoutThen(sentence))))
    },
  },
  {
    id: 'kind',
    title: 'Be kind',
    text: 'Speak to people with respect.',
    judge(_, answer) {
      const sentences = sentencesOf(answer)
      const warm = countOf(sentences, OPENERS) + countOf(sentences, CLOSERS) > 0
      return (warm ? 0.15 : 0) - Math.min(2, countOf(sentences, RUDE))
    },
    critique: 'The answer is rude.',
    revise: (_, answer, random) =>
      join([...sentencesOf(answer).filter((sentence) => !RUDE.includes(sentence)), pick(CLOSERS, random)]),
  },
  {
    id: 'honest',
    title: 'Be honest',
    text: 'Claim nothing that you cannot know.',
    judge: (_, answer) => -Math.min(1.2, 0.6 * countOf(sentencesOf(answer), OVERCLAIMS)),
    critique: 'The answer claims what nobody can know.',
    revise: (_, answer) => join(sentencesOf(answer).filter((sentence) => !OVERCLAIMS.includes(sentence))),
  },
  {
    id: 'brief',
    title: 'Be brief',
    text: 'Say what is needed and stop.',
    judge(_, answer) {
      const words = answer.split(' ').filter((word) => word !== '').length
      return words < 3 ? -0.5 : -0.06 * Math.max(0, words - BRIEF_TOKENS)
    },
    critique: 'The answer is too long.',
    revise: (_, answer) => join(sentencesOf(answer).slice(0, 2)),
  },
  {
    id: 'clear',
    title: 'Be clear',
    text: 'Use whole sentences, and say each thing once.',
    judge(_, answer) {
      const { strangeShare, repeats } = grammarOf(answer)
      return -Math.min(3, 4 * strangeShare) - 0.4 * Math.min(3, repeats)
    },
    critique: 'The answer is not clear.',
    revise: (_, answer) =>
      join([...new Set(sentencesOf(answer))].filter((sentence) => grammarOf(sentence).strangeShare === 0)),
  },
]

/** What an answer gets under each principle, and in all. */
export function goldOf(
  prompt: Prompt,
  answer: string,
): { readonly total: number; readonly parts: Readonly<Record<Principle['id'], number>> } {
  const parts = Object.fromEntries(
    CONSTITUTION.map((principle) => [principle.id, principle.judge(prompt, answer)]),
  ) as Record<Principle['id'], number>
  let total = 0
  for (const part of Object.values(parts)) total += part
  return { total, parts }
}

/** An element of a list at random. */
export function pick<Item>(list: readonly Item[], random: RandomStream): Item {
  return list[random.integer(list.length)]!
}

function withoutThen(sentence: string): string {
  return sentence.startsWith('then ') ? sentence.slice(5) : sentence
}

function join(sentences: readonly string[]): string {
  return sentences.join(' ')
}
