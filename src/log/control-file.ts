/**
 * How a run that is not ours is asked to stop: a file in its folder, `control-<writer>.json`, which the client in the training process
 * looks for between two steps, obeys if it names its run and itself, and removes.
 *
 * @module
 */
import { closeSync, fsyncSync, lstatSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { errorMessage, TelltaleError } from '../errors.ts'
import { randomId } from '../time.ts'

/** An order to stop. */
export interface StopOrder {
  /** Id of the run; a client of another run lets the file be. */
  readonly run: string
  /** Writer of the log, random for each process start: an order never reaches a later process of the same run. */
  readonly writer: string
  /** For people: the client prints it and logs it. At most 2,000 characters are kept. */
  readonly reason: string
  /** Iteration that the order follows from. */
  readonly iteration: number
  /** Newest checkpoint from before the onset, or null. */
  readonly rollbackTo: number | null
  /** Unix seconds of the order. */
  readonly time: number
}

const NAME = /^[A-Za-z0-9_-]{1,64}$/
const MAX_REASON_CHARACTERS = 2000

/**
 * Leaves an order for the process that writes the log `events-<writer>.jsonl` in `dir`. It appears whole, by rename; an order that is there
 * already is replaced.
 *
 * @param dir the run folder.
 * @returns the path of the file.
 * @throws TelltaleError `bad-option` for a run or writer that is no name (both come from a log, and become part of a path), `not-writable`.
 */
export function writeControlFile(dir: string, order: StopOrder): string {
  const path = controlPath(dir, order.writer)
  if (!NAME.test(order.run)) throw badName('run', order.run)
  const { run, writer, iteration, rollbackTo, time } = order
  const reason = order.reason.slice(0, MAX_REASON_CHARACTERS)
  const text = `${JSON.stringify({ v: 1, type: 'stop', run, writer, reason, iteration, rollbackTo, time })}\n`
  const draft = `${path}.${randomId()}.tmp`
  try {
    // `wx`: never through a link that somebody has put there.
    const descriptor = openSync(draft, 'wx', 0o644)
    try {
      writeSync(descriptor, text)
      // On a network file system a rename may otherwise be seen before what it names.
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
    renameSync(draft, path)
  } catch (error) {
    rmSync(draft, { force: true })
    throw new TelltaleError(
      'not-writable',
      `The order to stop could not be left in ${dir} (${errorMessage(error)}): run ${run} goes on. Stop it by hand.`,
      { cause: error },
    )
  }
  return path
}

/**
 * Whether an order waits: the client has not looked since, because a step is long, the process is gone, or it is no client that can be
 * stopped.
 *
 * @throws TelltaleError `bad-option` for a writer that is no name.
 */
export function isOrderWaiting(dir: string, writer: string): boolean {
  return lstatSync(controlPath(dir, writer), { throwIfNoEntry: false })?.isFile() ?? false
}

/**
 * Takes an order back.
 *
 * @returns whether it was still there, so whether the client has not obeyed it.
 * @throws TelltaleError `bad-option` for a writer that is no name, `not-writable` where it is there and cannot be removed.
 */
export function withdrawOrder(dir: string, writer: string): boolean {
  const path = controlPath(dir, writer)
  try {
    rmSync(path)
    return true
  } catch (error) {
    // The folder may be gone as well, or be none.
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return false
    throw new TelltaleError(
      'not-writable',
      `The order ${path} cannot be taken back (${errorMessage(error)}): remove it by hand, or the run stops.`,
      { cause: error },
    )
  }
}

function controlPath(dir: string, writer: string): string {
  if (!NAME.test(writer)) throw badName('writer', writer)
  return join(dir, `control-${writer}.json`)
}

function badName(what: string, value: string): TelltaleError {
  return new TelltaleError(
    'bad-option',
    `${what} is ${JSON.stringify(String(value).slice(0, 80))}; expected 1 to 64 letters, digits, _ or -`,
  )
}
