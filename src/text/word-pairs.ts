import { wordsOf } from './words.ts'

/** See {@link wordPairs}. */
export interface WordPairs {
  /** How varied the texts are together: different word pairs over all word pairs (Li et al. 2016); 1 where there is none. */
  readonly distinct: number
  /** Of each text, the share of its word pairs that have stood in it before; 0 for a text of one word or none. */
  readonly repetition: readonly number[]
}

/** More than the different words that 64 answers of 2,048 characters can have, and a pair of them is still an exact number. */
const MAX_WORDS = 2 ** 26

/** Diversity and repetition of texts, from one pass over their pairs of neighbouring words. */
export function wordPairs(texts: readonly string[]): WordPairs {
  const ids = new Map<string, number>()
  /** Each pair, as one number, to the text in which it was seen last. */
  const seenIn = new Map<number, number>()
  let total = 0
  const repetition = texts.map((text, at) => {
    const words = wordsOf(text)
    const pairs = words.length - 1
    let before = -1
    let own = 0
    for (const word of words) {
      let id = ids.get(word)
      if (id === undefined) {
        id = ids.size
        ids.set(word, id)
      }
      const pair = before * MAX_WORDS + id
      if (before >= 0 && seenIn.get(pair) !== at) {
        seenIn.set(pair, at)
        own++
      }
      before = id
    }
    if (pairs < 1) return 0
    total += pairs
    return 1 - own / pairs
  })
  return { distinct: total === 0 ? 1 : seenIn.size / total, repetition }
}
