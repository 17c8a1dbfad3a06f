/**
 * Lines that other trainers write: `{"step":3,"loss":0.1}`, and verl's `{"step":3,"data":{…}}`.
 *
 * @module
 */
import { errorMessage } from '../errors.ts'
import { decodeNumber } from './decode-metrics.ts'

/** What one flat line says. */
export interface FlatLine {
  readonly step: number
  /** Numbers by the trainer's names; non-finite ones are values. */
  readonly metrics: Readonly<Record<string, number>>
  /** `prompts`, `responses` and `rewards`, where the line has them. */
  readonly metadata: Readonly<Record<string, unknown>>
  /** Unix seconds, or null where the line does not say. */
  readonly time: number | null
}

const STEP_KEYS = ['step', 'global_step', 'iteration', '_step', 'training/global_step', 'train/global_step'] as const
const TIME_KEYS = ['time', 'timestamp', '_timestamp'] as const
/** A name like any other, once the record has no prototype. */
const PROTO = '__proto__'
const SAMPLE_KEYS = [
  ['prompts', 'prompts'],
  ['responses', 'responses'],
  ['completions', 'responses'],
  ['rewards', 'rewards'],
] as const

/** One line as JSON, or what is wrong with it. Python writes NaN and Infinity as bare words, which JSON has not. */
export function parseJsonLine(text: string): { readonly value: unknown } | { readonly problem: string } {
  const line = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text
  try {
    return { value: JSON.parse(line) }
  } catch (error) {
    if (!/NaN|Infinity/.test(line)) return { problem: `not JSON: ${errorMessage(error)}` }
  }
  try {
    // The closing quote may lack: were a text without an end no match, its end would be looked for from each of its quotes.
    const quoted = line.replace(/"[^"\\]*(?:\\.[^"\\]*)*"?|-?Infinity|NaN/gs, (word) =>
      word[0] === '"' ? word : `"${word}"`,
    )
    return { value: JSON.parse(quoted) }
  } catch (error) {
    return { problem: `not JSON: ${errorMessage(error)}` }
  }
}

/** Reads a flat line from its JSON; never throws. */
export function flatLine(value: unknown): FlatLine | { readonly problem: string } {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { problem: 'not an object' }
  const record = value as Readonly<Record<string, unknown>>
  const nested = own(record, 'data')
  const data =
    typeof nested === 'object' && nested !== null && !Array.isArray(nested)
      ? (nested as Readonly<Record<string, unknown>>)
      : null
  const step = firstNumber(STEP_KEYS, record, data)
  if (step === null) return { problem: `no step: expected a number under ${STEP_KEYS.slice(0, 3).join(', ')}` }
  if (!Number.isSafeInteger(step) || step < 0) return { problem: `step is ${step}; expected an integer of at least 0` }
  // Made with a prototype, which is taken away at the end: a record that never had one is several times slower to copy and to read.
  const metrics: Record<string, number> = {}
  const metadata: Record<string, unknown> = Object.create(null)
  const source = data ?? record
  for (const name of Object.keys(source)) {
    const number = decodeNumber(source[name])
    if (number !== null && name !== PROTO && !isPlace(name)) metrics[name] = number
  }
  Object.setPrototypeOf(metrics, null)
  const named = decodeNumber(own(source, PROTO))
  if (named !== null) metrics[PROTO] = named
  for (const [key, name] of SAMPLE_KEYS) {
    const samples = own(source, key)
    if (Array.isArray(samples)) metadata[name] = samples
  }
  return { step, metrics, metadata, time: firstNumber(TIME_KEYS, record, data) }
}

/** Names that say where and when, not what. */
function isPlace(name: string): boolean {
  return (STEP_KEYS as readonly string[]).includes(name) || (TIME_KEYS as readonly string[]).includes(name)
}

function firstNumber(keys: readonly string[], ...records: readonly (Readonly<Record<string, unknown>> | null)[]) {
  for (const record of records) {
    for (const key of keys) {
      const value = record === null ? undefined : own(record, key)
      if (typeof value === 'number') return value
    }
  }
  return null
}

function own(record: Readonly<Record<string, unknown>>, key: string): unknown {
  return Object.hasOwn(record, key) ? record[key] : undefined
}
