/**
 * The checkpoints that earlier processes of a run have saved, from their logs: without them a continued run could not say where to
 * roll back to.
 *
 * @module
 */
import { closeSync, openSync, readSync } from 'node:fs'

const PIECE_BYTES = 1024 * 1024
/** Read at most (two to three seconds), so that a huge log does not hold up the start of the training. */
const MAX_BYTES = 1024 * 1024 * 1024
const MARK = Buffer.from(',"phase":"checkpoint_saved","iteration":')
const NEW_LINE = 10
/** The first event of a log that belongs to an iteration: from there on the run was done again. */
const FIRST_ITERATION =
  /^\{"v":1,"type":"event",[^{}\n]{0,300}?,"phase":"(?!training_|checkpoint_|evaluation)[a-z_]+","iteration":(\d{1,16})/m

/**
 * Iterations of the checkpoints that the logs say were saved and not removed, ascending. Never throws: what cannot be read is left out.
 *
 * @param paths logs of the same run, oldest first.
 */
export function earlierCheckpoints(paths: readonly string[]): readonly number[] {
  const kept = new Set<number>()
  let left = MAX_BYTES
  for (const path of paths) {
    try {
      left = readLog(path, kept, left)
    } catch {
      // A log that cannot be read names no checkpoint.
    }
  }
  return [...kept].sort((a, b) => a - b)
}

function readLog(path: string, kept: Set<number>, most: number): number {
  const descriptor = openSync(path, 'r')
  let left = most
  let carry: Buffer = Buffer.alloc(0)
  try {
    while (left > 0) {
      const piece = Buffer.allocUnsafe(Math.min(PIECE_BYTES, left))
      const count = readSync(descriptor, piece)
      if (count === 0) break
      if (left === most) dropWhatIsDoneAgain(piece.toString('latin1', 0, count), kept)
      left -= count
      const bytes = Buffer.concat([carry, piece.subarray(0, count)])
      const end = bytes.lastIndexOf(NEW_LINE) + 1
      takeLines(bytes.subarray(0, end), kept)
      // A line longer than a piece holds answers, not a checkpoint.
      carry = bytes.length - end > PIECE_BYTES ? Buffer.alloc(0) : bytes.subarray(end)
    }
    return left
  } finally {
    closeSync(descriptor)
  }
}

function dropWhatIsDoneAgain(text: string, kept: Set<number>): void {
  const from = Number(FIRST_ITERATION.exec(text)?.[1] ?? Number.POSITIVE_INFINITY)
  for (const checkpoint of kept) if (checkpoint >= from) kept.delete(checkpoint)
}

/** Looks only at lines that may be of a checkpoint: a log has many others. */
function takeLines(bytes: Buffer, kept: Set<number>): void {
  for (let at = bytes.indexOf(MARK); at >= 0; at = bytes.indexOf(MARK, at + 1)) {
    const from = bytes.lastIndexOf(NEW_LINE, at) + 1
    takeLine(bytes.toString('utf8', from, bytes.indexOf(NEW_LINE, at)), kept)
  }
}

function takeLine(text: string, kept: Set<number>): void {
  let line: Record<string, unknown>
  try {
    line = JSON.parse(text)
  } catch {
    return
  }
  const { type, phase, iteration, metadata } = line
  // The mark may stand in somebody's metadata.
  if (type !== 'event' || phase !== 'checkpoint_saved' || !Number.isSafeInteger(iteration)) return
  const removed = (metadata as { readonly removed?: unknown } | undefined)?.removed
  if (Array.isArray(removed)) for (const one of removed) kept.delete(one)
  kept.add(iteration as number)
}
