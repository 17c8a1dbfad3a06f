/**
 * The order to stop that a process gives to a run of our own clients: a file beside the run's log, which names the run and the process that
 * writes it. A client obeys only its own, and removes it.
 *
 * @module
 */
import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { errorMessage, TelltaleError } from '../errors.ts'

/** What is ordered, and why. */
export interface StopOrder {
  readonly run: string
  readonly writer: string
  readonly reason: string
  readonly iteration: number
  readonly rollbackTo: number | null
  /** Unix seconds. */
  readonly time: number
}

/**
 * Orders a run to stop: writes `control-<writer>.json` into its folder, by rename, so that nobody reads half of it.
 *
 * @returns the path of the file.
 * @throws TelltaleError `not-writable`
 */
export function writeControlFile(folder: string, order: StopOrder): string {
  const path = controlFile(folder, order.writer)
  const unfinished = `${path}.new`
  try {
    writeFileSync(unfinished, `${JSON.stringify({ v: 1, type: 'stop', ...order })}\n`)
    renameSync(unfinished, path)
  } catch (error) {
    rmSync(unfinished, { force: true })
    throw new TelltaleError('not-writable', `The order to stop cannot be written to ${path}: ${errorMessage(error)}`)
  }
  return path
}

/** Whether an order was given that the client has not taken yet. */
export function isOrderWaiting(folder: string, writer: string): boolean {
  return existsSync(controlFile(folder, writer))
}

/** Takes an order back that has not been obeyed. */
export function withdrawOrder(folder: string, writer: string): void {
  rmSync(controlFile(folder, writer), { force: true })
}

/** @throws TelltaleError `not-writable` for a writer whose name would lead out of the folder. */
function controlFile(folder: string, writer: string): string {
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(writer)) {
    throw new TelltaleError(
      'not-writable',
      `writer is ${JSON.stringify(writer.slice(0, 80))}; expected letters, digits, _ or -`,
    )
  }
  return join(folder, `control-${writer}.json`)
}
