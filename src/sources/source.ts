/**
 * What every reader of foreign files looks like: it follows growing files and gives what is new, in order, with a position from which another
 * process can go on.
 *
 * @module
 */
import type { WireLine } from '../log/wire.ts'

/** Names of the formats, as `telltale check --json` says them. */
export type SourceName =
  | 'telltale'
  | 'jsonl'
  | 'verl'
  | 'tfevents'
  | 'trainer-state'
  | 'wandb'
  | 'trackio'
  | 'mlflow'
  | 'completions'
  | 'csv'
  | 'console'

/** What JSON can hold; a position is opaque to everybody but the source that made it. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** One thing that a file says. Names are the trainer's own. */
export type SourceRecord =
  /** Numbers of one step; non-finite ones are values. `time` is Unix seconds, null where the file does not say. */
  | {
      readonly type: 'points'
      readonly step: number
      readonly time: number | null
      readonly metrics: Readonly<Record<string, number>>
    }
  /** Answers of one step, one prompt and one reward an answer where the file has them. */
  | {
      readonly type: 'samples'
      readonly step: number
      readonly time: number | null
      readonly prompts?: readonly string[]
      readonly responses: readonly string[]
      readonly rewards?: readonly number[]
    }
  /** Hyper-parameters or other facts of the run; later ones are added to earlier ones. `name` and `project` where the file says them. */
  | {
      readonly type: 'config'
      readonly config: Readonly<Record<string, unknown>>
      readonly name?: string
      readonly project?: string
    }
  /** A checkpoint was saved after this step; `removed` are steps of checkpoints that are no longer there. */
  | {
      readonly type: 'checkpoint'
      readonly step: number
      readonly time: number | null
      readonly path?: string
      readonly removed?: readonly number[]
    }
  /** The file says that the run is over. */
  | { readonly type: 'end'; readonly status: 'completed' | 'stopped' | 'failed' }
  /** The run begins again in this file, or from this step (a resumed checkpoint, a new file of the same run). */
  | { readonly type: 'attempt' }
  /** A line of our own log, passed on as it is. */
  | { readonly type: 'wire'; readonly line: WireLine }

/** Something in a file that could not be read. What stands before it was delivered. */
export interface SourceDamage {
  /** The file. */
  readonly path: string
  /** Bytes from the start of the file; for a database the row. */
  readonly offset: number
  /** Counted from 1, for text files. */
  readonly lineNumber?: number
  /** What is wrong, in one line. */
  readonly problem: string
}

/** What one look at the files gave. */
export interface SourceBatch {
  /** What is new, in the order in which it happened. */
  readonly records: readonly SourceRecord[]
  /** Where a new source of the same files goes on after these records. */
  readonly position: Json
  /** What could not be read among it. */
  readonly damage: readonly SourceDamage[]
  /** Bytes that were read, for progress. */
  readonly bytes: number
  /** Whether more can be read at once; false: nothing new for now. */
  readonly more: boolean
}

/** A run's files, being followed. */
export interface Source {
  /** The format, as far as it is known yet. */
  readonly name: SourceName
  /**
   * What is new, at most a few megabytes of it at a time. Never throws for what a file contains; a torn last record is waited for.
   * With `finished`, nobody writes any more: what is torn is damage, and what was held back is given.
   *
   * @throws TelltaleError `not-readable` where the files can be read no longer (deleted, no rights).
   */
  read(options?: { readonly finished?: boolean; readonly signal?: AbortSignal }): Promise<SourceBatch>
  /** Gives back what the source holds; it is not read afterwards. */
  close(): void
}

/** How the files of a format are known and opened. */
export interface SourceFormat {
  /** What it is called. */
  readonly name: SourceName
  /** Whether a path is of this format, from its name and its first bytes (up to 4 kB; empty for a folder). Never throws. */
  recognises(path: string, head: Uint8Array, isFolder: boolean): boolean
  /**
   * The path that is opened instead, where several files make one run: those of which it is the same are opened once. The path itself without it.
   */
  belongsTo?(path: string): string
  /**
   * The folder that this run's other files are looked for in, such as the output folder in whose `runs/` TensorBoard's files are. Runs of
   * different formats with the same one are taken for one run. Without it a run stands for itself.
   *
   * @param path what {@link belongsTo} gave.
   */
  home?(path: string): string
  /** Runs in a file or folder of this format: nearly always one; a database may hold many. `id` tells them apart in `open`. */
  runs(path: string): Promise<readonly { readonly id: string; readonly name: string }[]>
  /**
   * Begins to follow a run.
   *
   * @param position of an earlier batch; from the beginning without one.
   */
  open(path: string, id: string, position?: Json): Promise<Source>
}
