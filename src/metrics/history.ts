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
  /** One row of {@link FIELDS} a bucket, grown by doubling: what an event touches lies in one line of the processor's cache. */
  #rows: Float64Array
  #version = 0
  #view: { readonly version: number; readonly buckets: readonly HistoryBucket[] } | null = null

  constructor(capacity: number = DEFAULT_HISTORY_BUCKETS) {
    this.capacity = Math.max(2, Math.floor(capacity))
    this.#rows = new Float64Array(FIELDS * Math.min(FIRST_ALLOCATION, this.capacity + 1))
  }

  /** Iterations a bucket covers now: a power of two. */
  get width(): number {
    return this.#width
  }

  /** Adds a value; a late one goes where its iteration belongs. */
  add(value: number, iteration: number): void {
    this.#version++
    const at = FIELDS * this.#bucketFor(iteration)
    const rows = this.#rows
    if (Number.isFinite(value)) {
      const count = rows[at + COUNT]!
      if (count === 0 || value < rows[at + MIN]!) rows[at + MIN] = value
      if (count === 0 || value > rows[at + MAX]!) rows[at + MAX] = value
      rows[at + SUM] = rows[at + SUM]! + value
      rows[at + COUNT] = count + 1
    } else rows[at + NON_FINITE] = rows[at + NON_FINITE]! + 1
    if (iteration >= rows[at + LAST_ITERATION]!) {
      rows[at + LAST] = value
      rows[at + LAST_ITERATION] = iteration
    }
    while (this.#length > this.capacity) this.#widen()
  }

  /** All buckets in order of iteration. Made once and kept until new data comes. */
  buckets(): readonly HistoryBucket[] {
    if (this.#view?.version === this.#version) return this.#view.buckets
    const rows = this.#rows
    const buckets = Array.from({ length: this.#length }, (_, i): HistoryBucket => {
      const at = FIELDS * i
      const count = rows[at + COUNT]!
      return {
        iteration: rows[at + ITERATION]!,
        width: this.#width,
        min: count ? rows[at + MIN]! : Number.NaN,
        max: count ? rows[at + MAX]! : Number.NaN,
        mean: count ? rows[at + SUM]! / count : Number.NaN,
        last: rows[at + LAST]!,
        lastIteration: rows[at + LAST_ITERATION]!,
        count,
        nonFinite: rows[at + NON_FINITE]!,
      }
    })
    this.#view = { version: this.#version, buckets }
    return buckets
  }

  /**
   * The run in at most `size` means of finite values, oldest first: of neighbouring buckets where there are more of them; NaN
   * where there was no finite one.
   */
  means(size: number): number[] {
    const rows = this.#rows
    const share = Math.max(1, Math.ceil(this.#length / size))
    const means: number[] = []
    for (let from = 0; from < this.#length; from += share) {
      let mean = 0
      let count = 0
      for (let i = from; i < Math.min(from + share, this.#length); i++) {
        const more = rows[FIELDS * i + COUNT]!
        if (more === 0) continue
        const before = count
        count += more
        mean = mean * (before / count) + (rows[FIELDS * i + SUM]! / more) * (more / count)
      }
      means.push(count > 0 ? mean : Number.NaN)
    }
    return means
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
    const last = FIELDS * (at - 1) + LAST_ITERATION
    if (at > 0 && this.#rows[last]! >= iteration) this.#rows[last] = iteration - 1
    this.#version++
    return all.slice(at)
  }

  /** Index of the bucket of an iteration, made where there is none. */
  #bucketFor(iteration: number): number {
    const start = Math.floor(iteration / this.#width) * this.#width
    let at = this.#length
    if (at > 0) {
      const newest = this.#rows[FIELDS * (at - 1)]!
      // Nearly every value is of the newest iteration or of the next.
      if (newest === start) return at - 1
      if (newest > start) {
        let low = 0
        let high = at
        while (low < high) {
          const middle = (low + high) >> 1
          if (this.#rows[FIELDS * middle]! < start) low = middle + 1
          else high = middle
        }
        if (this.#rows[FIELDS * low] === start) return low
        at = low
      }
    }
    this.#insert(at, start)
    return at
  }

  #insert(at: number, start: number): void {
    if (FIELDS * this.#length === this.#rows.length) this.#grow()
    const rows = this.#rows
    const row = FIELDS * at
    if (at < this.#length) rows.copyWithin(row + FIELDS, row, FIELDS * this.#length)
    rows[row + ITERATION] = start
    rows[row + MIN] = 0
    rows[row + MAX] = 0
    rows[row + SUM] = 0
    rows[row + LAST] = Number.NaN
    rows[row + LAST_ITERATION] = -1
    rows[row + COUNT] = 0
    rows[row + NON_FINITE] = 0
    this.#length++
  }

  #grow(): void {
    const grown = new Float64Array(Math.min(2 * this.#rows.length, FIELDS * (this.capacity + 1)))
    grown.set(this.#rows)
    this.#rows = grown
  }

  /** Doubles the width; neighbours that fall into one bucket are merged in place. */
  #widen(): void {
    this.#width *= 2
    const rows = this.#rows
    let kept = 0
    for (let i = 0; i < this.#length; i++) {
      const row = FIELDS * i
      const start = Math.floor(rows[row]! / this.#width) * this.#width
      if (kept > 0 && rows[FIELDS * (kept - 1)] === start) this.#mergeInto(FIELDS * (kept - 1), row)
      else {
        rows.copyWithin(FIELDS * kept, row, row + FIELDS)
        rows[FIELDS * kept++] = start
      }
    }
    this.#length = kept
  }

  #mergeInto(into: number, from: number): void {
    const rows = this.#rows
    if (rows[from + COUNT]! > 0) {
      const some = rows[into + COUNT]! > 0
      rows[into + MIN] = some ? Math.min(rows[into + MIN]!, rows[from + MIN]!) : rows[from + MIN]!
      rows[into + MAX] = some ? Math.max(rows[into + MAX]!, rows[from + MAX]!) : rows[from + MAX]!
      rows[into + SUM] = rows[into + SUM]! + rows[from + SUM]!
      rows[into + COUNT] = rows[into + COUNT]! + rows[from + COUNT]!
    }
    rows[into + NON_FINITE] = rows[into + NON_FINITE]! + rows[from + NON_FINITE]!
    if (rows[from + LAST_ITERATION]! >= rows[into + LAST_ITERATION]!) {
      rows[into + LAST] = rows[from + LAST]!
      rows[into + LAST_ITERATION] = rows[from + LAST_ITERATION]!
    }
  }
}

/** Where in the row of a bucket each of its numbers stands, and how many there are. */
const ITERATION = 0
const MIN = 1
const MAX = 2
const SUM = 3
const LAST = 4
const LAST_ITERATION = 5
const COUNT = 6
const NON_FINITE = 7
const FIELDS = 8

/** Buckets that there is room for at first. */
const FIRST_ALLOCATION = 16
