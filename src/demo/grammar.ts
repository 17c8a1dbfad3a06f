import { ALL_SENTENCES } from './language.ts'
import { sentencesOf } from './sentences.ts'

const BIGRAMS: ReadonlySet<string> = new Set(
  ALL_SENTENCES.flatMap((sentence) => pairsOf(['<start>', ...withoutThen(sentence), '<end>'])),
)

/**
 * What is wrong with an answer as English of this world: the share of neighbouring words (with the borders of sentences)
 * that stand beside each other in no sentence of the language, and how many sentences are said again.
 */
export function grammarOf(answer: string): { readonly strangeShare: number; readonly repeats: number } {
  const sentences = sentencesOf(answer)
  const pairs = sentences.flatMap((sentence) => pairsOf(['<start>', ...withoutThen(sentence), '<end>']))
  const strange = pairs.filter((pair) => !BIGRAMS.has(pair)).length
  return {
    strangeShare: pairs.length === 0 ? 1 : strange / pairs.length,
    repeats: sentences.length - new Set(sentences).size,
  }
}

/** Whether an answer is English of this world without repetition: the demo's `quality/clear_share` is the share of such answers. */
export function isClear(answer: string): boolean {
  const { strangeShare, repeats } = grammarOf(answer)
  return strangeShare === 0 && repeats === 0
}

/** A leading "then" joins two steps and is right before any of them. */
function withoutThen(sentence: string): string[] {
  const words = sentence.split(' ')
  return words[0] === 'then' ? words.slice(1) : words
}

function pairsOf(words: readonly string[]): string[] {
  return words.slice(1).map((word, i) => `${words[i]} ${word}`)
}
