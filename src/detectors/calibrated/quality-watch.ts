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
  { name: 'quality/ref_perplexity', bad: 'up', scale: 'log', minUnit: 0.05 },
  { name: 'quality/distinct_2', bad: 'down', scale: 'linear', minUnit: 0.05 },
  { name: 'quality/repetition', bad: 'up', scale: 'linear', minUnit: 0.025 },
  { name: 'quality/compression', bad: 'down', scale: 'linear', minUnit: 0.025 },
]

/** Values that set level and unit of a channel: one an iteration, or fewer of one that is measured now and then. */
const WARM_UP = BLOCK * WARM_UP_BLOCKS
const WARM_UP_SPARSE = 12
const SPARSE_AFTER = 3 * WARM_UP
/** Iterations for which a channel's last value stands in where it was not logged, beside twice its usual gap. */
const HOLD = 25
/** {@link ChannelState.hold} of channels that are logged in every iteration or every other one. */
const DENSE = HOLD + 2 * 2
/** Units beyond which a value says nothing more. */
const CLIP = 12
/** Weight of the newest value in a channel's level. */
const WEIGHT = 0.1
/** Rise of the mean signal that does not matter, in units: changes of prompts bring as much. */
export const QUALITY_MARGIN = 0.6
/** Rise that a run brings about that goes on as it began, in units, at most. */
const MAY_GO_ON = 0.8
/** Smallest standard deviation of a block that is believed, in units: large batches have hardly any noise, and no small change of theirs is a failure. */
const MIN_SD = 0.1

/** What is known of a channel; all numbers finite, so that it is its own snapshot. */
interface ChannelState {
  warmUp: number[]
  /** Iterations since its first value, during the warm-up. */
  waited: number
  /** Whether level and unit are known, and whether its newest value still counts. */
  known: boolean
  active: boolean
  base: number
  unit: number
  /** Newest signal, the iterations since, and for how many it stands in. */
  last: number
  age: number
  hold: number
  /** Left out beside channels that are measured more often: what stands still between two values hides how much it varies. */
  apart: boolean
  /** Moving average of the signal. */
  level: number
}

/** The fused signal with what is known of its channels. */
export interface QualityWatch {
  update(observation: Observation): Drift | null
  onset(drift: Drift): { readonly estimate: number; readonly interval: readonly [number, number] }
  /** The channel that is worst now, with its level now and at the start, in its own unit. */
  worst(): { readonly name: string; readonly observed: number; readonly expected: number } | null
  reanchor(): void
  snapshot(): Json
  restore(state: Json): void
}

/** Watches the mean of some channels. */
export function qualityWatch(definitions: readonly QualityChannel[]): QualityWatch {
  const watch = driftWatch({ reference: 'best', margin: QUALITY_MARGIN, minSd: MIN_SD, mayGoOn: MAY_GO_ON })
  let channels: readonly ChannelState[] = definitions.map(newChannel)

  function update(observation: Observation): Drift | null {
    let fresh = false
    const learned: ChannelState[] = []
    for (let i = 0; i < channels.length; i++) {
      const channel = channels[i]!
      const value = read(definitions[i]!, observation)
      if (!channel.known) {
        if (value !== undefined) channel.warmUp.push(value)
        if (channel.warmUp.length > 0) channel.waited++
        if (warmedUp(channel)) learned.push(channel)
      } else if (channel.apart) continue
      else if (value !== undefined) {
        fresh = true
        take(channel, value)
      } else if (channel.active && ++channel.age > channel.hold) {
        // The mean of fewer channels is another signal.
        channel.active = false
        watch.reanchor()
      }
    }
    if (learned.length > 0 && join(learned)) return replay(learned, observation.iteration)
    const level = activeMean(channels, 'last')
    return level === null ? null : watch.update(fresh ? level : undefined, observation.iteration)
  }

  function take(channel: ChannelState, value: number): void {
    // One that comes back, like one that comes late, goes on from where the others are: its coming is no change of quality.
    if (!channel.active) channel.base = value - (activeMean(channels, 'level') ?? channel.level) * channel.unit
    channel.active = true
    channel.last = clipped((value - channel.base) / channel.unit)
    channel.level += WEIGHT * (channel.last - channel.level)
    channel.age = 0
  }

  /** Lets channels take part that have learned their unit; true where they are the first. */
  function join(learned: readonly ChannelState[]): boolean {
    const level = activeMean(channels, 'level')
    const dense = channels.some(({ active, hold }) => active && hold <= DENSE)
    for (const channel of learned) {
      learn(channel, definitions[channels.indexOf(channel)]!, level ?? 0)
      channel.apart = dense && channel.hold > DENSE
      if (channel.apart) channel.active = false
    }
    return level === null
  }

  /** The warm-up of the first channels is gone through at once, where it is as dense as what follows. */
  function replay(learned: readonly ChannelState[], iteration: number): Drift | null {
    const length = Math.min(...learned.map(({ warmUp }) => warmUp.length))
    const waited = Math.max(...learned.map((channel) => channel.waited))
    let drift: Drift | null = null
    if (length >= WARM_UP && waited <= 2 * length) {
      for (let i = 0; i < length; i++) {
        let sum = 0
        for (const { warmUp, base, unit } of learned)
          sum += clipped((warmUp[warmUp.length - length + i]! - base) / unit)
        const at = iteration - waited + 1 + Math.round((i * (waited - 1)) / Math.max(1, length - 1))
        drift = watch.update(sum / learned.length, at) ?? drift
      }
    }
    for (const channel of learned) channel.warmUp = []
    return drift
  }

  return {
    update,
    onset: (drift) => watch.onset(drift),
    worst() {
      let worst = -1
      for (let i = 0; i < channels.length; i++) {
        if (channels[i]!.active && (worst < 0 || channels[i]!.level > channels[worst]!.level)) worst = i
      }
      if (worst < 0) return null
      const { base, unit, level } = channels[worst]!
      const definition = definitions[worst]!
      return {
        name: definition.name,
        observed: original(definition, base + level * unit),
        expected: original(definition, base),
      }
    },
    reanchor() {
      watch.reanchor()
      channels = definitions.map(newChannel)
    },
    snapshot: () => ({ watch: watch.snapshot(), channels: structuredClone(channels) }) as unknown as Json,
    restore(saved) {
      const state = saved as unknown as { watch: DriftState; channels: readonly ChannelState[] }
      watch.restore(state.watch)
      channels = structuredClone(state.channels)
    },
  }
}

function newChannel(): ChannelState {
  return {
    warmUp: [],
    waited: 0,
    known: false,
    active: false,
    base: 0,
    unit: 1,
    last: 0,
    age: 0,
    hold: HOLD,
    apart: false,
    level: 0,
  }
}

function warmedUp({ warmUp, waited }: ChannelState): boolean {
  return warmUp.length >= WARM_UP || (warmUp.length >= WARM_UP_SPARSE && waited >= SPARSE_AFTER)
}

/** Level and unit from the warm-up; the level such that the channel's signal is now what is given. */
function learn(channel: ChannelState, { minUnit }: QualityChannel, signal: number): void {
  const { warmUp, waited } = channel
  const middle = median(warmUp)
  const { sd } = serialScale(warmUp)
  // A channel that stood still in its warm-up has no noise to be measured by: a hundredth of its level is a change.
  channel.unit = Math.max(sd, minUnit, 1e-9, sd > 0 ? 0 : Math.abs(middle) / 100)
  channel.base = middle - signal * channel.unit
  channel.last = clipped((warmUp.at(-1)! - channel.base) / channel.unit)
  channel.level = signal
  channel.hold = HOLD + 2 * Math.ceil(waited / warmUp.length)
  channel.known = true
  channel.active = true
}

function activeMean(channels: readonly ChannelState[], what: 'last' | 'level'): number | null {
  let sum = 0
  let count = 0
  for (const channel of channels) {
    if (!channel.active) continue
    sum += channel[what]
    count++
  }
  return count === 0 ? null : sum / count
}

function clipped(signal: number): number {
  return Math.max(-CLIP, Math.min(CLIP, signal))
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
