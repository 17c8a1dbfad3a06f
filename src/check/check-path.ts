/**
 * From a path to the runs in it: run folders, folders of run folders, single files, standard input. Never holds a file.
 *
 * @module
 */
import { createReadStream, readdirSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { addAbortSignal, type Readable } from 'node:stream'
import { errorMessage, TelltaleError } from '../errors.ts'
import { flatLine, parseJsonLine } from '../log/flat-line.ts'
import { type DamagedLine, newReadReport, noteDamaged, type ReadReport } from '../log/read-report.ts'
import { inOrder, type ReadOptions, readable, readRun } from '../log/read-run.ts'
import { textLines } from '../log/text-lines.ts'
import { checkLine, type WireLine } from '../log/wire.ts'
import { type FlatRun, flatRun } from './flat-run.ts'
import { type CheckedRun, type CheckOptions, checkRun, type RunCheck } from './run-check.ts'

/** What came of a path. */
export interface CheckedPath {
  readonly runs: readonly CheckedRun[]
  /** Lines that could not be read, the first 100 with their place. */
  readonly damaged: { readonly count: number; readonly lines: readonly DamagedLine[] }
  /** Lines met again, and sequence numbers that never came. */
  readonly repeated: number
  readonly missing: number
  /** Folders that hold a run, or may hold one, and could not be read. */
  readonly unreadable: readonly Unreadable[]
}

/** What could not be read, and why. */
export interface Unreadable {
  readonly path: string
  readonly problem: string
}

/** What {@link checkPath} is given beside the path. */
export interface CheckPathOptions extends ReadOptions {
  readonly check: CheckOptions
  /** What `-` stands for. */
  readonly stdin: Readable
}

/** Runs that one input may hold. */
const MAX_RUNS = 1000
/** Lines at the start of which one must be readable, or the input is something else. */
const MAX_BAD_START = 1000
const RUN_FILE = /^events-[A-Za-z0-9_-]+\.jsonl$/

/**
 * Checks all runs of a path.
 *
 * @param path a run folder, a folder of run folders, a file of JSON lines, or `-`.
 * @throws TelltaleError `not-readable` where there is nothing to check.
 */
export async function checkPath(path: string, options: CheckPathOptions): Promise<CheckedPath> {
  const report = newReadReport()
  const unreadable: Unreadable[] = []
  const runs =
    path === '-'
      ? await checkStream(options.stdin, path, report, options)
      : await checkPlace(path, report, unreadable, options)
  return {
    runs,
    damaged: { count: report.damagedCount, lines: report.damaged },
    repeated: report.repeated,
    missing: report.missing,
    unreadable,
  }
}

/** Bytes of all that a path names, for progress; 0 where that is not known. */
export function sizeOfPath(path: string): number {
  try {
    if (path === '-') return 0
    const stats = statSync(path)
    if (!stats.isDirectory()) return stats.size
    return runFolders(path).reduce(
      (sum, dir) =>
        sum +
        readdirSync(dir).reduce((bytes, name) => bytes + (RUN_FILE.test(name) ? statSync(join(dir, name)).size : 0), 0),
      0,
    )
  } catch {
    return 0
  }
}

async function checkPlace(
  path: string,
  report: ReadReport,
  unreadable: Unreadable[],
  options: CheckPathOptions,
): Promise<readonly CheckedRun[]> {
  let isFolder: boolean
  try {
    isFolder = statSync(path).isDirectory()
  } catch (error) {
    throw new TelltaleError('not-readable', `${path} cannot be read: ${errorMessage(error)}`)
  }
  if (!isFolder) {
    const { signal } = options
    return checkStream(
      createReadStream(path, { highWaterMark: 256 * 1024, ...(signal ? { signal } : {}) }),
      path,
      report,
      options,
    )
  }
  const folders = runFolders(path)
  if (folders.length === 0) {
    throw new TelltaleError(
      'not-readable',
      `${path} holds no run: expected a file events-<writer>.jsonl in it or in its folders. Name a file to check that.`,
    )
  }
  const runs: CheckedRun[] = []
  for (const folder of folders) {
    const checks = new Runs(folder, 'telltale', options.check)
    try {
      for await (const line of readRun(folder, report, options)) checks.take(line)
    } catch (error) {
      // One that cannot be read must not hide what there is to say of the others.
      if (folders.length === 1 || !(error instanceof TelltaleError && error.code === 'not-readable')) throw error
      unreadable.push({ path: folder, problem: error.message })
    }
    runs.push(...checks.results())
  }
  if (runs.length === 0 && unreadable.length === 0) throw nothingIn(path, report)
  return runs
}

/** The folder itself where it is a run's, else those of its folders that are. */
function runFolders(path: string): readonly string[] {
  const holdsRun = (dir: string) => {
    try {
      return readdirSync(dir).some((name) => RUN_FILE.test(name))
    } catch {
      // It may hold one: whoever reads it says why it cannot be read.
      return true
    }
  }
  if (holdsRun(path)) return [path]
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(path, name))
    .toSorted()
    .filter(holdsRun)
}

async function checkStream(
  stream: Readable,
  path: string,
  report: ReadReport,
  options: CheckPathOptions,
): Promise<readonly CheckedRun[]> {
  if (options.signal) addAbortSignal(options.signal, stream)
  let reader: LineReader | null = null
  let lines = 0
  const bytes = readable(stream, path, options.signal)
  for await (const { text, lineNumber, torn } of textLines(bytes, { path, report, onBytes: options.onBytes })) {
    const parsed = parseJsonLine(text)
    const problem =
      'problem' in parsed ? (torn ? `torn: the last line has no end` : parsed.problem) : takeLine(parsed.value)
    if (problem !== null) noteDamaged(report, { path, lineNumber, problem })
    if (++lines >= MAX_BAD_START && reader === null) break
  }
  const runs = (reader as LineReader | null)?.end() ?? []
  if (runs.length === 0) throw nothingIn(path, report)
  return runs

  function takeLine(value: unknown): string | null {
    if (reader === null) {
      const found = readerFor(value, path, report, options.check)
      if ('problem' in found) return found.problem
      reader = found
    }
    return reader.take(value)
  }
}

/** Reads lines of one format; the first good line of a file decides which. */
interface LineReader {
  /** What is wrong with the line, or null. */
  take(value: unknown): string | null
  end(): readonly CheckedRun[]
}

function readerFor(
  value: unknown,
  path: string,
  report: ReadReport,
  check: CheckOptions,
): LineReader | { readonly problem: string } {
  if (typeof value === 'object' && value !== null) {
    // A trainer may log a "v" and a "type", too; lines of ours have no step.
    if ('v' in value && 'type' in value && !('step' in value)) return wireReader(path, report, check)
    const first = flatLine(value)
    if (!('problem' in first)) return flatReader(path, 'data' in value ? 'verl' : 'jsonl', check)
    if (!Array.isArray(value)) return { problem: `neither a line of a run log nor a flat line: ${first.problem}` }
  }
  return { problem: 'neither a line of a run log nor a flat line with a step' }
}

function wireReader(path: string, report: ReadReport, check: CheckOptions): LineReader {
  const isNew = inOrder(report)
  const runs = new Runs(path, 'telltale', check)
  return {
    take(value) {
      const parsed = checkLine(value)
      if ('problem' in parsed) return parsed.problem
      if (isNew(parsed.line)) runs.take(parsed.line)
      return null
    },
    end: () => runs.results(),
  }
}

function flatReader(path: string, source: CheckedRun['source'], check: CheckOptions): LineReader {
  const run = runIdOf(path)
  const checked = checkRun(run, path, source, check)
  const flat: FlatRun = flatRun(run, (line) => checked.take(line))
  return {
    take(value) {
      const line = flatLine(value)
      if ('problem' in line) return line.problem
      flat.take(line)
      return null
    },
    end() {
      flat.end()
      return [checked.result()]
    },
  }
}

/** The runs of an input by id: a stream may hold several. */
class Runs {
  readonly #path: string
  readonly #source: CheckedRun['source']
  readonly #check: CheckOptions
  readonly #runs = new Map<string, RunCheck>()

  constructor(path: string, source: CheckedRun['source'], check: CheckOptions) {
    this.#path = path
    this.#source = source
    this.#check = check
  }

  take(line: WireLine): void {
    let run = this.#runs.get(line.run)
    if (!run) {
      if (this.#runs.size >= MAX_RUNS) {
        throw new TelltaleError(
          'not-readable',
          `${this.#path} holds more than ${MAX_RUNS.toLocaleString('en')} runs; check fewer at once`,
        )
      }
      run = checkRun(line.run, this.#path, this.#source, this.#check)
      this.#runs.set(line.run, run)
    }
    run.take(line)
  }

  results(): readonly CheckedRun[] {
    return [...this.#runs.values()].map((run) => run.result())
  }
}

/** A run id from a file's name. */
function runIdOf(path: string): string {
  const name = path === '-' ? 'stdin' : basename(path).replace(/\.[A-Za-z0-9]+$/, '')
  return name.replace(/[^A-Za-z0-9_-]+/g, '-').slice(0, 64) || 'run'
}

function nothingIn(path: string, { damaged, damagedCount }: ReadReport): TelltaleError {
  const place = path === '-' ? 'standard input' : path
  const first = damaged[0]
  return new TelltaleError(
    'not-readable',
    first
      ? `${place} holds no run: ${damagedCount === 1 ? 'its line cannot' : `${damagedCount} lines, none of which can`} be read (line ${first.lineNumber}: ${first.problem}). Expected wire format v1, or lines such as {"step":3,"loss":0.1}.`
      : `${place} is empty: there is nothing to check.`,
  )
}
