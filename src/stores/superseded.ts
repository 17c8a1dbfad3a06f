import type { RunState } from './store.ts'

/** First iteration that a later attempt did again: values of `attempt` from there on are superseded. Infinity where none did. */
export function supersededFrom(attempts: RunState['attempts'], attempt: number): number {
  let first = Number.POSITIVE_INFINITY
  for (const one of attempts) if (one.attempt > attempt) first = Math.min(first, one.fromIteration)
  return first
}
