/**
 * What trackio's database and its inbox share: how a call of `log` and the settings of a run are written.
 *
 * @module
 */
import { decodeNumber } from '../log/decode-metrics.ts'
import type { SourceRecord } from './source.ts'
import { trainerStep } from './trainer-step.ts'

const MAX_NAMES = 4000
const MAX_DEPTH = 16

/** The numbers of one call. Where a trainer of Hugging Face logs its own step, that is the step: trackio only counts calls. */
export function loggedPoints(
  value: unknown,
  step: number,
  time: number | null,
): Extract<SourceRecord, { type: 'points' }> | { readonly type: 'nothing' } | { readonly problem: string } {
  if (!isRecord(value)) return { problem: 'no record of numbers' }
  const metrics: Record<string, number> = Object.create(null)
  let names = 0
  const walk = (record: Readonly<Record<string, unknown>>, prefix: string, depth: number): void => {
    // Tables and pictures are marked by a type of their own.
    if ('_type' in record) return
    for (const [name, one] of Object.entries(record)) {
      const number = decodeNumber(one)
      if (number !== null && names < MAX_NAMES) {
        metrics[prefix + name] = number
        names++
      } else if (isRecord(one) && depth < MAX_DEPTH) walk(one, `${prefix}${name}.`, depth + 1)
    }
  }
  walk(value, '', 0)
  const at = trainerStep(metrics) ?? step
  if (!Number.isSafeInteger(at) || at < 0) return { problem: `the step ${step}: expected a whole number of at least 0` }
  return names === 0 ? { type: 'nothing' } : { type: 'points', step: at, time, metrics }
}

/** The settings of a run; trackio's own entries begin with an underscore. */
export function loggedConfig(value: unknown, name: string | null, project: string | null): SourceRecord {
  const config = isRecord(value) ? Object.entries(value).filter(([key]) => !key.startsWith('_')) : []
  return {
    type: 'config',
    config: Object.fromEntries(config),
    ...(name ? { name } : {}),
    ...(project ? { project } : {}),
  }
}

/** Unix seconds of an ISO time; null for what is none. */
export function unixSecondsOf(text: string | null): number | null {
  const milliseconds = text === null ? Number.NaN : Date.parse(text)
  return Number.isNaN(milliseconds) ? null : milliseconds / 1000
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
