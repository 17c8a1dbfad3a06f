/**
 * The whole run of one metric in bounded memory: buckets of min, max, mean, last and counts, whose width doubles when there
 * are too many of them, so that a million iterations plot from first to last with every spike. Buckets are aligned to
 * multiples of their width (a power of two), so that two histories, or a stored one and a live one, merge exactly.
 *
 * @module
 */

/** Buckets that a {@link SeriesHistory} keeps at most before it doubles their width. */
export const DEFAULT_HISTORY_BUCKETS = 1024

/** `width` iterations of a series, from `iteration` on. */
export interface HistoryBucket {
  /** First iteration that the bucket covers, a multiple of `width`. */
  readonly iteration: number
  /** Iterations that it covers, a power of two. */
  readonly width: number
  /** Smallest, largest and mean finite value; NaN where there was none. */
  readonly min: number
  readonly max: number
  readonly mean: number
  /** Value of the newest iteration in it, finite or not. */
  readonly last: number
  /** Iteration of {@link last}. */
  readonly lastIteration: number
  /** Finite values. */
  readonly count: number
  /** NaN and infinite values. */
  readonly nonFinite: number
}

interface MutableBucket {
  iteration: number
  min: number
  max: number
  sum: number
  last: number
  lastIteration: number
  count: number
  nonFinite: number
}

/**
 * A metric from its first iteration to its newest in at most `capacity` buckets.
 *
 * @example
 * ```ts
 * import { SeriesHistory } from 'telltale'
 * const history = new SeriesHistory(4)
 * for (let i = 0; i < 8; i++) history.add(i === 3 ? 100 : 1, i)
 * console.log(history.buckets().map((b) => [b.iteration, b.width, b.max])) // [ [ 0, 2, 1 ], [ 2, 2, 100 ], [ 4, 2, 1 ], [ 6, 2, 1 ] ]
 * ```
 */
export class SeriesHistory {
  readonly capacity: number
  #width = 1
  #buckets: MutableBucket[] = []
  #version = 0
  #view: { readonly version: number; readonly buckets: readonly HistoryBucket[] } | null = null

  constructor(capacity: number = DEFAULT_HISTORY_BUCKETS) {
    this.capacity = Math.max(2, Math.floor(capacity))
  }

  /** Iterations a bucket covers now: a power of two. */
  get width(): number {
    return this.#width
  }

  /** Adds a value; a late one goes where its iteration belongs. */
  add(value: number, iteration: number): void {
    this.#version++
    const bucket = this.#bucketFor(iteration)
    if (Number.isFinite(value)) {
      if (bucket.count === 0 || value < bucket.min) bucket.min = value
      if (bucket.count === 0 || value > bucket.max) bucket.max = value
      bucket.sum += value
      bucket.count++
    } else bucket.nonFinite++
    if (iteration >= bucket.lastIteration) {
      bucket.last = value
      bucket.lastIteration = iteration
    }
    while (this.#buckets.length > this.capacity) this.#widen()
  }

  /** All buckets in order of iteration. Made once and kept until new data comes. */
  buckets(): readonly HistoryBucket[] {
    if (this.#view?.version === this.#version) return this.#view.buckets
    const width = this.#width
    const buckets = this.#buckets.map(
      (b): HistoryBucket => ({
        iteration: b.iteration,
        width,
        min: b.count ? b.min : Number.NaN,
        max: b.count ? b.max : Number.NaN,
        mean: b.count ? b.sum / b.count : Number.NaN,
        last: b.last,
        lastIteration: b.lastIteration,
        count: b.count,
        nonFinite: b.nonFinite,
      }),
    )
    this.#view = { version: this.#version, buckets }
    return buckets
  }

  /**
   * Takes out what lies at or after `iteration` and returns it, for the superseded part of a resumed run. A bucket that
   * begins before `iteration` stays, since it cannot be split.
   */
  cutFrom(iteration: number): readonly HistoryBucket[] {
    const all = this.buckets()
    let at = all.length
    while (at > 0 && all[at - 1]!.iteration >= iteration) at--
    this.#buckets.length = at
    // What is left of a bucket that cannot be split must not outlive what is done again.
    const boundary = this.#buckets[at - 1]
    if (boundary && boundary.lastIteration >= iteration) boundary.lastIteration = iteration - 1
    this.#version++
    return all.slice(at)
  }

  #bucketFor(iteration: number): MutableBucket {
    const start = Math.floor(iteration / this.#width) * this.#width
    const buckets = this.#buckets
    const newest = buckets[buckets.length - 1]
    if (newest?.iteration === start) return newest
    let at = buckets.length
    if (newest && newest.iteration > start) {
      let low = 0
      let high = buckets.length
      while (low < high) {
        const middle = (low + high) >> 1
        if (buckets[middle]!.iteration < start) low = middle + 1
        else high = middle
      }
      if (buckets[low]?.iteration === start) return buckets[low]!
      at = low
    }
    const bucket: MutableBucket = {
      iteration: start,
      min: 0,
      max: 0,
      sum: 0,
      last: Number.NaN,
      lastIteration: -1,
      count: 0,
      nonFinite: 0,
    }
    if (at === buckets.length) buckets.push(bucket)
    else buckets.splice(at, 0, bucket)
    return bucket
  }

  #widen(): void {
    this.#width *= 2
    const merged: MutableBucket[] = []
    for (const bucket of this.#buckets) {
      const start = Math.floor(bucket.iteration / this.#width) * this.#width
      const into = merged[merged.length - 1]
      if (into?.iteration === start) mergeInto(into, bucket)
      else {
        bucket.iteration = start
        merged.push(bucket)
      }
    }
    this.#buckets = merged
  }
}

function mergeInto(into: MutableBucket, from: MutableBucket): void {
  if (from.count > 0) {
    into.min = into.count > 0 ? Math.min(into.min, from.min) : from.min
    into.max = into.count > 0 ? Math.max(into.max, from.max) : from.max
    into.sum += from.sum
    into.count += from.count
  }
  into.nonFinite += from.nonFinite
  if (from.lastIteration >= into.lastIteration) {
    into.last = from.last
    into.lastIteration = from.lastIteration
  }
}
