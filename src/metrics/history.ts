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
  /** Largest finite value; NaN where there was none. */
  readonly max: number
  /** Mean of the finite values; NaN where there was none. */
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
  /** Buckets that it keeps at most; 1,024 by default. */
  readonly capacity: number
  #width = 1
  #length = 0
  /** One array a field, grown by doubling: an object a bucket would take four times the memory. */
  #fields: Record<Field, Float64Array>
  #version = 0
  #view: { readonly version: number; readonly buckets: readonly HistoryBucket[] } | null = null

  constructor(capacity: number = DEFAULT_HISTORY_BUCKETS) {
    this.capacity = Math.max(2, Math.floor(capacity))
    this.#fields = mapFields(() => new Float64Array(Math.min(FIRST_ALLOCATION, this.capacity + 1)))
  }

  /** Iterations a bucket covers now: a power of two. */
  get width(): number {
    return this.#width
  }

  /** Adds a value; a late one goes where its iteration belongs. */
  add(value: number, iteration: number): void {
    this.#version++
    const at = this.#bucketFor(iteration)
    const { min, max, sum, last, lastIteration, count, nonFinite } = this.#fields
    if (Number.isFinite(value)) {
      if (count[at] === 0 || value < min[at]!) min[at] = value
      if (count[at] === 0 || value > max[at]!) max[at] = value
      sum[at] = sum[at]! + value
      count[at] = count[at]! + 1
    } else nonFinite[at] = nonFinite[at]! + 1
    if (iteration >= lastIteration[at]!) {
      last[at] = value
      lastIteration[at] = iteration
    }
    while (this.#length > this.capacity) this.#widen()
  }

  /** All buckets in order of iteration. Made once and kept until new data comes. */
  buckets(): readonly HistoryBucket[] {
    if (this.#view?.version === this.#version) return this.#view.buckets
    const { iteration, min, max, sum, last, lastIteration, count, nonFinite } = this.#fields
    const buckets = Array.from({ length: this.#length }, (_, i): HistoryBucket => {
      const values = count[i]!
      return {
        iteration: iteration[i]!,
        width: this.#width,
        min: values ? min[i]! : Number.NaN,
        max: values ? max[i]! : Number.NaN,
        mean: values ? sum[i]! / values : Number.NaN,
        last: last[i]!,
        lastIteration: lastIteration[i]!,
        count: values,
        nonFinite: nonFinite[i]!,
      }
    })
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
    this.#length = at
    // What is left of a bucket that cannot be split must not outlive what is done again.
    const { lastIteration } = this.#fields
    if (at > 0 && lastIteration[at - 1]! >= iteration) lastIteration[at - 1] = iteration - 1
    this.#version++
    return all.slice(at)
  }

  /** Index of the bucket of an iteration, made where there is none. */
  #bucketFor(iteration: number): number {
    const start = Math.floor(iteration / this.#width) * this.#width
    const starts = this.#fields.iteration
    let at = this.#length
    if (at > 0 && starts[at - 1]! >= start) {
      let low = 0
      let high = at
      while (low < high) {
        const middle = (low + high) >> 1
        if (starts[middle]! < start) low = middle + 1
        else high = middle
      }
      if (starts[low] === start) return low
      at = low
    }
    this.#insert(at, start)
    return at
  }

  #insert(at: number, start: number): void {
    if (this.#length === this.#fields.iteration.length) this.#grow()
    for (const field of FIELDS) {
      const values = this.#fields[field]
      values.copyWithin(at + 1, at, this.#length)
      values[at] = 0
    }
    this.#fields.iteration[at] = start
    this.#fields.last[at] = Number.NaN
    this.#fields.lastIteration[at] = -1
    this.#length++
  }

  #grow(): void {
    const size = Math.min(2 * this.#fields.iteration.length, this.capacity + 1)
    this.#fields = mapFields((field) => {
      const grown = new Float64Array(size)
      grown.set(this.#fields[field])
      return grown
    })
  }

  /** Doubles the width; neighbours that fall into one bucket are merged in place. */
  #widen(): void {
    this.#width *= 2
    const { iteration } = this.#fields
    let kept = 0
    for (let i = 0; i < this.#length; i++) {
      const start = Math.floor(iteration[i]! / this.#width) * this.#width
      if (kept > 0 && iteration[kept - 1] === start) this.#mergeInto(kept - 1, i)
      else {
        for (const field of FIELDS) this.#fields[field][kept] = this.#fields[field][i]!
        iteration[kept++] = start
      }
    }
    this.#length = kept
  }

  #mergeInto(into: number, from: number): void {
    const { min, max, sum, last, lastIteration, count, nonFinite } = this.#fields
    if (count[from]! > 0) {
      min[into] = count[into]! > 0 ? Math.min(min[into]!, min[from]!) : min[from]!
      max[into] = count[into]! > 0 ? Math.max(max[into]!, max[from]!) : max[from]!
      sum[into] = sum[into]! + sum[from]!
      count[into] = count[into]! + count[from]!
    }
    nonFinite[into] = nonFinite[into]! + nonFinite[from]!
    if (lastIteration[from]! >= lastIteration[into]!) {
      last[into] = last[from]!
      lastIteration[into] = lastIteration[from]!
    }
  }
}

const FIELDS = ['iteration', 'min', 'max', 'sum', 'last', 'lastIteration', 'count', 'nonFinite'] as const
type Field = (typeof FIELDS)[number]

/** Buckets that there is room for at first. */
const FIRST_ALLOCATION = 16

function mapFields(make: (field: Field) => Float64Array): Record<Field, Float64Array> {
  return Object.fromEntries(FIELDS.map((field) => [field, make(field)])) as Record<Field, Float64Array>
}
