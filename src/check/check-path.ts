/**
 * From a path to the runs in it, of every format that Telltale reads. Never holds a file.
 *
 * @module
 */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { addAbortSignal, type Readable } from 'node:stream'
import { TelltaleError } from '../errors.ts'
import { newReadReport } from '../log/read-report.ts'
import { inOrder } from '../log/read-run.ts'
import type { WireLine } from '../log/wire.ts'
import { type FoundRun, runFinder } from '../sources/find-runs.ts'
import { openRun, type RunReader, readRunOf } from '../sources/run-reader.ts'
import type { SourceDamage, SourceName } from '../sources/source.ts'
import { stdinSource } from '../sources/stdin-source.ts'
import type { TrainerName } from '../vocabulary/vocabulary.ts'
import { type CheckedRun, type CheckOptions, checkRun, type RunCheck } from './run-check.ts'

/** What came of a path. */
export interface CheckedPath {
  readonly runs: readonly CheckedRun[]
  /** What could not be read, the first 100 with their place. */
  readonly damaged: { readonly count: number; readonly lines: readonly SourceDamage[] }
  /** Lines met again, and sequence numbers that never came. */
  readonly repeated: number
  readonly missing: number
  /** What holds a run, or may hold one, and could not be read. */
  readonly unreadable: readonly Unreadable[]
}

/** What could not be read, and why. */
export interface Unreadable {
  readonly path: string
  readonly problem: string
}

/** What {@link checkPath} is given beside the path. */
export interface CheckPathOptions {
  readonly check: CheckOptions
  /** What `-` stands for. */
  readonly stdin: Readable
  /** The trainer whose names these are; recognised by them without it. */
  readonly trainer?: TrainerName | undefined
  /** New names of metrics by their old ones. */
  readonly rename?: ReadonlyMap<string, string> | undefined
  /** Called before the files of a run are read. */
  readonly onFound?: ((found: FoundRun) => void) | undefined
  /** Called when a run was read, and waited for, before the next one is. */
  readonly onRun?: ((run: CheckedRun) => Promise<void>) | undefined
  /** Called when sequence numbers of a run's log were left out, with how many. */
  readonly onMissing?: ((run: string, lines: number) => void) | undefined
  /** Called once with the bytes that there are to read, as far as that is known. */
  readonly onSize?: ((bytes: number) => void) | undefined
  /** Called with the number of bytes of each piece that was read. */
  readonly onBytes?: ((bytes: number) => void) | undefined
  /** Ends the reading; it throws what the signal was aborted with. */
  readonly signal?: AbortSignal | undefined
}

/** Runs that one input may hold. */
const MAX_RUNS = 1000
/** Damaged lines at the start after which the input is something else. */
const MAX_BAD_START = 1000
/** Bytes at the start without a run after which there is none. */
const MAX_START_BYTES = 64 * 1024 * 1024
const MAX_DAMAGE_KEPT = 100

/** What reading found beside the runs. */
interface Report {
  readonly damaged: SourceDamage[]
  damagedCount: number
  bytes: number
  /** Repeated and missing lines of our own log. */
  readonly lines: ReturnType<typeof newReadReport>
}

/**
 * Checks all runs of a path.
 *
 * @param path a file or folder of any format, a folder of them, or `-`.
 * @throws TelltaleError `not-readable` where there is nothing to check.
 */
export async function checkPath(path: string, options: CheckPathOptions): Promise<CheckedPath> {
  const report: Report = { damaged: [], damagedCount: 0, bytes: 0, lines: newReadReport() }
  const unreadable: Unreadable[] = []
  const runs = path === '-' ? await checkStream(report, options) : await checkPlace(path, report, unreadable, options)
  return {
    runs,
    damaged: { count: report.damagedCount, lines: report.damaged },
    repeated: report.lines.repeated,
    missing: report.lines.missing,
    unreadable,
  }
}

async function checkPlace(
  path: string,
  report: Report,
  unreadable: Unreadable[],
  options: CheckPathOptions,
): Promise<readonly CheckedRun[]> {
  const found = await runFinder([path]).find(options.signal)
  unreadable.push(...found.unreadable)
  options.onSize?.(found.runs.reduce((sum, run) => sum + sizeOf(run), 0))
  const runs: CheckedRun[] = []
  for (const one of found.runs) {
    try {
      options.onFound?.(one)
      const checked = await checkFound(one, report, options)
      for (const run of checked) await options.onRun?.(run)
      runs.push(...checked)
    } catch (error) {
      // One that cannot be read must not hide what there is to say of the others.
      if (!(error instanceof TelltaleError && error.code === 'not-readable')) throw error
      unreadable.push({ path: one.parts[0]!.path, problem: error.message })
    }
  }
  if (runs.length > 0) return runs
  if (unreadable.length > 0) throw new TelltaleError('not-readable', unreadable[0]!.problem)
  throw found.runs.length > 0 || isFile(path) ? nothingIn(path, report) : noRunIn(path)
}

async function checkFound(found: FoundRun, report: Report, options: CheckPathOptions): Promise<readonly CheckedRun[]> {
  const runs = new Runs(options.check)
  const reader = await openRun(found, readerOptions(runs, report, options))
  runs.of(reader)
  await readAll(reader, runs, report, options)
  return runs.results()
}

async function checkStream(report: Report, options: CheckPathOptions): Promise<readonly CheckedRun[]> {
  if (options.signal) addAbortSignal(options.signal, options.stdin)
  const runs = new Runs(options.check)
  const source = await stdinSource(options.stdin)
  const reader = readRunOf([{ source, path: '-' }], 'stdin', readerOptions(runs, report, options))
  runs.of(reader)
  await readAll(reader, runs, report, options)
  const results = runs.results()
  if (results.length === 0) throw nothingIn('-', report)
  for (const run of results) await options.onRun?.(run)
  return results
}

function readerOptions(runs: Runs, report: Report, { trainer, rename, onMissing }: CheckPathOptions) {
  const isNew = inOrder(report.lines)
  return {
    trainer,
    rename,
    emit(line: WireLine) {
      const missing = report.lines.missing
      if (!isNew(line)) return
      if (report.lines.missing > missing) onMissing?.(line.run, report.lines.missing - missing)
      runs.take(line)
    },
    onDamage(damage: SourceDamage) {
      report.damagedCount++
      if (report.damaged.length < MAX_DAMAGE_KEPT) report.damaged.push(damage)
    },
  }
}

async function readAll(reader: RunReader, runs: Runs, report: Report, options: CheckPathOptions): Promise<void> {
  const before = report.damagedCount
  const start = report.bytes
  try {
    for (;;) {
      const { bytes, more } = await reader.read({ finished: true, signal: options.signal })
      options.onBytes?.(bytes)
      report.bytes += bytes
      const hopeless = report.damagedCount - before >= MAX_BAD_START || report.bytes - start > MAX_START_BYTES
      if (!more || (runs.empty && hopeless)) return
    }
  } finally {
    reader.close()
  }
}

/** The runs of an input by id: our own log may hold several. */
class Runs {
  readonly #check: CheckOptions
  readonly #runs = new Map<string, RunCheck>()
  #reader: Pick<RunReader, 'path' | 'source'> | null = null

  constructor(check: CheckOptions) {
    this.#check = check
  }

  get empty(): boolean {
    return this.#runs.size === 0
  }

  of(reader: RunReader): void {
    this.#reader = reader
  }

  take(line: WireLine): void {
    let run = this.#runs.get(line.run)
    if (!run) {
      const path = this.#reader?.path ?? '-'
      if (this.#runs.size >= MAX_RUNS) {
        throw new TelltaleError(
          'not-readable',
          `${path} holds more than ${MAX_RUNS.toLocaleString('en')} runs; check fewer at once`,
        )
      }
      const source: SourceName = this.#reader?.source ?? 'jsonl'
      run = checkRun(line.run, path, source, this.#check)
      this.#runs.set(line.run, run)
    }
    run.take(line)
  }

  results(): readonly CheckedRun[] {
    return [...this.#runs.values()].map((run) => run.result())
  }
}

/** Bytes of a run's files, for progress; of a folder those of the files in it that are of the format by their names. */
function sizeOf({ parts }: FoundRun): number {
  let bytes = 0
  for (const { format, path } of parts) {
    try {
      const stats = statSync(path)
      if (!stats.isDirectory()) bytes += stats.size
      else
        for (const name of readdirSync(path))
          if (format.recognises(join(path, name), new Uint8Array(), false)) bytes += statSync(join(path, name)).size
    } catch {
      // Whoever reads it says why it cannot be read.
    }
  }
  return bytes
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
}

function noRunIn(path: string): TelltaleError {
  return new TelltaleError(
    'not-readable',
    `${path} holds no run: expected a file events-<writer>.jsonl in it or in its folders, or a file of a trainer such as trainer_state.json, metrics.csv, a log of JSON lines or what it printed. Name a file to have it read in any case.`,
  )
}

function nothingIn(path: string, { damaged, damagedCount, bytes }: Report): TelltaleError {
  const place = path === '-' ? 'standard input' : path
  return new TelltaleError('not-readable', `${place} ${why()}`)

  function why(): string {
    const first = damaged[0]
    if (bytes === 0) return 'is empty: there is nothing to check.'
    if (!first) {
      return 'holds no run: no line of it says what a training logs. Expected lines such as {"step":3,"loss":0.1}, or what a trainer prints.'
    }
    const where = first.lineNumber === undefined ? `byte ${first.offset}` : `line ${first.lineNumber}`
    const all = damagedCount === 1 ? 'its line cannot' : `${damagedCount} lines, none of which can`
    return `holds no run: ${all} be read (${where}: ${first.problem}). Expected wire format v1, or lines such as {"step":3,"loss":0.1}.`
  }
}
