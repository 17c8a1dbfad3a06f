/**
 * What a store of runs is: everything that Telltale has seen of them, derived from their logs and files, and made again from these where it is lost.
 *
 * @module
 */
import type { Alert, Coverage } from '../detectors/detector.ts'
import type { RunStatus } from '../events.ts'
import type { ProcessInfo } from '../run-summary.ts'

/** A run that is told to a store. */
export interface RunIdentity {
  /** The same for the same run whenever it is met: where it stands, and which of the runs there it is. */
  readonly key: string
  /** Id of the run. */
  readonly run: string
  readonly name: string
  /** Where its numbers are read, and in which format. */
  readonly path: string
  readonly source: string
}

/** How a run stands. */
export interface RunState {
  readonly name: string
  readonly project: string
  readonly trainer: string
  readonly status: RunStatus | 'running'
  readonly preset: string | null
  /** Iterations that are done, the newest of them, and how many there are to be. */
  readonly iterations: number
  readonly lastIteration: number | null
  readonly totalIterations: number | null
  /** Unix seconds by the run's own clock. */
  readonly startedUnixSeconds: number | null
  readonly newestUnixSeconds: number | null
  readonly config: Readonly<Record<string, unknown>>
  readonly checkpoints: readonly number[]
  readonly attempts: readonly { readonly attempt: number; readonly fromIteration: number }[]
  readonly coverage: readonly Coverage[]
  /** Null where the run does not say. */
  readonly process: ProcessInfo | null
}

/** Values of one series in the order in which they came; NaN and infinities are values. */
export interface SeriesPoints {
  readonly name: string
  /** The trainer's own name and the unit, as far as known. */
  readonly original: string
  readonly unit: string
  readonly attempt: number
  readonly iterations: readonly number[]
  readonly values: readonly number[]
}

/** An answer that is kept. */
export interface StoredSample {
  readonly iteration: number
  readonly prompt: string
  readonly response: string
  /** NaN where there was none. */
  readonly reward: number
}

/** What is new of a run: one transaction, or nothing of it. */
export interface Commit {
  readonly key: string
  /** From {@link RunStore.claim}: a commit of who has been overtaken is refused. */
  readonly epoch: number
  readonly state: RunState
  readonly points: readonly SeriesPoints[]
  readonly samples: readonly StoredSample[]
  /** All alerts so far, in order: they are few, and change. */
  readonly alerts: readonly Alert[]
  /** Unix seconds. */
  readonly time: number
}

/** From where runs can be followed on: what was stored when it was made is all that came before it. */
export interface ResumePoint {
  /** Where the runs stand; one place may hold several. */
  readonly place: string
  /** Opaque to the store. */
  readonly state: Uint8Array
}

/** A run as a store has it. */
export interface StoredRun extends RunIdentity, Omit<RunState, 'status'> {
  /** `crashed`: it has no end, and its process is gone. */
  readonly status: RunState['status'] | 'crashed'
  /** All of them; the critical ones that are not muted; the muted ones. */
  readonly alerts: number
  readonly criticalAlerts: number
  readonly mutedAlerts: number
  /** When something of it was stored last. */
  readonly seenUnixSeconds: number
  /** What people have said of it. */
  readonly tags: readonly string[]
  readonly notes: readonly { readonly unixSeconds: number; readonly text: string }[]
}

/** A series of a stored run. */
export interface StoredSeries {
  readonly name: string
  readonly original: string
  readonly unit: string
  readonly count: number
  readonly firstIteration: number
  readonly lastIteration: number
}

/** Values of some iterations, put together. */
export interface StoredBucket {
  readonly firstIteration: number
  readonly lastIteration: number
  /** Of the finite values; NaN where there was none. */
  readonly min: number
  readonly max: number
  readonly mean: number
  /** Finite values, and others. */
  readonly count: number
  readonly nonFinite: number
}

/** Which part of a series is asked for, and how finely. */
export interface ZoomRange {
  /** First and last iteration; the whole run by default. */
  readonly from?: number
  readonly to?: number
  /** Buckets at the most; 1,000 by default. */
  readonly buckets?: number
}

/** Where runs are kept. Every method throws TelltaleError `not-readable` where what is stored cannot be read, `not-writable` where it cannot be written. */
export interface RunStore {
  /**
   * Begins to store a run from its first line: what was stored of it is dropped with the first commit, and whoever stored it before is refused
   * from then on.
   *
   * @returns the epoch that commits have to name.
   */
  claim(identity: RunIdentity): number
  /**
   * Goes on storing a run as it was at its place's {@link ResumePoint}: what was stored after that is dropped.
   *
   * @returns the epoch that commits have to name; null where there is no such point of this run: it has to be claimed.
   */
  resume(place: string, identity: RunIdentity): number | null
  /** State of the newest resume point of a place, or null. */
  resumePoint(place: string): Uint8Array | null
  /**
   * Stores what is new of some runs, or nothing of it. What has returned is on the disk.
   *
   * @param resumePoint of the place of all of these runs, with everything of them stored.
   * @throws TelltaleError `bad-usage` where a run was claimed again since, or never.
   */
  commit(commits: readonly Commit[], resumePoint?: ResumePoint): void
  /** All runs, those that were seen last first. */
  runs(): readonly StoredRun[]
  series(key: string): readonly StoredSeries[]
  /** Values as they came; those of iterations that a later attempt did again are left out. */
  points(
    key: string,
    name: string,
    range?: Pick<ZoomRange, 'from' | 'to'>,
  ): { readonly iterations: readonly number[]; readonly values: readonly number[] }
  /** All values as they were committed, superseded ones too: attempt by attempt, series by series. */
  everyPoint(key: string): Iterable<SeriesPoints>
  /** Values of a series in at most so many buckets, whatever the length of the run. */
  zoom(key: string, name: string, range?: ZoomRange): readonly StoredBucket[]
  samples(key: string, limit?: number): readonly StoredSample[]
  alerts(key: string): readonly Alert[]
  /** A run that goes on, as far as is known, has no process any more. The next commit says otherwise. */
  markCrashed(key: string): void
  /** Puts tags on a run and takes others off. They stay when the run is stored anew. */
  tag(key: string, add: readonly string[], remove: readonly string[]): void
  /** Keeps a note beside those that are there. */
  note(key: string, text: string, unixSeconds: number): void
  /** Forgets a run with its tags and notes; the run itself comes back when it is met again. */
  remove(key: string): void
  /** What is wrong with the store itself; empty where nothing is. */
  verify(): readonly string[]
  close(): void
}
