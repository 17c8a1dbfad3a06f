/** The sentences of an answer, each with its closing mark; what follows the last mark is a sentence too. */
export function sentencesOf(answer: string): string[] {
  const sentences: string[] = []
  let words: string[] = []
  for (const word of answer.split(' ')) {
    if (word === '') continue
    words.push(word)
    if (word === '.' || word === '!' || word === '?') {
      sentences.push(words.join(' '))
      words = []
    }
  }
  if (words.length > 0) sentences.push(words.join(' '))
  return sentences
}

/** How many sentences of a list an answer holds, whole and counted once each. */
export function countOf(sentences: readonly string[], list: readonly string[]): number {
  const held = new Set(sentences)
  return list.filter((sentence) => held.has(sentence)).length
}
