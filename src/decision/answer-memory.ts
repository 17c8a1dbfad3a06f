/**
 * A few answers from early and from now, so that an alert can show what changed. Bounded, and a function of the events alone: which
 * prompts are kept is decided by a hash of the prompt.
 *
 * @module
 */
import type { AlertSample, Json } from '../detectors/detector.ts'
import type { TrainingEvent } from '../events.ts'
import { textHash } from '../text/text-hash.ts'

/** Prompts that are followed: those of the smallest hashes. */
const PROMPTS = 16
/** Answers of an event that are looked at, as many as the log keeps. */
const MAX_ANSWERS = 64
const MAX_CHARACTERS = 1000
const MAX_PAIRS = 16
/** Samples on an alert. */
const MAX_SAMPLES = 3

type Answer = { readonly iteration: number; readonly text: string; readonly reward: number | null }

type Followed = { readonly hash: number; readonly prompt: string; readonly first: Answer; readonly newest: Answer }

/** A pair that may be shown, with how bad it is. */
type Candidate = AlertSample & { readonly badness: number }

/** Keeps answers and chooses which show a failure. */
export interface AnswerMemory {
  /** Takes what an event carries: answers, or a comparison of answers to the same prompts. */
  take(event: TrainingEvent): void
  /** The worst pairs of an answer from before an onset and one since, at most 3; none where no prompt came again. */
  worst(onset: { readonly estimate: number; readonly interval: readonly [number, number] }): readonly AlertSample[]
  snapshot(): Json
  restore(state: Json): void
}

/** Makes an {@link AnswerMemory}. */
export function answerMemory(): AnswerMemory {
  /** Ascending by hash. */
  let followed: readonly Followed[] = []
  /** Pairs of the newest comparison. */
  let compared: readonly Candidate[] = []

  function follow(prompt: string, answer: Answer): void {
    const hash = textHash(prompt)
    const known = followed.find((entry) => entry.hash === hash && entry.prompt === prompt)
    if (known) {
      followed = followed.map((entry) => (entry === known ? withAnswer(entry, answer) : entry))
      return
    }
    if (followed.length >= PROMPTS && hash >= followed.at(-1)!.hash) return
    followed = [...followed, { hash, prompt, first: answer, newest: answer }]
      .sort((a, b) => a.hash - b.hash)
      .slice(0, PROMPTS)
  }

  return {
    take(event) {
      const { prompts, responses, rewards, kind, pairs } = event.metadata
      if (kind === 'sample-comparison' && Array.isArray(pairs)) {
        compared = pairs.slice(0, MAX_PAIRS).flatMap((pair: unknown) => comparedPair(pair, event.iteration))
        return
      }
      if (!Array.isArray(prompts) || !Array.isArray(responses)) return
      const scores = isNumeric(rewards) ? rewards : []
      for (let i = 0; i < Math.min(prompts.length, responses.length, MAX_ANSWERS); i++) {
        const prompt: unknown = prompts[i]
        if (typeof prompt !== 'string' || prompt === '') continue
        // What is no text is an empty one in the log, and a replay must see what was seen live.
        const response: unknown = responses[i]
        const text = typeof response === 'string' ? response : ''
        const score = scores[i]
        const reward = typeof score === 'number' && Number.isFinite(score) ? score : null
        follow(shorten(prompt), { iteration: event.iteration, text: shorten(text), reward })
      }
    },
    worst(onset) {
      const since = (iteration: number) => iteration >= onset.interval[0]
      const before = (iteration: number) => iteration <= onset.estimate
      const again = followed.flatMap(({ prompt, first, newest }): Candidate[] => [
        {
          prompt,
          original: first.text,
          updated: newest.text,
          baselineIteration: first.iteration,
          iteration: newest.iteration,
          rewards: first.reward === null || newest.reward === null ? null : [first.reward, newest.reward],
          badness: 1 - sharedWords(first.text, newest.text),
        },
      ])
      const usable = (candidates: readonly Candidate[]) =>
        candidates.filter(
          ({ baselineIteration, iteration, badness }) =>
            badness > 0 && iteration > baselineIteration && since(iteration) && before(baselineIteration),
        )
      const answeredAgain = usable(compared)
      return (answeredAgain.length > 0 ? answeredAgain : usable(again))
        .toSorted((a, b) => b.badness - a.badness)
        .slice(0, MAX_SAMPLES)
        .map(({ badness: _, ...sample }) => sample)
    },
    snapshot: () => ({ followed, compared }) as unknown as Json,
    restore(state) {
      const saved = state as unknown as { followed: readonly Followed[]; compared: readonly Candidate[] }
      followed = [...saved.followed]
      compared = [...saved.compared]
    },
  }
}

function withAnswer(entry: Followed, answer: Answer): Followed {
  // A run that falls back answers again; what it said first is kept only where it was earlier.
  if (answer.iteration < entry.first.iteration) return { ...entry, first: answer, newest: answer }
  const sameIteration = answer.iteration === entry.newest.iteration
  // The same answers come once with their rewards and once without.
  const reward = answer.reward ?? (sameIteration && entry.newest.text === answer.text ? entry.newest.reward : null)
  const newest = { ...answer, reward }
  return { ...entry, newest, first: answer.iteration === entry.first.iteration ? newest : entry.first }
}

/** A pair of a comparison, worst where the reference finds the answer much less likely than before. */
function comparedPair(pair: unknown, iteration: number): Candidate[] {
  if (typeof pair !== 'object' || pair === null) return []
  const { prompt, original, updated, baselineIteration, measures } = pair as Record<string, unknown>
  if (typeof prompt !== 'string' || typeof original !== 'string' || typeof updated !== 'string') return []
  if (typeof baselineIteration !== 'number') return []
  const perplexity = (measures as Record<string, { original?: unknown; updated?: unknown }> | undefined)?.[
    'quality/fixed_ref_perplexity'
  ]
  const rise =
    typeof perplexity?.original === 'number' && typeof perplexity.updated === 'number'
      ? Math.log(perplexity.updated / perplexity.original)
      : Number.NaN
  const [before, after] = [shorten(original), shorten(updated)]
  return [
    {
      prompt: shorten(prompt),
      original: before,
      updated: after,
      baselineIteration,
      iteration,
      rewards: null,
      badness: Number.isFinite(rise) ? rise : 1 - sharedWords(before, after),
    },
  ]
}

/** Share of words that two texts have in common (Jaccard). */
function sharedWords(a: string, b: string): number {
  const [first, second] = [new Set(a.split(/\s+/)), new Set(b.split(/\s+/))]
  let shared = 0
  for (const word of first) if (second.has(word)) shared++
  return shared / (first.size + second.size - shared)
}

function shorten(text: string): string {
  return text.length > MAX_CHARACTERS ? `${text.slice(0, MAX_CHARACTERS - 1)}…` : text
}

function isNumeric(value: unknown): value is ArrayLike<number> {
  return Array.isArray(value) || value instanceof Float32Array || value instanceof Float64Array
}
