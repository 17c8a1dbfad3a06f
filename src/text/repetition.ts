import { wordsOf } from './words.ts'

/** Share of a text's word pairs that have stood in it before: 0 for a text that never repeats itself, or has one word. */
export function repetition(text: string): number {
  const words = wordsOf(text)
  const pairs = words.length - 1
  if (pairs < 1) return 0
  const seen = new Set<string>()
  for (let i = 0; i < pairs; i++) seen.add(`${words[i]} ${words[i + 1]}`)
  return 1 - seen.size / pairs
}
