/**
 * A comparison as it travels through the log: plain JSON in the metadata of an EVALUATION event, so that a replay builds
 * the same history without a model.
 *
 * @module
 */
import type { TrainingEvent } from '../events.ts'
import type { SampleComparison, SampleDiff, SamplePair } from './comparison.ts'
import { computeDiff } from './compute-diff.ts'

/** `metadata.kind` of such an event. */
export const COMPARISON_KIND = 'sample-comparison'

/** One pair in the metadata. */
export interface PairRecord {
  readonly prompt: string
  readonly original: string
  readonly updated: string
  readonly baselineIteration: number
  readonly drift: number
  readonly measures: Readonly<Record<string, { readonly original: number; readonly updated: number }>>
}

/** Reads a comparison from an event; null where it is none. */
export function comparisonFrom(event: TrainingEvent): SampleComparison | null {
  const { kind, source, driftKind, pairs } = event.metadata
  if (kind !== COMPARISON_KIND || !Array.isArray(pairs)) return null
  return {
    iteration: event.iteration,
    source: source === 'paired' ? 'paired' : 'regenerated',
    driftKind: driftKind === 'semantic' ? 'semantic' : 'lexical',
    pairs: pairs.filter(isPairRecord).map(withDiff),
    metrics: event.metrics,
  }
}

/** The diff is made when somebody reads it: the training thread has no time for it. */
function withDiff(record: PairRecord): SamplePair {
  let diff: SampleDiff | null = null
  return {
    ...record,
    get diff() {
      diff ??= computeDiff(record.original, record.updated)
      return diff
    },
  }
}

function isPairRecord(value: unknown): value is PairRecord {
  if (typeof value !== 'object' || value === null) return false
  const { prompt, original, updated, baselineIteration, measures } = value as Partial<PairRecord>
  return (
    [prompt, original, updated].every((text) => typeof text === 'string') &&
    typeof baselineIteration === 'number' &&
    typeof measures === 'object' &&
    measures !== null
  )
}
