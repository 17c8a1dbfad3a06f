import { compressionRatio } from '../text/compression.ts'
import { distinctN } from '../text/distinct-n.ts'
import { repetition } from '../text/repetition.ts'

/** Diversity, repetition and compressibility of a set of answers, under the names that `prefix` makes. */
export function textMeasures(
  answers: readonly string[],
  prefix: 'quality/' | 'quality/fixed_',
): Record<string, number> {
  return {
    [`${prefix}distinct_2`]: distinctN(answers, 2),
    [`${prefix}repetition`]: mean(answers.map(repetition)),
    [`${prefix}compression`]: compressionRatio(answers),
  }
}

/** Mean of numbers; NaN for none. */
export function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length
}
