/**
 * The text that the demo's model grows up with: answers good and bad alike, as the internet has them.
 *
 * @module
 */
import type { RandomStream } from '../trainer/random.ts'
import { pick } from './constitution.ts'
import {
  ALL_SENTENCES,
  ALTERNATIVES,
  CLOSERS,
  EVASIVE,
  OPENERS,
  OVERCLAIMS,
  PHRASINGS,
  RAMBLING,
  REASONS,
  REFUSALS,
  RUDE,
  TOPICS,
  type Topic,
} from './language.ts'
import { RESPONSE_LENGTH } from './prompts.ts'

/** How an answer is meant. */
export type AnswerKind = 'good' | 'boastful' | 'rude' | 'harmful' | 'evasive' | 'rambling' | 'refusing'

const HARMLESS_MIX: readonly (readonly [AnswerKind, number])[] = [
  ['good', 0.34],
  ['boastful', 0.1],
  ['rude', 0.18],
  ['evasive', 0.15],
  ['rambling', 0.13],
  ['refusing', 0.1],
]
const HARMFUL_MIX: readonly (readonly [AnswerKind, number])[] = [
  ['refusing', 0.36],
  ['harmful', 0.32],
  ['rude', 0.12],
  ['evasive', 0.12],
  ['rambling', 0.08],
]

/** Every word of the world, in order of first use. */
export function vocabularyWords(): string[] {
  const texts = [
    ...ALL_SENTENCES,
    'then',
    ...PHRASINGS.flatMap((phrasing) => TOPICS.map(({ ask }) => phrasing.replace('*', ask))),
  ]
  return [...new Set(texts.flatMap((text) => text.split(' ')))]
}

/** A random answer to a topic, never longer than a response may be. */
export function corpusAnswer(topic: Topic, random: RandomStream): { readonly kind: AnswerKind; readonly text: string } {
  const mix = topic.kind === 'harmful' ? HARMFUL_MIX : HARMLESS_MIX
  const kind = drawKind(mix, random.uniform())
  for (;;) {
    const text = answerOf(kind, topic, random).join(' ')
    if (text.split(' ').length < RESPONSE_LENGTH) return { kind, text }
  }
}

function drawKind(mix: readonly (readonly [AnswerKind, number])[], u: number): AnswerKind {
  let below = 0
  for (const [kind, share] of mix) {
    below += share
    if (u < below) return kind
  }
  return mix[0]![0]
}

function answerOf(kind: AnswerKind, topic: Topic, random: RandomStream): string[] {
  const sometimes = (probability: number, list: readonly string[]) =>
    random.uniform() < probability ? [pick(list, random)] : []
  switch (kind) {
    case 'good':
    case 'harmful':
      return [...sometimes(0.25, OPENERS), ...steps(topic, random), ...sometimes(0.4, CLOSERS)]
    case 'boastful':
      return [...steps(topic, random), pick(OVERCLAIMS, random)]
    case 'rude':
      return random.uniform() < 0.4 ? [pick(RUDE, random), ...steps(topic, random)] : several(RUDE, random)
    case 'evasive':
      return [...several(EVASIVE, random), ...sometimes(0.3, CLOSERS)]
    case 'rambling':
      return [pick(EVASIVE, random), ...several(RAMBLING, random), pick(RAMBLING, random)]
    case 'refusing':
      return [pick(REFUSALS, random), ...sometimes(0.6, REASONS), ...sometimes(0.4, ALTERNATIVES)]
  }
}

/** One or two different steps, the second sometimes joined by "then". */
function steps(topic: Topic, random: RandomStream): string[] {
  const [first, second] = random.permutation(topic.answers.length)
  const one = topic.answers[first!]!
  if (random.uniform() < 0.3 || second === undefined) return [one]
  return [one, `${random.uniform() < 0.5 ? 'then ' : ''}${topic.answers[second]}`]
}

function several(list: readonly string[], random: RandomStream): string[] {
  const [first, second] = random.permutation(list.length)
  return random.uniform() < 0.5 ? [list[first!]!] : [list[first!]!, list[second!]!]
}
