/**
 * Reads a run folder: every writer's file in order, damaged lines set aside and counted, holes in the sequence found.
 *
 * @module
 */
import { createReadStream, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { errorMessage, TelltaleError } from '../errors.ts'
import { newReadReport, noteDamaged, type ReadReport } from './read-report.ts'
import { textLines } from './text-lines.ts'
import { parseLine, type WireLine } from './wire.ts'

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

/** What reading may be given beside the place. */
export interface ReadOptions {
  /** Called with the number of bytes of each piece that was read. */
  readonly onBytes?: ((bytes: number) => void) | undefined
  /** Ends the reading; it throws what the signal was aborted with. */
  readonly signal?: AbortSignal | undefined
}

/** All lines of a run folder in order; what is wrong goes into `report`. A torn last line is left for the writer to finish. */
export async function* readRun(dir: string, report: ReadReport, options: ReadOptions = {}): AsyncGenerator<WireLine> {
  const isNew = inOrder(report)
  for (const path of await logFiles(dir)) {
    for await (const line of readLines(path, report, options)) if (isNew(line)) yield line
  }
}

/**
 * Says of each line whether it is new: the same (run, writer, sequence number) counts once. Repeats and holes are counted.
 *
 * @param newest sequence number that came last by run and writer; it is brought up to date.
 */
export function inOrder(report: ReadReport, newest: Map<string, number> = new Map()): (line: WireLine) => boolean {
  return ({ run, writer, seq }) => {
    const id = `${run} ${writer}`
    const before = newest.get(id) ?? 0
    if (seq <= before) {
      report.repeated++
      return false
    }
    report.missing += seq - before - 1
    newest.set(id, seq)
    return true
  }
}

async function firstOf(lines: AsyncGenerator<WireLine>): Promise<WireLine | undefined> {
  for await (const line of lines) return line
  return undefined
}

async function* readLines(path: string, report: ReadReport, options: ReadOptions = {}): AsyncGenerator<WireLine> {
  const { signal } = options
  const stream = createReadStream(path, { highWaterMark: 256 * 1024, ...(signal ? { signal } : {}) })
  for await (const { text, lineNumber, torn } of textLines(readable(stream, path, signal), {
    path,
    report,
    ...options,
  })) {
    if (torn) {
      noteDamaged(report, { path, lineNumber, problem: 'torn: the last line has no end' })
      continue
    }
    const parsed = parseLine(text)
    if ('line' in parsed) yield parsed.line
    else noteDamaged(report, { path, lineNumber, problem: parsed.problem })
  }
}

/**
 * The bytes of a stream, whose own errors become `not-readable`.
 *
 * @throws TelltaleError `not-readable`; after an abort what the stream throws.
 */
export async function* readable(
  stream: AsyncIterable<Uint8Array>,
  place: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  try {
    yield* stream
  } catch (error) {
    if (signal?.aborted) throw error
    throw new TelltaleError('not-readable', `${place} cannot be read: ${errorMessage(error)}`, { cause: error })
  }
}
