/**
 * What a store of runs is: everything that Telltale has seen of them, derived from their logs and files, and made again from these where it is lost.
 *
 * @module
 */
import type { Alert, Coverage } from '../detectors/detector.ts'
import type { RunStatus, TrainingPhase } from '../events.ts'
import type { ProcessInfo } from '../run-summary.ts'

/** A run that is told to a store. */
export interface RunIdentity {
  /** The same for the same run whenever it is met: where it stands, and which of the runs there it is. */
  readonly key: string
  /** Id of the run, as its log or its tracker has it. */
  readonly run: string
  /** What people call it, where the run itself does not say. */
  readonly name: string
  /** File or folder that it is in, with its whole path; `-` for one that came on standard input. */
  readonly path: string
  /** Format that its numbers are read from, such as `jsonl` or `tfevents`. */
  readonly source: string
  /** Keys under which it was met while less was known of it: with the first commit it takes their tags and notes over, and they are gone. None where left out. */
  readonly earlierKeys?: readonly string[]
  /** Keys under which it may have been met with more files than are left of it: likewise, where its numbers came from the same {@link source} then. */
  readonly wholeKeys?: readonly string[]
}

/** How a run stands. */
export interface RunState {
  /** What people call it; empty where the run does not say. */
  readonly name: string
  /** What it belongs to; empty where the run does not say. */
  readonly project: string
  /** By whose names its metrics were understood, such as `trl` or `own-loop`. */
  readonly trainer: string
  /** `running` until it has said its end. */
  readonly status: RunStatus | 'running'
  /** Detectors that judged it, such as `ppo`; null before that was chosen. */
  readonly preset: string | null
  /** Iterations that are done. */
  readonly iterations: number
  /** How many of them were logged; null where that is not known. */
  readonly loggedIterations: number | null
  /** Whether it was followed as it went; false where its files were read once, so that nobody knows whether one without an end goes on. */
  readonly followed: boolean
  /** Newest iteration that is done; null before the first. */
  readonly lastIteration: number | null
  /** Iterations that there are to be; null where the run does not say. */
  readonly totalIterations: number | null
  /** When it began, in Unix seconds by its own clock; null where it has no times. */
  readonly startedUnixSeconds: number | null
  /** When something came of it last, in Unix seconds by its own clock. */
  readonly newestUnixSeconds: number | null
  /** Its settings, as it logged them. */
  readonly config: Readonly<Record<string, unknown>>
  /** Iterations of the checkpoints that are there, ascending. */
  readonly checkpoints: readonly number[]
  /** Where it began, and each iteration that it fell back to, with the attempt that began there, from 1. */
  readonly attempts: readonly { readonly attempt: number; readonly fromIteration: number }[]
  /** Which detectors could judge it, and what the others lacked. */
  readonly coverage: readonly Coverage[]
  /** Process that wrote it last; null where the run does not say. */
  readonly process: ProcessInfo | null
  /** Lines of its log that are lost: sequence numbers that never came. 0 for logs of others, which count none. */
  readonly missingLines: number
}

/** Values of one series in the order in which they came; NaN and infinities are values. */
export interface SeriesPoints {
  /** Canonical name, or the trainer's own where there is none. */
  readonly name: string
  /** The trainer's own name, as far as known. */
  readonly original: string
  /** Such as `nats`; empty where it is not known. */
  readonly unit: string
  /** Attempt that they belong to, from 1. */
  readonly attempt: number
  /** One a value. */
  readonly iterations: readonly number[]
  /** As they were logged. */
  readonly values: readonly number[]
}

/** Something that happened to a run beside its iterations: its beginning and end, a checkpoint. */
export interface StoredEvent {
  /** By the run's own clock; null where it has no times. */
  readonly unixSeconds: number | null
  /** During which it happened. */
  readonly iteration: number
  /** What it was. */
  readonly phase: TrainingPhase
  /** What came with it, such as the path of a checkpoint; settings and long texts are left out. */
  readonly metadata: Readonly<Record<string, unknown>>
}

/** An answer that is kept. */
export interface StoredSample {
  /** When it was given. */
  readonly iteration: number
  /** What was asked; empty where the run does not say. */
  readonly prompt: string
  /** What was answered. */
  readonly response: string
  /** NaN where there was none. */
  readonly reward: number
}

/** What is new of a run: one transaction, or nothing of it. */
export interface Commit {
  /** Of the run's {@link RunIdentity}. */
  readonly key: string
  /** From {@link RunStore.claim}: a commit of who has been overtaken is refused. */
  readonly epoch: number
  /** How the run stands now. */
  readonly state: RunState
  /** What came of each series since the last commit. */
  readonly points: readonly SeriesPoints[]
  /** Answers since the last commit. */
  readonly samples: readonly StoredSample[]
  /** What happened beside the iterations since the last commit; nothing where it is left out. */
  readonly events?: readonly StoredEvent[]
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
export interface StoredRun extends Omit<RunIdentity, 'earlierKeys' | 'wholeKeys'>, Omit<RunState, 'status'> {
  /** `crashed`: it has no end, and its process is gone. */
  readonly status: RunState['status'] | 'crashed'
  /** How many alerts there were, open, resolved and muted. */
  readonly alerts: number
  /** How many of them were critical, the muted ones left out. */
  readonly criticalAlerts: number
  /** How many of them were muted. */
  readonly mutedAlerts: number
  /** When something of it was stored last, in Unix seconds. */
  readonly seenUnixSeconds: number
  /** What people have said of it in a word each, in the order of the alphabet. */
  readonly tags: readonly string[]
  /** What people have said of it, oldest first. */
  readonly notes: readonly { readonly unixSeconds: number; readonly text: string }[]
}

/** A run that has not said its end, and the process that trains it. */
export interface RunningProcess extends Pick<StoredRun, 'key' | 'name' | 'newestUnixSeconds'> {
  /** As its log says it. */
  readonly process: ProcessInfo
}

/** A series of a stored run. */
export interface StoredSeries {
  /** Canonical name, or the trainer's own where there is none. */
  readonly name: string
  /** The trainer's own name, as far as known. */
  readonly original: string
  /** Such as `nats`; empty where it is not known. */
  readonly unit: string
  /** Values, those that a later attempt did again included. */
  readonly count: number
  /** Smallest iteration that it has a value of. */
  readonly firstIteration: number
  /** Largest iteration that it has a value of. */
  readonly lastIteration: number
}

/** Values of some iterations, put together. */
export interface StoredBucket {
  /** Smallest iteration in it. */
  readonly firstIteration: number
  /** Largest iteration in it. */
  readonly lastIteration: number
  /** Of the finite values; NaN where there was none. */
  readonly min: number
  /** Of the finite values; NaN where there was none. */
  readonly max: number
  /** Of the finite values; NaN where there was none. */
  readonly mean: number
  /** Finite values. */
  readonly count: number
  /** NaN and infinities. */
  readonly nonFinite: number
}

/** Which part of a series is asked for, and how finely. */
export interface ZoomRange {
  /** First iteration; that of the run by default. */
  readonly from?: number
  /** Last iteration; that of the run by default. */
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
  /** Runs that go on, as far as is known, and say which process trains them; those that were seen last first. Costs nothing for the others. */
  runningProcesses(): readonly RunningProcess[]
  /** Series of a run, in the order in which they came; none of a run that is not there. */
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
  /** Answers of a run, oldest first: the newest `limit` of them, or all that are kept. */
  samples(key: string, limit?: number): readonly StoredSample[]
  /** What happened to a run beside its iterations, oldest first: the newest 2,000. */
  events(key: string): readonly StoredEvent[]
  /** Alerts of a run, in the order in which they were raised. */
  alerts(key: string): readonly Alert[]
  /** A run that goes on, as far as is known, has ended without saying so: whoever started it, or looked for its process, knows. The next commit says otherwise. */
  markEnded(key: string, status: RunStatus | 'crashed'): void
  /** Puts tags on a run and takes others off. They stay when the run is stored anew. */
  tag(key: string, add: readonly string[], remove: readonly string[]): void
  /** Keeps a note beside those that are there. */
  note(key: string, text: string, unixSeconds: number): void
  /** Forgets a run with its tags and notes; the run itself comes back when it is met again. */
  remove(key: string): void
  /** What is wrong with the store itself; empty where nothing is. */
  verify(): readonly string[]
  /** Ends the work; nothing may be called afterwards. */
  close(): void
}
