/**
 * How far a run is and how it stands, in the same words wherever that is said.
 *
 * @module
 */
import { formatNumber, plural } from './report/format.ts'

/** What is known of how far a run is. */
export interface RunProgress {
  /** Step reached, counted from 0 or 1. */
  readonly iterations: number
  /** Iterations that have been logged; null or left out where that is not known. */
  readonly loggedIterations?: number | null | undefined
  /** Iterations that there are to be, or null. */
  readonly totalIterations?: number | null | undefined
}

/** What is said of a run whose log does not say that it ended, by whoever only reads it. */
export const NO_END = 'its log has no end'

/** `600 iterations`, `600 of 1,000 iterations`, and of a trainer that logs every tenth `600 iterations, 60 of them logged`. */
export function iterationsWords(run: RunProgress): string {
  return `${stepWords(run)}${loggedWords(run, ', ')}`
}

/** The step reached alone: `600 of 1,000 iterations`. */
export function stepWords({ iterations, totalIterations }: RunProgress): string {
  return totalIterations == null
    ? plural(iterations, 'iteration')
    : `${formatNumber(iterations)} of ${plural(totalIterations, 'iteration')}`
}

/** `60 of them logged` behind what parts it from the step; nothing where all were, or that is not known. */
export function loggedWords({ iterations, loggedIterations }: RunProgress, before: string): string {
  return loggedIterations == null || loggedIterations >= iterations
    ? ''
    : `${before}${formatNumber(loggedIterations)} of them logged`
}

/** How a run stands for who only reads it: nobody knows whether one without an end goes on. */
export function readStatusWords(status: string): string {
  return status === 'running' ? NO_END : status
}
