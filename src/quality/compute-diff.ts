import { createRequire } from 'node:module'
import type { diffArrays } from 'diff'
import { codePoints, matchedItems, ratioOf } from '../text/sequence-matcher.ts'
import { MAX_MEASURED_CHARACTERS } from '../text/words.ts'
import type { SampleDiff } from './comparison.ts'

const require = createRequire(import.meta.url)
let diff: { readonly diffArrays: typeof diffArrays } | null = null

/** Lines of a text that are compared. */
const MAX_LINES = 500

/** How one text differs from another. Bounded for megabyte inputs: 1,000 code points, 500 lines, 2,048 characters of words. */
export function computeDiff(original: string, updated: string): SampleDiff {
  const [a, b] = [codePoints(original), codePoints(updated)]
  const matched = matchedItems(a, b)
  const [aLines, bLines] = [original, updated].map((text) => (text === '' ? [] : text.split('\n', MAX_LINES))) as [
    string[],
    string[],
  ]
  const matchedLines = matchedItems(aLines, bLines)
  return {
    similarity: ratioOf(matched, a.length + b.length),
    charactersAdded: b.length - matched,
    charactersRemoved: a.length - matched,
    linesAdded: bLines.length - matchedLines,
    linesRemoved: aLines.length - matchedLines,
    words: wordDiff(original, updated),
  }
}

function wordDiff(original: string, updated: string): SampleDiff['words'] {
  const words = (text: string) =>
    text
      .slice(0, MAX_MEASURED_CHARACTERS)
      .split(/\s+/)
      .filter((word) => word !== '')
  // Loaded with the first diff that is shown, since a program that only monitors needs none; and only the part that is used,
  // since the training waits for it.
  diff ??= require('diff/lib/diff/array.js') as { readonly diffArrays: typeof diffArrays }
  const runs = diff.diffArrays(words(original), words(updated))
  return runs.map(({ added, removed, value }, i) => ({
    kind: added ? 'added' : removed ? 'removed' : 'kept',
    // With the space that follows it, so that the runs put together are text again.
    text: value.join(' ') + (i < runs.length - 1 ? ' ' : ''),
  }))
}
