/**
 * Writes wire format v1 by hand: this is the hot path, and building the text directly is several times faster than
 * `JSON.stringify` of an object made for it.
 *
 * @module
 */
import type { TrainingEvent } from '../events.ts'
import { plainJson } from '../text/plain-json.ts'

/** Samples kept of one iteration, and characters of one text, from the wire format. */
export const MAX_SAMPLES = 64
export const MAX_SAMPLE_CHARACTERS = 32 * 1024

/** The metadata names that travel in a `samples` line of their own. */
export const SAMPLE_FIELDS: ReadonlySet<string> = new Set(['prompts', 'responses', 'rewards'])

/** What the text of one event line is made of, after the head that names run, writer, sequence and time. */
export function encodeEventBody(event: TrainingEvent, samplesSeq: number | null): { text: string; cut: boolean } {
  let text = `,"phase":"${event.phase}","iteration":${event.iteration}`
  const names = Object.keys(event.metrics)
  if (names.length > 0) {
    text += ',"metrics":{'
    for (let i = 0; i < names.length; i++) {
      const name = names[i]!
      text += i === 0 ? encodeName(name) : `,${encodeName(name)}`
      text += encodeNumber(event.metrics[name]!)
    }
    text += '}'
  }
  let cut = false
  if (hasOtherFields(event.metadata)) {
    const metadata = plainJson(event.metadata, SAMPLE_FIELDS)
    if (metadata.text !== '{}' && metadata.text !== 'null') text += `,"metadata":${metadata.text}`
    cut = metadata.cut
  }
  if (samplesSeq !== null) text += `,"samples":${samplesSeq}`
  return { text, cut }
}

/** A number as the wire format has it: non-finite ones as strings, and minus zero with its sign, as JSON can. */
export function encodeNumber(value: number): string {
  if (value === 0) return Object.is(value, -0) ? '-0' : '0'
  return Number.isFinite(value) ? `${value}` : `"${value}"`
}

const encodedNames = new Map<string, string>()

/** `"name":`, remembered for the names of a run, which come again every iteration. */
function encodeName(name: string): string {
  let encoded = encodedNames.get(name)
  if (encoded === undefined) {
    encoded = `${JSON.stringify(name)}:`
    if (encodedNames.size < 4000 && name.length <= 250) encodedNames.set(name, encoded)
  }
  return encoded
}

/** Whether there is anything to encode besides samples; asked without listing what may be a million fields. */
function hasOtherFields(metadata: Readonly<Record<string, unknown>>): boolean {
  try {
    for (const name in metadata) if (!SAMPLE_FIELDS.has(name)) return true
    return false
  } catch {
    // What cannot even be listed is left to plainJson, which counts it as cut.
    return true
  }
}

/** The samples of an event, cut to the wire format's limits. */
export interface EncodedSamples {
  readonly prompts: readonly string[]
  readonly responses: readonly string[]
  readonly rewards: readonly number[]
  /** Texts left out or shortened. */
  readonly dropped: number
}

/** Reads `prompts`, `responses` and `rewards` from an event's metadata; null where there is none of them. */
export function samplesOf(event: TrainingEvent): EncodedSamples | null {
  const prompts = field(event.metadata, 'prompts')
  const responses = field(event.metadata, 'responses')
  const rewards = field(event.metadata, 'rewards')
  if (prompts === undefined && responses === undefined && rewards === undefined) return null
  let dropped = 0
  const texts = (values: unknown): string[] => {
    if (!Array.isArray(values)) return []
    dropped += Math.max(0, values.length - MAX_SAMPLES)
    return values.slice(0, MAX_SAMPLES).map((value: unknown) => {
      const whole = typeof value === 'string' ? value : ''
      if (typeof value === 'string' && whole.length <= MAX_SAMPLE_CHARACTERS) return whole
      dropped++
      return whole.slice(0, MAX_SAMPLE_CHARACTERS)
    })
  }
  const keptResponses = texts(responses)
  // Prompts are dropped with their responses, and counted once.
  const before = dropped
  const keptPrompts = texts(prompts)
  if (keptResponses.length > 0)
    dropped = before + keptPrompts.filter((prompt, i) => prompt !== (prompts as unknown[])[i]).length
  const keptRewards = isNumeric(rewards)
    ? Array.from({ length: Math.min(rewards.length, MAX_SAMPLES) }, (_, i) =>
        typeof rewards[i] === 'number' ? rewards[i]! : Number.NaN,
      )
    : []
  if (keptResponses.length + keptPrompts.length + keptRewards.length === 0) return null
  return { prompts: keptPrompts, responses: keptResponses, rewards: keptRewards, dropped }
}

function field(metadata: Readonly<Record<string, unknown>>, name: string): unknown {
  try {
    return metadata[name]
  } catch {
    return undefined
  }
}

function isNumeric(value: unknown): value is ArrayLike<number> {
  return Array.isArray(value) || value instanceof Float32Array || value instanceof Float64Array
}

/** Whether two lists of texts are equal, so that answers logged once are not logged again with their rewards. */
export function sameTexts(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}
