/**
 * A run in pieces of iterations, so that what needs all series of an iteration side by side need not hold the run.
 *
 * @module
 */
import type { RunStore } from '../stores/store.ts'

/** Iterations from one to another, both in it. */
export interface IterationWindow {
  readonly from: number
  readonly to: number
}

/** Parts that a range of iterations is counted in. */
const PARTS = 4096

/**
 * Windows one after the other that have all values of a run, each at most so many; more only where one iteration has more.
 *
 * The values are counted first, in one pass. Where most of them stand close together in a long range, that part is counted once more.
 */
export function* iterationWindows(store: RunStore, key: string, most: number): Generator<IterationWindow> {
  const series = store.series(key)
  if (series.length === 0) return
  const whole = {
    from: series.reduce((least, { firstIteration }) => Math.min(least, firstIteration), Number.POSITIVE_INFINITY),
    to: series.reduce((largest, { lastIteration }) => Math.max(largest, lastIteration), Number.NEGATIVE_INFINITY),
  }
  if (series.reduce((sum, { count }) => sum + count, 0) <= most) yield whole
  else yield* windowsIn(store, key, most, whole)
}

function* windowsIn(
  store: RunStore,
  key: string,
  most: number,
  { from, to }: IterationWindow,
): Generator<IterationWindow> {
  const width = Math.ceil((to - from + 1) / PARTS)
  const counts = countsIn(store, key, { from, to }, width)
  let start = from
  let held = 0
  for (const [i, count] of counts.entries()) {
    const first = from + i * width
    if (held > 0 && held + count > most) {
      yield { from: start, to: first - 1 }
      held = 0
    }
    if (held === 0) start = first
    if (count > most && width > 1)
      yield* windowsIn(store, key, most, { from: first, to: Math.min(to, first + width - 1) })
    else held += count
  }
  if (held > 0) yield { from: start, to }
}

function countsIn(store: RunStore, key: string, { from, to }: IterationWindow, width: number): Float64Array {
  const counts = new Float64Array(PARTS)
  for (const { iterations } of store.everyPoint(key))
    for (const iteration of iterations)
      if (iteration >= from && iteration <= to) counts[Math.floor((iteration - from) / width)]!++
  return counts
}
