import type { MetricsStore } from '../metrics/store.ts'
import type { SeriesPoints } from './store.ts'

/**
 * Gives a run's series back to memory as they were, from what is stored of them: far faster than to read and judge the run's files again.
 *
 * @param points from {@link RunStore.everyPoint}, attempt by attempt.
 */
export function refill(
  store: MetricsStore,
  points: Iterable<SeriesPoints>,
  attempts: readonly { readonly attempt: number; readonly fromIteration: number }[],
): void {
  const begun = new Set([attempts[0]?.attempt ?? 1])
  const newest = new Map<string, number>()
  for (const { name, original, attempt, iterations, values } of points) {
    for (const one of attempts) {
      if (one.attempt > attempt || begun.has(one.attempt)) continue
      begun.add(one.attempt)
      newest.clear()
      store.beginAttempt(one.attempt, one.fromIteration)
    }
    let last = newest.get(name) ?? -1
    for (let i = 0; i < values.length; i++) {
      const iteration = iterations[i]!
      // What came after its iteration was over is in the history only.
      if (iteration < last) store.addLate(original, values[i]!, iteration)
      else {
        store.add(original, values[i]!, iteration)
        last = iteration
      }
    }
    newest.set(name, last)
  }
  for (const one of attempts) if (!begun.has(one.attempt)) store.beginAttempt(one.attempt, one.fromIteration)
}
