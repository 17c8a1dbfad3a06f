/** Values that a {@link MetricsBuffer} keeps, as in the plan: the newest 10,000. */
export const DEFAULT_BUFFER_CAPACITY = 10_000

const FIRST_ALLOCATION = 64

/**
 * The newest values of one metric with their iterations: a ring that grows by doubling up to its capacity, then forgets the
 * oldest. Reading gives typed-array views that are made lazily and kept until new data comes.
 *
 * @example
 * ```ts
 * import { MetricsBuffer } from 'telltale'
 * const buffer = new MetricsBuffer(3)
 * for (const [iteration, value] of [1, 2, 3, 4].entries()) buffer.push(value, iteration)
 * console.log([...buffer.values()], [...buffer.iterations()]) // [ 2, 3, 4 ] [ 1, 2, 3 ]
 * ```
 */
export class MetricsBuffer {
  /** Values that it keeps; 10,000 by default, from the plan. */
  readonly capacity: number
  #values: Float64Array
  #iterations: Float64Array
  /** Where the next value goes. */
  #head = 0
  #length = 0
  #version = 0
  #view: { readonly version: number; readonly values: Float64Array; readonly iterations: Float64Array } | null = null

  constructor(capacity: number = DEFAULT_BUFFER_CAPACITY) {
    this.capacity = Math.max(1, Math.floor(capacity))
    const first = Math.min(FIRST_ALLOCATION, this.capacity)
    this.#values = new Float64Array(first)
    this.#iterations = new Float64Array(first)
  }

  /** How many values are held, at most {@link capacity}. */
  get length(): number {
    return this.#length
  }

  /** Counts changes: equal versions mean equal contents. */
  get version(): number {
    return this.#version
  }

  /** Adds a value (NaN and Infinity included) of an iteration. */
  push(value: number, iteration: number): void {
    if (this.#head === this.#values.length) {
      if (this.#values.length < this.capacity) this.#grow()
      else this.#head = 0
    }
    this.#values[this.#head] = value
    this.#iterations[this.#head] = iteration
    this.#head++
    if (this.#length < this.#values.length) this.#length++
    this.#version++
  }

  /** The newest value, or undefined when empty. */
  latest(): number | undefined {
    return this.#length === 0 ? undefined : this.#values[this.#head - 1]
  }

  /** Iteration of the newest value, or undefined when empty. */
  latestIteration(): number | undefined {
    return this.#length === 0 ? undefined : this.#iterations[this.#head - 1]
  }

  /** Values, oldest first: a view to read, valid until the next push. */
  values(): Float64Array {
    return this.#ordered().values
  }

  /** Iterations of {@link values}, in the same order. */
  iterations(): Float64Array {
    return this.#ordered().iterations
  }

  /** The newest `count` values with their iterations, oldest first, without putting the whole ring in order. */
  newest(count: number): { readonly values: Float64Array; readonly iterations: Float64Array } {
    const size = Math.min(Math.max(0, Math.floor(count)), this.#length)
    const from = this.#head - size
    if (from >= 0) {
      return {
        values: this.#values.subarray(from, this.#head),
        iterations: this.#iterations.subarray(from, this.#head),
      }
    }
    const joined = (ring: Float64Array): Float64Array => {
      const values = new Float64Array(size)
      values.set(ring.subarray(from), 0)
      values.set(ring.subarray(0, this.#head), -from)
      return values
    }
    return { values: joined(this.#values), iterations: joined(this.#iterations) }
  }

  /** Forgets everything of iterations at or after `iteration`: what a resumed run is about to do again. */
  dropFrom(iteration: number): void {
    const { values, iterations } = this.#ordered()
    let kept = 0
    const keptValues = new Float64Array(this.#values.length)
    const keptIterations = new Float64Array(this.#values.length)
    for (let i = 0; i < values.length; i++) {
      if (iterations[i]! >= iteration) continue
      keptValues[kept] = values[i]!
      keptIterations[kept] = iterations[i]!
      kept++
    }
    if (kept === this.#length) return
    this.#values = keptValues
    this.#iterations = keptIterations
    this.#head = kept
    this.#length = kept
    this.#version++
  }

  #ordered(): { readonly values: Float64Array; readonly iterations: Float64Array } {
    if (this.#view?.version === this.#version) return this.#view
    this.#view = {
      version: this.#version,
      values: this.#unrolled(this.#values),
      iterations: this.#unrolled(this.#iterations),
    }
    return this.#view
  }

  /** A ring that has not wrapped is read in place; one that has is copied once. */
  #unrolled(ring: Float64Array): Float64Array {
    if (this.#head === this.#length) return ring.subarray(0, this.#length)
    const ordered = new Float64Array(this.#length)
    ordered.set(ring.subarray(this.#head), 0)
    ordered.set(ring.subarray(0, this.#head), this.#length - this.#head)
    return ordered
  }

  #grow(): void {
    const size = Math.min(this.#values.length * 2, this.capacity)
    const values = new Float64Array(size)
    const iterations = new Float64Array(size)
    values.set(this.#values)
    iterations.set(this.#iterations)
    this.#values = values
    this.#iterations = iterations
  }
}
