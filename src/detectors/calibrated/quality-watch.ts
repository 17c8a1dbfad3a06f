/**
 * The quality of the answers as one signal: every channel that a run logs, each on its own scale, averaged before anything is
 * tested. Many weak signs that move together are a strong one.
 *
 * @module
 */
import { median } from '../../stats/median.ts'
import { serialScale } from '../../stats/serial-scale.ts'
import type { Json, Observation } from '../detector.ts'
import { BLOCK, type Drift, type DriftState, driftWatch, WARM_UP_BLOCKS } from './drift.ts'

/** A series that says something about the quality of answers. */
export interface QualityChannel {
  readonly name: string
  /** The direction that is worse. */
  readonly bad: 'up' | 'down'
  readonly scale: 'linear' | 'log'
  /**
   * Change that counts as one unit at least, in the series' own unit (or in its logarithm). Text statistics drift in every run that
   * learns; without this floor their small noise would make the drift look large. 0 for a score, whose unit is its noise.
   */
  readonly minUnit: number
}

/** Judgements of whole answers by something that was not optimised. */
export const SCORE_CHANNELS: readonly QualityChannel[] = [
  { name: 'quality/heldout_reward', bad: 'down', scale: 'linear', minUnit: 0 },
  { name: 'quality/judge', bad: 'down', scale: 'linear', minUnit: 0 },
]

/** Statistics of the answers' text. */
export const TEXT_CHANNELS: readonly QualityChannel[] = [
  { name: 'quality/ref_perplexity', bad: 'up', scale: 'log', minUnit: 0.1 },
  { name: 'quality/distinct_2', bad: 'down', scale: 'linear', minUnit: 0.1 },
  { name: 'quality/repetition', bad: 'up', scale: 'linear', minUnit: 0.05 },
  { name: 'quality/compression', bad: 'down', scale: 'linear', minUnit: 0.05 },
]

/** Iterations whose values set level and unit of a channel. */
const WARM_UP = BLOCK * WARM_UP_BLOCKS
/** Iterations for which a channel's last value stands in where it was not logged. */
const HOLD = 25
/** Units beyond which a value says nothing more. */
const CLIP = 12
/** Rise of the mean signal that does not matter, in units: changes of prompts bring as much. */
export const QUALITY_MARGIN = 0.6

interface Channel {
  readonly definition: QualityChannel
  warmUp: number[]
  /** Level at the start, and the unit; NaN until the warm-up is over. */
  base: number
  unit: number
  /** Newest signal, and the iterations since. */
  last: number
  age: number
  /** Moving average of the signal, to say which channel moved most. */
  level: number
}

/** The fused signal with what is known of its channels. */
export interface QualityWatch {
  update(observation: Observation): Drift | null
  onset(drift: Drift): { readonly estimate: number; readonly interval: readonly [number, number] }
  /** The channel that is worst now, with its level now and at the start, in its own unit. */
  worst(): { readonly name: string; readonly observed: number; readonly expected: number } | null
  /** Mean level of the channels now, in units above the start. */
  level(): number
  reanchor(): void
  snapshot(): Json
  restore(state: Json): void
}

/** Watches the mean of some channels. */
export function qualityWatch(definitions: readonly QualityChannel[]): QualityWatch {
  const watch = driftWatch({ reference: 'best', margin: QUALITY_MARGIN, minSd: 0.02 })
  let channels = definitions.map(newChannel)
  /** Iterations of which the warm-up values are. */
  let waiting: number[] = []

  function update(observation: Observation): Drift | null {
    let sum = 0
    let count = 0
    let warming = false
    for (const channel of channels) {
      const value = read(channel.definition, observation)
      if (Number.isNaN(channel.unit)) {
        if (value !== undefined) channel.warmUp.push(value)
        if (channel.warmUp.length >= WARM_UP) learn(channel)
        else if (channel.warmUp.length > 0) warming = true
      }
      if (Number.isNaN(channel.unit)) continue
      if (value !== undefined) {
        channel.last = Math.max(-CLIP, Math.min(CLIP, (value - channel.base) / channel.unit))
        channel.level += 0.1 * (channel.last - channel.level)
        channel.age = 0
      } else channel.age++
      if (channel.age > HOLD || Number.isNaN(channel.last)) continue
      sum += channel.last
      count++
    }
    void warming
    if (waiting.length > 0 || count === 0) return warm(observation, count)
    return watch.update(sum / count, observation.iteration)
  }

  /** Until the first channels know their unit, iterations are only counted; then the warm-up is gone through at once. */
  function warm(observation: Observation, count: number): Drift | null {
    if (count === 0) {
      if (channels.some(({ warmUp }) => warmUp.length > 0)) waiting.push(observation.iteration)
      return null
    }
    const known = channels.filter(({ unit }) => !Number.isNaN(unit))
    const length = Math.min(...known.map(({ warmUp }) => warmUp.length))
    const iterations = [...waiting, observation.iteration]
    let drift: Drift | null = null
    for (let i = 0; i < length; i++) {
      let sum = 0
      for (const { warmUp, base, unit } of known)
        sum += Math.max(-CLIP, Math.min(CLIP, (warmUp[warmUp.length - length + i]! - base) / unit))
      const at = iterations[Math.round((i * (iterations.length - 1)) / Math.max(1, length - 1))]!
      drift = watch.update(sum / known.length, at) ?? drift
    }
    waiting = []
    for (const channel of known) channel.warmUp = []
    return drift
  }

  return {
    update,
    onset: (drift) => watch.onset(drift),
    worst() {
      let worst: Channel | null = null
      for (const channel of channels) {
        if (!Number.isNaN(channel.unit) && (worst === null || channel.level > worst.level)) worst = channel
      }
      if (worst === null) return null
      const { definition, base, unit, level } = worst
      return {
        name: definition.name,
        observed: original(definition, base + level * unit),
        expected: original(definition, base),
      }
    },
    level() {
      const known = channels.filter(({ unit, age }) => !Number.isNaN(unit) && age <= HOLD)
      return known.length === 0 ? Number.NaN : known.reduce((sum, { level }) => sum + level, 0) / known.length
    },
    reanchor() {
      watch.reanchor()
      channels = definitions.map(newChannel)
      waiting = []
    },
    snapshot: () =>
      ({
        watch: watch.snapshot(),
        waiting: [...waiting],
        channels: channels.map(({ definition: _, ...rest }) => nulls(rest)),
      }) as unknown as Json,
    restore(saved) {
      const state = saved as unknown as { watch: DriftState; waiting: number[]; channels: Record<string, unknown>[] }
      watch.restore(state.watch)
      waiting = [...state.waiting]
      channels = definitions.map((definition, i) => ({ definition, ...nans(state.channels[i]!) }) as Channel)
    },
  }
}

function newChannel(definition: QualityChannel): Channel {
  return { definition, warmUp: [], base: Number.NaN, unit: Number.NaN, last: Number.NaN, age: 0, level: 0 }
}

function learn(channel: Channel): void {
  channel.base = median(channel.warmUp)
  const { sd } = serialScale(channel.warmUp)
  const { minUnit } = channel.definition
  // A channel that stood still in its warm-up has no noise to be measured by: a hundredth of its level is a change.
  channel.unit = Math.max(sd, minUnit, 1e-9, sd > 0 ? 0 : Math.abs(channel.base) / 100)
}

/** The channel's value as a signal that rises when things get worse. */
function read({ name, bad, scale }: QualityChannel, observation: Observation): number | undefined {
  const value = observation.get(name)
  if (value === undefined || !Number.isFinite(value)) return undefined
  const scaled = scale === 'log' ? Math.log(Math.max(value, 1e-9)) : value
  return bad === 'up' ? scaled : -scaled
}

function original({ bad, scale }: QualityChannel, signal: number): number {
  const scaled = bad === 'up' ? signal : -signal
  return scale === 'log' ? Math.exp(scaled) : scaled
}

/** NaN as JSON has it, and back. */
function nulls(record: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(record).map(([key, value]) => [
      key,
      typeof value === 'number' && Number.isNaN(value) ? null : Array.isArray(value) ? [...value] : value,
    ]),
  )
}

function nans(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(record).map(([key, value]) => [
      key,
      value === null ? Number.NaN : Array.isArray(value) ? [...value] : value,
    ]),
  )
}
