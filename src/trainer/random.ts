/**
 * The trainer's own chance: seeded, with a state that goes into checkpoints, so that a run can be repeated and resumed
 * with the same numbers.
 *
 * @module
 */

/** A stream of random numbers. */
export interface RandomStream {
  /** Uniform in [0, 1), 32 bits. */
  uniform(): number
  /** Standard normal. */
  normal(): number
  /** Uniform integer in [0, bound). */
  integer(bound: number): number
  /** The numbers from 0 to length - 1 in random order. */
  permutation(length: number): Int32Array
  /** The state, as four unsigned 32-bit integers. */
  state(): readonly number[]
}

/**
 * A stream from a seed (any finite number; its integer part modulo 2^32 counts) and a name, so that uses do not overlap.
 *
 * @example
 * ```ts
 * import { randomStream } from 'telltale/trainer'
 * const [first, again, other] = [randomStream(1, 'drafts'), randomStream(1, 'drafts'), randomStream(1, 'answers')]
 * const number = first.uniform()
 * console.log(number === again.uniform(), number === other.uniform()) // true false
 * ```
 */
export function randomStream(seed: number, name = ''): RandomStream {
  // splitmix32 spreads similar seeds far apart.
  let mixed = (Math.floor(seed) ^ hash(name)) >>> 0
  const next = () => {
    mixed = (mixed + 0x9e3779b9) >>> 0
    let z = mixed
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b)
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35)
    return (z ^ (z >>> 16)) >>> 0
  }
  return restoredStream([next(), next(), next(), next() || 1])
}

/** A stream that goes on from a saved state (xoshiro128**, Blackman and Vigna 2018). */
export function restoredStream(state: readonly number[]): RandomStream {
  let [a, b, c, d] = state.map((word) => word >>> 0) as [number, number, number, number]
  const bits = () => {
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0
    const t = (b << 9) >>> 0
    c = (c ^ a) >>> 0
    d = (d ^ b) >>> 0
    b = (b ^ c) >>> 0
    a = (a ^ d) >>> 0
    c = (c ^ t) >>> 0
    d = rotate(d, 11) >>> 0
    return result
  }
  const stream: RandomStream = {
    uniform: () => bits() / 4294967296,
    normal() {
      const radius = Math.sqrt(-2 * Math.log(1 - stream.uniform()))
      return radius * Math.cos(2 * Math.PI * stream.uniform())
    },
    integer: (bound) => Math.floor(stream.uniform() * bound),
    permutation(length) {
      const order = Int32Array.from({ length }, (_, i) => i)
      for (let i = length - 1; i > 0; i--) {
        const j = stream.integer(i + 1)
        const swapped = order[i]!
        order[i] = order[j]!
        order[j] = swapped
      }
      return order
    },
    state: () => [a, b, c, d],
  }
  return stream
}

function rotate(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by))
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193)
  return value >>> 0
}
