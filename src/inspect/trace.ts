/**
 * One statistic over a run of any length in constant memory: its largest value in each of a few hundred equal pieces of the run.
 *
 * @module
 */

/** Pieces at the most; they become twice as long where a run outgrows them. */
const MAX_PIECES = 512

/** A point of a trace: the largest value of a piece, and where it was. */
export type TracePoint = readonly [iteration: number, value: number]

/** A statistic over a run. */
export interface Trace {
  add(iteration: number, value: number): void
  /** In order; at most one a piece. */
  readonly points: readonly TracePoint[]
  /** The largest of all; null before the first. */
  readonly largest: TracePoint | null
}

export function trace(): Trace {
  let pieces: TracePoint[] = []
  let length = 1
  let largest: TracePoint | null = null

  const pieceOf = (iteration: number) => Math.floor(iteration / length)

  function widen(): void {
    length *= 2
    const wider: TracePoint[] = []
    for (const point of pieces) put(wider, point)
    pieces = wider
  }

  function put(into: TracePoint[], point: TracePoint): void {
    const last = into.at(-1)
    if (last === undefined || pieceOf(last[0]) !== pieceOf(point[0])) into.push(point)
    else if (point[1] > last[1]) into[into.length - 1] = point
  }

  return {
    add(iteration, value) {
      if (!Number.isFinite(value)) return
      const point: TracePoint = [iteration, value]
      if (largest === null || value > largest[1]) largest = point
      put(pieces, point)
      if (pieces.length > MAX_PIECES) widen()
    },
    get points() {
      return pieces
    },
    get largest() {
      return largest
    },
  }
}
