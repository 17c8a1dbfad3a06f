import { PHRASINGS, TOPICS, type Topic } from './language.ts'

/** A prompt with what it asks for. */
export interface Prompt {
  readonly text: string
  readonly topic: Topic
}

/** Tokens of the longest prompt; shorter ones are padded on the left. */
export const PROMPT_LENGTH = 12
/** Tokens of the longest answer, end of sequence included. */
export const RESPONSE_LENGTH = 24

const ALL: readonly Prompt[] = TOPICS.flatMap((topic, t) =>
  // One phrasing of each topic is held out, a different one from topic to topic.
  PHRASINGS.map((phrasing, p) => ({
    text: phrasing.replace('*', topic.ask),
    topic,
    heldOut: p === t % PHRASINGS.length,
  })),
)

/** Prompts that are trained on. */
export const TRAINING_PROMPTS: readonly Prompt[] = ALL.filter((prompt) => !('heldOut' in prompt && prompt.heldOut))

/** Prompts that are never trained on: every topic in a phrasing that it is not asked in during training. */
export const HELD_OUT_PROMPTS: readonly Prompt[] = ALL.filter((prompt) => 'heldOut' in prompt && prompt.heldOut)

const BY_TEXT: ReadonlyMap<string, Prompt> = new Map(ALL.map((prompt) => [prompt.text, prompt]))

/** The prompt with this text, or undefined for one that is not of this world. */
export function promptOf(text: string): Prompt | undefined {
  return BY_TEXT.get(text)
}
