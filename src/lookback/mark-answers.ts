/**
 * Answers to one prompt beside each other: which words differ.
 *
 * @module
 */
import type { SampleDiff } from '../quality/comparison.ts'
import { computeDiff } from '../quality/compute-diff.ts'

type Words = SampleDiff['words']

/**
 * Each answer in its own words: in the first those are `removed` that no other has kept, in the others those are `added` that the first does not have.
 * Bounded as {@link computeDiff} is.
 */
export function markAnswers(answers: readonly string[]): readonly Words[] {
  const [first = '', ...others] = answers
  const diffs = others.map((other) => computeDiff(first, other).words)
  return [markFirst(diffs), ...diffs.map((words) => words.filter(({ kind }) => kind !== 'removed'))]
}

/** The words of the first answer stand in every diff, whatever is between them. */
function markFirst(diffs: readonly Words[]): Words {
  const each = diffs.map((words) =>
    words
      .filter(({ kind }) => kind !== 'added')
      .flatMap(({ kind, text }) => text.split(' ').flatMap((word) => (word === '' ? [] : { kind, word }))),
  )
  const marked: { kind: Words[number]['kind']; text: string }[] = []
  for (const [at, { word }] of (each[0] ?? []).entries()) {
    const kind = each.every((one) => one[at]?.kind === 'removed') ? 'removed' : 'kept'
    const last = marked.at(-1)
    if (last?.kind === kind) last.text += ` ${word}`
    else marked.push({ kind, text: word })
  }
  return marked
}
