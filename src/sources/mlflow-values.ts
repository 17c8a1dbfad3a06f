/**
 * What MLflow's two stores share: how values, parameters and the state of a run are written.
 *
 * @module
 */
import type { SourceRecord } from './source.ts'

/** MLflow writes an infinity as the largest number there is. */
export function mlflowValue(value: number): number {
  return Math.abs(value) === Number.MAX_VALUE ? Math.sign(value) * Number.POSITIVE_INFINITY : value
}

/** Parameters are texts; one that is a number is meant as one. */
export function paramValue(text: string): string | number {
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : text
}

/** The end that a state means: a name as the database has it, or its number as the files have it. Null while the run goes on. */
export function endOfRun(state: string): SourceRecord | null {
  switch (state) {
    case 'FINISHED':
    case '3':
      return { type: 'end', status: 'completed' }
    case 'FAILED':
    case '4':
      return { type: 'end', status: 'failed' }
    case 'KILLED':
    case '5':
      return { type: 'end', status: 'stopped' }
    default:
      return null
  }
}
