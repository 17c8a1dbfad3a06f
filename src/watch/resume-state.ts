/**
 * What another process needs to follow a run on from where this one was: positions in its files, open iterations, the detectors' state.
 *
 * The series are not in it: they are in the store, and come back from there.
 *
 * @module
 */
import { deserialize, serialize } from 'node:v8'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import type { QualityDeriverState } from '../check/derive-quality.ts'
import type { Json } from '../detectors/detector.ts'
import type { ReplayerState } from '../log/replayer.ts'
import type { RunReaderState } from '../sources/run-reader.ts'
import type { SourceDamage } from '../sources/source.ts'
import { TELLTALE_VERSION } from '../version.ts'
import type { WatchedRunOptions } from './watched-run.ts'

/** The state of a run's place: of its files, and of each run in them. */
export interface ResumeState {
  readonly reader: RunReaderState
  /** Newest sequence number by run and writer. */
  readonly newest: ReadonlyMap<string, number>
  readonly damage: { readonly count: number; readonly newest: SourceDamage | null }
  readonly runs: readonly LiveRunSaved[]
}

/** The state of one run. */
export interface LiveRunSaved {
  readonly id: string
  readonly name: string
  readonly said: string | null
  readonly writer: string
  readonly step: number
  readonly newest: {
    readonly phase: string
    readonly iteration: number
    readonly metrics: Readonly<Record<string, number>>
    readonly metadata: Readonly<Record<string, unknown>>
  } | null
  readonly lineSeconds: number
  readonly replayer: ReplayerState
  readonly derive: QualityDeriverState
  readonly analyzer: Json
}

/** Goes up when an older state would be misread within one version of Telltale. */
const STATE_VERSION = 3

/** What a state is only good for: another Telltale, or other options, would have come to another one. */
function madeBy({ analyzer, trainer, rename }: WatchedRunOptions): string {
  const { mode, preset, falseAlarmRate, klThreshold } = analyzer
  return JSON.stringify([
    ...[STATE_VERSION, TELLTALE_VERSION, mode, preset, falseAlarmRate, klThreshold, trainer],
    ...(rename ?? []),
  ])
}

/** @returns null where something in it cannot be kept. */
export function encodeResumeState(state: ResumeState, options: WatchedRunOptions): Uint8Array | null {
  try {
    return deflateRawSync(serialize({ madeBy: madeBy(options), state }), { level: 1 })
  } catch {
    return null
  }
}

/** @returns null where it is damaged, or another Telltale or other options made it: the run is read from its beginning then. */
export function decodeResumeState(bytes: Uint8Array, options: WatchedRunOptions): ResumeState | null {
  try {
    const { madeBy: made, state } = deserialize(inflateRawSync(bytes)) as { madeBy: string; state: ResumeState }
    return made === madeBy(options) ? state : null
  } catch {
    return null
  }
}
