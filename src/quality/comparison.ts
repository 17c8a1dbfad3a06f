/**
 * What a comparison of answers to the same prompts looks like: data that the comparator makes and outputs read.
 *
 * @module
 */

/** How one answer differs from another, as `SampleComparator.computeDiff` gives it. */
export interface SampleDiff {
  /** Python's `difflib.SequenceMatcher(None, a, b, autojunk=False).ratio()`: 0 (nothing shared) to 1 (equal). */
  readonly similarity: number
  /** Characters of the update that the original does not have. */
  readonly charactersAdded: number
  /** Characters of the original that the update does not have. */
  readonly charactersRemoved: number
  /** Lines of the update that the original does not have. */
  readonly linesAdded: number
  /** Lines of the original that the update does not have. */
  readonly linesRemoved: number
  /** Runs of words in order, each with the space after it: kept, only in the original, only in the update. For display. */
  readonly words: readonly { readonly kind: 'kept' | 'removed' | 'added'; readonly text: string }[]
}

/** One prompt's answer of the first iterations beside its newest one. */
export interface SamplePair {
  /** What was asked. */
  readonly prompt: string
  /** Answer of the first iterations. */
  readonly original: string
  /** Answer of the newer iteration. */
  readonly updated: string
  /** Iteration of the original answer. */
  readonly baselineIteration: number
  /** How the two answers differ. */
  readonly diff: SampleDiff
  /** Cosine distance (0 same direction, up to 2) of the two answers' vectors. */
  readonly drift: number
  /** Measures of this pair by canonical name, original and updated. */
  readonly measures: Readonly<Record<string, { readonly original: number; readonly updated: number }>>
}

/** One comparison: all pairs of one iteration. */
export interface SampleComparison {
  /** Iteration of the newer answers. */
  readonly iteration: number
  /** `regenerated`: the same prompts answered again by the current policy; `paired`: equal prompts met in the stream. */
  readonly source: 'regenerated' | 'paired'
  /** `semantic`: vectors of a model; `lexical`: hashed character n-grams. */
  readonly driftKind: 'semantic' | 'lexical'
  /** One pair a followed prompt. */
  readonly pairs: readonly SamplePair[]
  /** The `quality/*` points that were published. */
  readonly metrics: Readonly<Record<string, number>>
}

/** What speaks for or against forgetting: paired changes of the answers' measures since the baseline. */
export interface ForgettingEvidence {
  /** Whether the whole interval is worse than what matters. */
  readonly detected: boolean
  /** Canonical name of the measure that was paired. */
  readonly measure: string
  /** Mean paired change, signed so that negative is worse. */
  readonly meanChange: number
  /** 95 % interval of the mean change. */
  readonly interval: readonly [number, number]
  /** Pairs of answers. */
  readonly pairs: number
}
