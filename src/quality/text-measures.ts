import { compressionRatio } from '../text/compression.ts'
import { wordPairs } from '../text/word-pairs.ts'

/** Diversity, repetition and compressibility of a set of answers, under the names that `prefix` makes. */
export function textMeasures(
  answers: readonly string[],
  prefix: 'quality/' | 'quality/fixed_',
): Record<string, number> {
  const pairs = wordPairs(answers)
  return {
    [`${prefix}distinct_2`]: pairs.distinct,
    [`${prefix}repetition`]: mean(pairs.repetition),
    [`${prefix}compression`]: compressionRatio(answers),
  }
}

/** Mean of numbers; NaN for none. */
export function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length
}
