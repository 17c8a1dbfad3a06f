import { wordsOf } from './words.ts'

/**
 * How varied texts are together: different runs of `n` words over all runs of `n` words (Li et al. 2016); 1 where there is
 * no such run.
 */
export function distinctN(texts: readonly string[], n = 2): number {
  const seen = new Set<string>()
  let total = 0
  for (const text of texts) {
    const words = wordsOf(text)
    for (let i = 0; i + n <= words.length; i++) {
      seen.add(words.slice(i, i + n).join(' '))
      total++
    }
  }
  return total === 0 ? 1 : seen.size / total
}
