/**
 * Lines on their way to the run's log, and what becomes of them where the disk is full: answers are left out first, then numbers; alerts and what is said but
 * once wait in memory.
 *
 * @module
 */
import { errorMessage } from '../errors.ts'
import type { AppendFile } from './append-file.ts'

/** What a line is worth: `kept` ones wait for room, the others are left out. */
export type LineWorth = 'samples' | 'numbers' | 'kept'

/** Lines that were left out since the last `gap` line. */
export interface LostLines {
  readonly samples: number
  readonly numbers: number
  readonly kept: number
  /** Time of the first of them, and the system's code of why, such as ENOSPC; null where they were too long. */
  readonly since: number
  readonly why: string | null
}

/** Surroundings of a {@link lineWriter}. */
export interface LineWriterOptions {
  readonly path: string
  readonly file: AppendFile
  /** Makes a `gap` line. */
  readonly gap: (lost: LostLines, time: number) => string
  /** Takes a line for the person who trains. */
  readonly say: (text: string) => void
}

/** See the module. No method throws. */
export interface LineWriter {
  /** @param time Unix seconds. @returns whether the line stands in the file. */
  write(worth: LineWorth, line: string, time: number): boolean
  /** Leaves a line out that may not be written, and names it by a `gap` line. */
  leaveOut(worth: LineWorth, time: number): void
  /** Lines that were left out so far. */
  readonly dropped: number
  /** Tries once more what waits, and says so where the log stays without it. */
  close(): void
}

/** Bytes that a line of less worth leaves free for those of more, once the disk has been full. */
const LEFT_FREE_BYTES = { samples: 1024 * 1024, numbers: 16 * 1024 } as const
/** Characters that wait at the most. */
const MAX_WAITING = 1024 * 1024
/** Seconds between two tries to write answers, and without a loss after which a shortage is over. */
const RETRY_SECONDS = 30
/** Seconds between two shortages that are said. */
const SAY_SECONDS = 600

export function lineWriter({ path, file, gap, say }: LineWriterOptions): LineWriter {
  let lost: LostLines | null = null
  let waiting: string[] = []
  let waitingCharacters = 0
  /** Why lines cannot be written as they come, while they cannot. */
  let shortage: { readonly why: string | null; readonly said: boolean } | null = null
  let dropped = 0
  let lostSeconds = Number.NEGATIVE_INFINITY
  /** When answers could not be written though there seemed to be room. */
  let refusedSeconds = Number.NEGATIVE_INFINITY
  let saidSeconds = Number.NEGATIVE_INFINITY
  let time = 0

  /** A clock may be set back. */
  const hasPassed = (seconds: number, since: number) => time < since || time - since >= seconds

  function leaveOut(worth: LineWorth): false {
    dropped++
    const { samples, numbers, kept, since, why } = lost ?? { samples: 0, numbers: 0, kept: 0, since: time, why: null }
    const more = (one: LineWorth, count: number) => count + (one === worth ? 1 : 0)
    lost = {
      ...{ samples: more('samples', samples), numbers: more('numbers', numbers), kept: more('kept', kept), since },
      why: why ?? shortage?.why ?? null,
    }
    if (shortage !== null) lostSeconds = time
    return false
  }

  function begin(error: unknown): void {
    const code = (error as { code?: unknown } | null)?.code
    const said = hasPassed(SAY_SECONDS, saidSeconds)
    shortage = { why: typeof code === 'string' && /^[A-Z0-9_]{1,40}$/.test(code) ? code : 'failed', said }
    if (!said) return
    saidSeconds = time
    say(
      `${path} cannot be written (${errorMessage(error)}). The training goes on; answers are left out first, then numbers, which is counted, and alerts wait for room.`,
    )
  }

  /** Writes the `gap` line. @returns whether nothing is left to be named. */
  function nameLost(): boolean {
    if (lost === null) return true
    if (file.put(gap(lost, time)) !== null) return false
    lost = null
    return true
  }

  /** Writes what waits, as far as there is room. @returns whether all of it is written. */
  function writeWaiting(): boolean {
    let count = 0
    while (count < waiting.length && file.put(waiting[count]!) === null) waitingCharacters -= waiting[count++]!.length
    waiting = waiting.slice(count)
    return waiting.length === 0
  }

  /** @returns whether the line stands in the file. */
  function keep(line: string): boolean {
    if (waitingCharacters + line.length > MAX_WAITING) return leaveOut('kept')
    waiting.push(line)
    waitingCharacters += line.length
    return writeWaiting()
  }

  /** Writes a line of those that are left out while there is a shortage, if it may be written now. */
  function tryLine(worth: 'samples' | 'numbers', line: string): boolean {
    if (!writeWaiting() || !hasRoom(worth, line)) return false
    if (file.put(line) === null) return true
    if (worth === 'samples') refusedSeconds = time
    return false
  }

  function hasRoom(worth: 'samples' | 'numbers', line: string): boolean {
    if (worth === 'samples' && !hasPassed(RETRY_SECONDS, refusedSeconds)) return false
    return file.freeBytes() >= LEFT_FREE_BYTES[worth] + line.length
  }

  /** After a line has been written: whether those that come will be, too. */
  function isOver(worth: 'samples' | 'numbers'): boolean {
    if (worth === 'samples' || lost === null || lost.samples === 0) return true
    return hasPassed(RETRY_SECONDS, lostSeconds) && file.freeBytes() >= LEFT_FREE_BYTES.samples
  }

  function end(): void {
    const { samples = 0, numbers = 0 } = lost ?? {}
    if (!nameLost()) return
    if (shortage?.said) {
      const missing =
        samples + numbers > 0 ? `${samples} lines with answers and ${numbers} with numbers are` : 'nothing is'
      say(`${path} is written again; ${missing} missing from it.`)
    }
    shortage = null
  }

  return {
    write(worth, line, at) {
      time = at
      if (shortage === null) {
        const error = file.put(line)
        if (error === null) {
          if (lost !== null) nameLost()
          return true
        }
        begin(error)
        if (worth === 'samples') refusedSeconds = time
        return worth === 'kept' ? keep(line) : leaveOut(worth)
      }
      if (worth === 'kept') return keep(line)
      if (!tryLine(worth, line)) return leaveOut(worth)
      if (isOver(worth)) end()
      return true
    },
    leaveOut(worth, at) {
      time = at
      leaveOut(worth)
    },
    get dropped() {
      return dropped
    },
    close() {
      const complete = writeWaiting() && nameLost()
      if (!complete)
        say(
          `${path} lacks ${dropped + waiting.length} lines${waiting.length > 0 ? ', its last alerts or its end among them' : ''}: there was no room for them.`,
        )
      file.close()
    },
  }
}
