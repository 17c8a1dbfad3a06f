/**
 * A piece of a series: values as JSON, which any tool reads, and what they come to.
 *
 * @module
 */

/** Values in a chunk at the most. */
export const CHUNK_VALUES = 512

/** A piece of a series, of one attempt. */
export interface Chunk {
  readonly attempt: number
  readonly iterations: number[]
  readonly values: number[]
}

/** What a chunk comes to. */
export interface ChunkSummary {
  readonly first: number
  readonly last: number
  readonly finite: number
  /** Of the finite values; null where there is none. */
  readonly minimum: number | null
  readonly maximum: number | null
  readonly total: number
}

export function summaryOf({ iterations, values }: Chunk): ChunkSummary {
  let finite = 0
  let minimum = Number.POSITIVE_INFINITY
  let maximum = Number.NEGATIVE_INFINITY
  let total = 0
  for (const value of values) {
    if (!Number.isFinite(value)) continue
    finite++
    if (value < minimum) minimum = value
    if (value > maximum) maximum = value
    total += value
  }
  let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const iteration of iterations) {
    if (iteration < first) first = iteration
    if (iteration > last) last = iteration
  }
  const some = finite > 0
  // A sum of huge values may overflow: a mean that is none is left to who divides.
  return { first, last, finite, minimum: some ? minimum : null, maximum: some ? maximum : null, total }
}

/** Iterations as a stride where they have one, or as a JSON array. */
export function encodeIterations(iterations: readonly number[]): {
  readonly stride: number | null
  readonly list: string | null
} {
  const stride = iterations.length > 1 ? iterations[1]! - iterations[0]! : 1
  for (let i = 1; i < iterations.length; i++)
    if (iterations[i]! - iterations[i - 1]! !== stride) return { stride: null, list: JSON.stringify(iterations) }
  return stride > 0 ? { stride, list: null } : { stride: null, list: JSON.stringify(iterations) }
}

export function decodeIterations(first: number, count: number, stride: number | null, list: string | null): number[] {
  if (list !== null) return JSON.parse(list) as number[]
  return Array.from({ length: count }, (_, i) => first + i * (stride ?? 1))
}

/** Numbers as JSON has them; NaN, infinities and minus zero as texts, so that they come back as they were. */
export function encodeValues(values: readonly number[]): string {
  let text = '['
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!
    if (i > 0) text += ','
    text += !Number.isFinite(value) || Object.is(value, -0) ? `"${Object.is(value, -0) ? '-0' : value}"` : value
  }
  return `${text}]`
}

export function decodeValues(text: string): number[] {
  return (JSON.parse(text) as (number | string)[]).map(Number)
}
