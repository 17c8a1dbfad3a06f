/**
 * Reads a run folder: every writer's file in order, damaged lines set aside and counted, holes in the sequence found.
 *
 * @module
 */
import { createReadStream, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { errorMessage, TelltaleError } from '../errors.ts'
import { MAX_LINE_BYTES } from './run-log.ts'
import { parseLine, type WireLine } from './wire.ts'

/** A damaged line: where it is and what is wrong with it. */
export interface DamagedLine {
  /** The file. */
  readonly path: string
  /** Counted from 1. */
  readonly lineNumber: number
  /** What is wrong with it. */
  readonly problem: string
}

/** What reading a run folder found beside its lines. */
export interface ReadReport {
  /** Damaged lines, the first 100 with their place. */
  readonly damaged: DamagedLine[]
  /** All damaged lines. */
  damagedCount: number
  /** Lines met again (same run, writer and sequence number) and left out. */
  repeated: number
  /** Sequence numbers that never came. */
  missing: number
}

/** An empty {@link ReadReport}. */
export function newReadReport(): ReadReport {
  return { damaged: [], damagedCount: 0, repeated: 0, missing: 0 }
}

/**
 * Lists the log files of a run folder, in the order of their attempts.
 *
 * @throws TelltaleError `not-readable` where the folder cannot be read or holds no log.
 */
export async function logFiles(dir: string): Promise<readonly string[]> {
  let names: string[]
  try {
    names = readdirSync(dir, { withFileTypes: true })
      .filter((entry) => entry.isFile() && /^events-[A-Za-z0-9_-]+\.jsonl$/.test(entry.name))
      .map((entry) => entry.name)
  } catch (error) {
    throw new TelltaleError('not-readable', `The run folder ${dir} cannot be read: ${errorMessage(error)}`)
  }
  if (names.length === 0) {
    throw new TelltaleError('not-readable', `${dir} holds no run: expected a file events-<writer>.jsonl in it.`)
  }
  const files: { path: string; attempt: number }[] = []
  for (const name of names.sort()) {
    const path = join(dir, name)
    const first = await firstOf(readLines(path, newReadReport()))
    files.push({ path, attempt: first?.type === 'run' ? (first.attempt ?? 1) : 1 })
  }
  files.sort((a, b) => a.attempt - b.attempt)
  return files.map((file) => file.path)
}

/** All lines of a run folder in order; what is wrong goes into `report`. A torn last line is left for the writer to finish. */
export async function* readRun(dir: string, report: ReadReport): AsyncGenerator<WireLine> {
  const newest = new Map<string, number>()
  for (const path of await logFiles(dir)) {
    for await (const line of readLines(path, report)) {
      const id = `${line.run} ${line.writer}`
      const before = newest.get(id) ?? 0
      if (line.seq <= before) {
        report.repeated++
        continue
      }
      report.missing += line.seq - before - 1
      newest.set(id, line.seq)
      yield line
    }
  }
}

async function firstOf(lines: AsyncGenerator<WireLine>): Promise<WireLine | undefined> {
  for await (const line of lines) return line
  return undefined
}

/** Reads in chunks and never holds more than one line; one longer than the limit is damaged, not an out-of-memory. */
async function* readLines(path: string, report: ReadReport): AsyncGenerator<WireLine> {
  let carry = ''
  let tooLong = false
  let lineNumber = 0
  const damaged = (problem: string) => {
    report.damagedCount++
    if (report.damaged.length < 100) report.damaged.push({ path, lineNumber, problem })
  }
  for await (const chunk of createReadStream(path, { encoding: 'utf8', highWaterMark: 256 * 1024 })) {
    const pieces = (carry + chunk).split('\n')
    carry = pieces.pop()!
    for (const text of pieces) {
      lineNumber++
      if (tooLong || text.length > MAX_LINE_BYTES) {
        tooLong = false
        damaged(`longer than ${MAX_LINE_BYTES} bytes`)
        continue
      }
      if (text.trim() === '') continue
      const parsed = parseLine(text)
      if ('line' in parsed) yield parsed.line
      else damaged(parsed.problem)
    }
    if (carry.length > MAX_LINE_BYTES) {
      carry = ''
      tooLong = true
    }
  }
  if (carry !== '' || tooLong) {
    lineNumber++
    damaged('torn: the last line has no end')
  }
}
