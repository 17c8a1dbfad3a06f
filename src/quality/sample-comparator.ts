/**
 * Compares what the model answers now with what it answered in the first iterations.
 *
 * @module
 */
import type { CallbackContext, SampleGenerator, TrainingCallback } from '../callbacks.ts'
import { TelltaleError } from '../errors.ts'
import { type TrainingEvent, TrainingPhase } from '../events.ts'
import { meanInterval } from '../stats/student-t.ts'
import { cosineDistance } from '../text/cosine.ts'
import { hashedNgrams } from '../text/hashed-ngrams.ts'
import { sequenceRatio } from '../text/sequence-matcher.ts'
import { wordPairs } from '../text/word-pairs.ts'
import type { ForgettingEvidence, SampleComparison, SampleDiff } from './comparison.ts'
import { COMPARISON_KIND, comparisonFrom, type PairRecord } from './comparison-record.ts'
import { computeDiff } from './compute-diff.ts'
import { pairedAnswers } from './paired-answers.ts'
import { mean, textMeasures } from './text-measures.ts'

/** Options of {@link SampleComparator}; the defaults are the plan's. */
export interface SampleComparatorOptions {
  /** Prompts that are followed; 10. An integer from 1 to 64. */
  readonly sampleSize?: number
  /** Iterations between two comparisons; 100. */
  readonly comparisonFrequency?: number
  /** Iterations at the start whose answers are the baseline; 5. */
  readonly baselineIterations?: number
}

/** An answer of the first iterations. */
export interface BaselineSample {
  /** Iteration of the answer. */
  readonly iteration: number
  /** What was asked. */
  readonly prompt: string
  /** What was answered, at most 4,096 characters. */
  readonly response: string
}

/** Answers of an iteration that are measured, as many as the log keeps. */
const MAX_ANSWERS = 64
/** Characters of a text that are kept. */
const MAX_CHARACTERS = 4096
/** Comparisons kept; the first and the newest always, the middle thinned. */
const MAX_HISTORY = 200

/** Measures that can decide on forgetting, the best first; how a change is signed so that worse is negative; what matters. */
const FORGETTING_MEASURES = [
  {
    name: 'quality/fixed_ref_perplexity',
    change: (before: number, after: number) => Math.log(before) - Math.log(after),
    margin: 0.2,
  },
  { name: 'quality/fixed_repetition', change: (before: number, after: number) => before - after, margin: 0.1 },
] as const

/**
 * Follows the answers to a fixed set of prompts: those of the first iterations are the baseline, and every
 * `comparisonFrequency` iterations (and once more at the end or at a stop) the same prompts are answered again inside
 * `monitor.settle()`, through the generator that the trainer registered. Without a generator, answers to the same prompt are
 * paired as they come by.
 *
 * It publishes `quality/similarity`, `quality/drift`, `quality/clear_share` and `quality/fixed_*` for the followed prompts, and
 * for the answers of every iteration `quality/distinct_2`, `quality/repetition` and `quality/compression`; and, where prompts come
 * again, `quality/paired_repetition`, `quality/paired_length` and `quality/paired_reward` against the first answers to them.
 *
 * @throws TelltaleError `bad-option` for an option out of range.
 *
 * @example
 * ```ts
 * import { SampleComparator, TrainingMonitor } from 'telltale'
 * const monitor = new TrainingMonitor()
 * const comparator = new SampleComparator({ sampleSize: 2, comparisonFrequency: 10 })
 * monitor.registerCallback(comparator)
 * for (let iteration = 0; iteration <= 10; iteration++) {
 *   const responses = [iteration < 10 ? 'a fine day' : 'a fine fine fine']
 *   monitor.onEvent({ phase: 'response_generated', iteration, metadata: { prompts: ['how is it ?'], responses } })
 *   monitor.onEvent({ phase: 'iteration_end', iteration })
 * }
 * console.log(comparator.comparisonHistory.map(({ iteration, source }) => [iteration, source])) // [ [ 10, 'paired' ] ]
 * console.log(monitor.getMetricsStore().latest('quality/similarity')?.toFixed(2)) // 0.54
 * ```
 */
export class SampleComparator implements TrainingCallback {
  readonly name = 'SampleComparator'
  /** What it listens to. */
  readonly phases = [
    TrainingPhase.TRAINING_START,
    TrainingPhase.ITERATION_START,
    TrainingPhase.RESPONSE_GENERATED,
    TrainingPhase.REWARD_COMPUTED,
    TrainingPhase.ITERATION_END,
    TrainingPhase.EVALUATION,
  ]
  /** Prompts that are followed; 10 by default, from the plan. */
  readonly sampleSize: number
  /** Iterations between comparisons; 100 by default, from the plan. */
  readonly comparisonFrequency: number
  /** First iterations whose answers are the baseline; 5 by default. */
  readonly baselineIterations: number
  #baseline: BaselineSample[] = []
  readonly #baselineSeen = new Set<number>()
  #history: SampleComparison[] = []
  /** Newest streamed answer to each followed prompt since the last comparison. */
  #streamed = new Map<string, string>()
  readonly #paired = pairedAnswers()
  #measured = -1
  #rewarded = -1
  #compared = -1
  #lastClosed = -1
  #totalIterations: number | null = null

  constructor(options: SampleComparatorOptions = {}) {
    this.sampleSize = integer(options.sampleSize ?? 10, 'sampleSize', MAX_ANSWERS)
    this.comparisonFrequency = integer(options.comparisonFrequency ?? 100, 'comparisonFrequency', 1e9)
    this.baselineIterations = integer(options.baselineIterations ?? 5, 'baselineIterations', 1e9)
  }

  /** The followed prompts with their first answers. */
  get baselineSamples(): readonly BaselineSample[] {
    return this.#baseline
  }

  /** All comparisons, oldest first, at most 200: of more, the middle is thinned. */
  get comparisonHistory(): readonly SampleComparison[] {
    return this.#history
  }

  /**
   * How an answer differs from another: similarity (Python's difflib ratio), characters and lines added and removed, and runs of
   * words for display.
   *
   * @example
   * ```ts
   * import { SampleComparator } from 'telltale'
   * const { similarity, words } = new SampleComparator().computeDiff('a good day', 'a bad day')
   * console.log(similarity.toFixed(3), words.map(({ kind }) => kind).join()) // 0.737 kept,removed,added,kept
   * ```
   */
  computeDiff(original: string, updated: string): SampleDiff {
    return computeDiff(original, updated)
  }

  /** Whether the newest comparison shows that the answers have become worse than chance and habit explain. */
  detectCatastrophicForgetting(): boolean {
    return this.forgettingEvidence()?.detected ?? false
  }

  /**
   * The paired changes of the newest comparison: detected where the whole 95 % interval of their mean is worse than a margin
   * (0.2 in the logarithm of the reference perplexity; 0.1 in repetition where there is no reference). Null where there is
   * no comparison of at least three pairs.
   */
  forgettingEvidence(): ForgettingEvidence | null {
    const newest = this.#history.at(-1)
    if (!newest) return null
    for (const { name, change, margin } of FORGETTING_MEASURES) {
      const changes = newest.pairs.flatMap(({ measures }) => {
        const measure = Object.hasOwn(measures, name) ? measures[name] : undefined
        return measure ? [change(measure.original, measure.updated)] : []
      })
      const paired = meanInterval(changes)
      if (!paired) continue
      return {
        detected: paired.interval[1] < -margin,
        measure: name,
        meanChange: paired.mean,
        interval: paired.interval,
        pairs: paired.n,
      }
    }
    return null
  }

  onEvent(event: TrainingEvent, context: CallbackContext): void {
    switch (event.phase) {
      case TrainingPhase.TRAINING_START: {
        const { totalIterations } = event.metadata
        if (typeof totalIterations === 'number') this.#totalIterations = totalIterations
        return
      }
      case TrainingPhase.ITERATION_START:
        // A run that falls back does its iterations again, and they are measured again.
        this.#measured = Math.min(this.#measured, event.iteration - 1)
        this.#rewarded = Math.min(this.#rewarded, event.iteration - 1)
        this.#compared = Math.min(this.#compared, event.iteration - 1)
        return
      case TrainingPhase.RESPONSE_GENERATED:
      case TrainingPhase.REWARD_COMPUTED:
        this.#takeAnswers(event, context)
        return
      case TrainingPhase.ITERATION_END:
        this.#lastClosed = event.iteration
        if (!context.monitor.getGenerator() && this.#due(event.iteration) && this.#streamed.size > 0)
          this.#compareStreamed(event.iteration, context)
        return
      case TrainingPhase.EVALUATION: {
        const comparison = comparisonFrom(event)
        if (comparison) this.#remember(comparison)
        return
      }
      default:
        return
    }
  }

  async settle(context: CallbackContext): Promise<void> {
    const generator = context.monitor.getGenerator()
    const iteration = this.#lastClosed
    if (!generator || this.#baseline.length === 0 || iteration <= this.#compared) return
    const last = this.#totalIterations !== null && iteration === this.#totalIterations - 1
    const stopping = context.monitor.shouldStopEarly().shouldStop
    if (!this.#due(iteration) && !last && !stopping) return
    this.#compared = iteration
    const prompts = this.#baseline.map(({ prompt }) => prompt)
    const updated = (await generator.generate(prompts, { seed: iteration })).map(shorten)
    await this.#publish(
      iteration,
      'regenerated',
      this.#baseline.map((sample, i) => ({ ...sample, updated: updated[i] ?? '' })),
      generator,
      context,
    )
  }

  #due(iteration: number): boolean {
    return iteration > 0 && iteration % this.comparisonFrequency === 0
  }

  #takeAnswers(event: TrainingEvent, context: CallbackContext): void {
    const { prompts, responses, rewards } = event.metadata
    if (!Array.isArray(responses)) return
    const answers = responses.slice(0, MAX_ANSWERS).map((response) => (typeof response === 'string' ? response : ''))
    const { iteration } = event
    if (iteration > this.#measured && answers.length > 0) {
      this.#measured = iteration
      const paired = Array.isArray(prompts) ? this.#paired.answers(prompts, answers) : {}
      context.monitor.publish({ iteration, metrics: { ...textMeasures(answers, 'quality/'), ...paired } })
    }
    if (!Array.isArray(prompts)) return
    if (isNumeric(rewards) && iteration > this.#rewarded) {
      this.#rewarded = iteration
      const metrics = this.#paired.rewards(prompts.slice(0, MAX_ANSWERS), rewards)
      if (Object.keys(metrics).length > 0) context.monitor.publish({ iteration, metrics })
    }
    for (let i = 0; i < Math.min(answers.length, prompts.length); i++) {
      const prompt: unknown = prompts[i]
      if (typeof prompt !== 'string' || prompt === '') continue
      this.#takeAnswer(iteration, shorten(prompt), shorten(answers[i]!))
    }
    if (this.#baselineSeen.size < this.baselineIterations) this.#baselineSeen.add(iteration)
  }

  #takeAnswer(iteration: number, prompt: string, response: string): void {
    const known = this.#baseline.find((sample) => sample.prompt === prompt)
    if (known) {
      if (iteration > known.iteration) this.#streamed.set(prompt, response)
      return
    }
    const open = this.#baselineSeen.size < this.baselineIterations || this.#baselineSeen.has(iteration)
    if (open && this.#baseline.length < this.sampleSize) this.#baseline.push({ iteration, prompt, response })
  }

  #compareStreamed(iteration: number, context: CallbackContext): void {
    const samples = this.#baseline.flatMap((sample) => {
      const updated = this.#streamed.get(sample.prompt)
      return updated === undefined ? [] : [{ ...sample, updated }]
    })
    this.#streamed = new Map()
    const vectors = (texts: readonly string[]) => texts.map(hashedNgrams)
    const record = records(
      samples,
      {
        originals: vectors(samples.map(({ response }) => response)),
        updates: vectors(samples.map(({ updated }) => updated)),
      },
      null,
      null,
    )
    publishRecords(iteration, 'paired', 'lexical', record, null, context)
  }

  async #publish(
    iteration: number,
    source: SampleComparison['source'],
    samples: readonly Answered[],
    generator: SampleGenerator,
    context: CallbackContext,
  ): Promise<void> {
    const prompts = samples.map(({ prompt }) => prompt)
    const originals = samples.map(({ response }) => response)
    const updates = samples.map(({ updated }) => updated)
    const embed = async (texts: readonly string[]) =>
      generator.embed ? await generator.embed(texts) : texts.map(hashedNgrams)
    const vectors = { originals: await embed(originals), updates: await embed(updates) }
    const perplexities = generator.refPerplexity
      ? {
          originals: await generator.refPerplexity(prompts, originals),
          updates: await generator.refPerplexity(prompts, updates),
        }
      : null
    const clear = generator.isClear
      ? { originals: generator.isClear(prompts, originals), updates: generator.isClear(prompts, updates) }
      : null
    publishRecords(
      iteration,
      source,
      generator.embed ? 'semantic' : 'lexical',
      records(samples, vectors, perplexities, clear),
      perplexities?.updates ?? null,
      context,
    )
  }

  #remember(comparison: SampleComparison): void {
    // A resumed run compares again; the newest attempt counts.
    this.#history = this.#history.filter(({ iteration }) => iteration < comparison.iteration)
    this.#history.push(comparison)
    this.#compared = Math.max(this.#compared, comparison.iteration)
    if (this.#history.length > MAX_HISTORY) {
      const newest = this.#history.length - 1
      this.#history = this.#history.filter((_, i) => i === 0 || i === newest || i % 2 === 0)
    }
  }
}

/** A followed prompt with its first answer and its newest. */
interface Answered extends BaselineSample {
  readonly updated: string
}

interface BeforeAndAfter<Value> {
  readonly originals: readonly Value[]
  readonly updates: readonly Value[]
}

function records(
  samples: readonly Answered[],
  vectors: BeforeAndAfter<Float32Array>,
  perplexities: BeforeAndAfter<number> | null,
  clear: BeforeAndAfter<boolean> | null,
): PairRecord[] {
  return samples.map(({ prompt, response: original, updated, iteration: baselineIteration }, i) => {
    const [before, after] = [wordPairs([original]), wordPairs([updated])]
    const measures: Record<string, { original: number; updated: number }> = {
      'quality/fixed_distinct_2': { original: before.distinct, updated: after.distinct },
      'quality/fixed_repetition': { original: before.repetition[0]!, updated: after.repetition[0]! },
    }
    if (perplexities)
      measures['quality/fixed_ref_perplexity'] = {
        original: perplexities.originals[i]!,
        updated: perplexities.updates[i]!,
      }
    if (clear)
      measures['quality/clear_share'] = { original: clear.originals[i] ? 1 : 0, updated: clear.updates[i] ? 1 : 0 }
    return {
      prompt,
      original,
      updated,
      baselineIteration,
      drift: cosineDistance(vectors.originals[i]!, vectors.updates[i]!),
      measures,
    }
  })
}

function publishRecords(
  iteration: number,
  source: SampleComparison['source'],
  driftKind: SampleComparison['driftKind'],
  pairs: readonly PairRecord[],
  perplexities: readonly number[] | null,
  context: CallbackContext,
): void {
  const clear = pairs.flatMap(({ measures }) => measures['quality/clear_share']?.updated ?? [])
  const metrics: Record<string, number> = {
    'quality/similarity': mean(pairs.map(({ original, updated }) => sequenceRatio(original, updated))),
    'quality/drift': mean(pairs.map(({ drift }) => drift)),
    ...textMeasures(
      pairs.map(({ updated }) => updated),
      'quality/fixed_',
    ),
  }
  if (perplexities) metrics['quality/fixed_ref_perplexity'] = mean(perplexities)
  if (clear.length > 0) metrics['quality/clear_share'] = mean(clear)
  context.monitor.publish({ iteration, metrics, metadata: { kind: COMPARISON_KIND, source, driftKind, pairs } })
}

function isNumeric(value: unknown): value is ArrayLike<number> {
  return Array.isArray(value) || value instanceof Float32Array || value instanceof Float64Array
}

function shorten(text: string): string {
  return text.length > MAX_CHARACTERS ? text.slice(0, MAX_CHARACTERS) : text
}

function integer(value: number, option: string, max: number): number {
  if (Number.isSafeInteger(value) && value >= 1 && value <= max) return value
  throw new TelltaleError(
    'bad-option',
    `${option} is ${String(value)}; expected an integer from 1 to ${max.toLocaleString('en')}`,
  )
}
