/**
 * `trainer_state.json` of transformers: a checkpoint's whole history, written anew with each checkpoint. The folders `checkpoint-<step>` of one
 * output folder are one run, and so is the file that `save_state()` leaves beside them.
 *
 * @module
 */
import { readdirSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { crc32 } from 'node:zlib'
import { errorMessage, TelltaleError } from '../errors.ts'
import { decodeNumber } from '../log/decode-metrics.ts'
import { parseJsonLine } from '../log/flat-line.ts'
import { fileVersion, growingFile } from './growing-file.ts'
import { historyScanner } from './history-scanner.ts'
import type { Json, Source, SourceBatch, SourceDamage, SourceFormat, SourceRecord } from './source.ts'

const FILE = 'trainer_state.json'
const CHECKPOINT = /^checkpoint-(\d{1,15})$/
const PIECE_BYTES = 1024 * 1024
/** Entries whose checksums are kept, to find where a resumed run has left the old one. */
const MAX_ENTRIES = 1_000_000

/** The state files of one output folder. */
export const trainerStateFormat: SourceFormat = {
  name: 'trainer-state',
  recognises: (path, _head, isFolder) => !isFolder && basename(path) === FILE,
  belongsTo(path) {
    const folder = dirname(path)
    return CHECKPOINT.test(basename(folder)) ? dirname(folder) : folder
  },
  home: (folder) => folder,
  async runs(path) {
    return [{ id: '', name: basename(path) }]
  },
  async open(path, _id, position) {
    return trainerStateSource(path, position)
  },
}

interface StateFile {
  readonly path: string
  readonly version: string
  readonly modifiedMs: number
  /** Of the checkpoint's folder; null for the file beside them. */
  readonly checkpoint: number | null
}

/** What was given so far: how many entries, and the checksum of each. */
interface Given {
  readonly sums: readonly number[]
  /** Checksums of all entries up to some of them: the first, second, fourth and so on, and the last. */
  readonly marks: ReadonlyMap<number, number>
  readonly count: number
}

const NOTHING_GIVEN: Given = { sums: [], marks: new Map(), count: 0 }

function isMark(count: number): boolean {
  return (count & (count - 1)) === 0
}

function trainerStateSource(folder: string, position: Json | undefined): Source {
  const saved = parsePosition(position)
  const versions = new Map<string, string>(saved.versions)
  let given: Given = saved.given
  let checkpoints = new Set<number>(saved.checkpoints)
  let config = ''
  /** Versions that had no end yet. */
  const torn = new Map<string, string>()

  /** Reads one file as a whole; what is new of its history goes into the batch. False where it is still being written. */
  async function readFile(file: StateFile, finished: boolean, batch: Batch): Promise<boolean> {
    const entries: SourceRecord[] = []
    const sums: number[] = []
    const marks = new Map<number, number>()
    let all = 0
    let index = 0
    /** First entry that is not one of those given. */
    let differsAt = -1
    const damaged: SourceDamage[] = []
    let ended = false
    const scanner = historyScanner('log_history', (text, character) => {
      const sum = crc32(text)
      if (differsAt < 0 && index < given.sums.length && given.sums[index] !== sum) differsAt = index
      if (sums.length < MAX_ENTRIES) sums.push(sum)
      all = crc32(`${sum}`, all)
      index++
      // Of what another process has given only the count and some checksums are known.
      if (given.sums.length === 0 && index <= given.count && (given.marks.get(index) ?? all) !== all) differsAt = 0
      if (isMark(index)) marks.set(index, all)
      if (index <= given.count && differsAt < 0) return
      const entry = entryRecord(text)
      if ('problem' in entry) damaged.push({ path: file.path, offset: character, problem: entry.problem })
      else {
        entries.push(entry.points)
        if ('train_runtime' in entry.points.metrics) ended = true
      }
    })
    const source = growingFile(file.path)
    const decoder = new TextDecoder()
    for (;;) {
      const piece = source.read(PIECE_BYTES)
      batch.bytes += piece.bytes.length
      if (piece.change !== 'same') return false
      scanner.take(decoder.decode(piece.bytes, { stream: true }).replace(/^\ufeff/, ''))
      if (!piece.more || scanner.problem !== null) break
    }
    if (!scanner.complete && !finished && scanner.problem === null) return false
    if (differsAt === 0 && given.sums.length === 0) {
      batch.records.push({ type: 'attempt' })
      given = NOTHING_GIVEN
      return readFile(file, finished, batch)
    }
    const problem = scanner.complete ? null : (scanner.problem ?? 'torn: the document has no end')
    if (problem !== null) damaged.push({ path: file.path, offset: source.offset, problem })
    batch.damage.push(...damaged)
    takeState(scanner.rest, batch)
    if (differsAt >= 0) {
      batch.records.push({ type: 'attempt' })
      given = { sums, marks: marks.set(index, all), count: index }
    } else if (index >= given.count) given = { sums, marks: marks.set(index, all), count: index }
    batch.records.push(...entries)
    if (file.checkpoint !== null && problem === null) {
      checkpoints.add(file.checkpoint)
      batch.records.push({
        type: 'checkpoint',
        step: file.checkpoint,
        time: file.modifiedMs / 1000,
        path: resolve(dirname(file.path)),
      })
    }
    if (ended) batch.records.push({ type: 'end', status: 'completed' })
    return true
  }

  /** The facts of the run that stand beside the history. */
  function takeState(rest: string | null, { records }: Batch): void {
    const parsed = rest === null ? { problem: '' } : parseJsonLine(rest)
    if ('problem' in parsed || typeof parsed.value !== 'object' || parsed.value === null) return
    const facts: Record<string, unknown> = {}
    for (const name of FACTS) {
      const value = (parsed.value as Record<string, unknown>)[name]
      if (typeof value === 'number' || typeof value === 'string') facts[name] = value
    }
    const text = JSON.stringify(facts)
    if (text === config || text === '{}') return
    config = text
    records.push({ type: 'config', config: facts })
  }

  async function takeFile(file: StateFile, finished: boolean, batch: Batch): Promise<void> {
    const { path, version } = file
    try {
      if (await readFile(file, finished, batch)) versions.set(path, version)
      else torn.set(path, `${version} ${finished}`)
    } catch (error) {
      if (!(error instanceof TelltaleError)) throw error
      // One that vanished while it was looked at is no longer there; another one may come.
      if (fileVersion(path) !== null) batch.damage.push({ path, offset: 0, problem: error.message })
      versions.set(path, version)
    }
  }

  /** Checkpoints that were removed: the newest one says so, since nobody can go back to them. */
  function noteRemoved(files: readonly StateFile[], { records }: Batch): void {
    const there = new Set(files.map(({ checkpoint }) => checkpoint))
    const removed = [...checkpoints].filter((step) => !there.has(step))
    if (removed.length === 0) return
    checkpoints = new Set([...checkpoints].filter((step) => there.has(step)))
    const newest = Math.max(...checkpoints)
    if (checkpoints.size > 0) records.push({ type: 'checkpoint', step: newest, time: null, removed })
  }

  return {
    name: 'trainer-state',
    async read({ finished = false, signal } = {}): Promise<SourceBatch> {
      signal?.throwIfAborted()
      const batch: Batch = { records: [], damage: [], bytes: 0 }
      const files = stateFiles(folder)
      noteRemoved(files, batch)
      const isNew = ({ path, version }: StateFile) =>
        versions.get(path) !== version && torn.get(path) !== `${version} ${finished}`
      const next = files.find(isNew)
      if (next) await takeFile(next, finished, batch)
      for (const path of versions.keys()) if (!files.some((file) => file.path === path)) versions.delete(path)
      const { count, marks } = given
      return {
        records: batch.records,
        damage: batch.damage,
        bytes: batch.bytes,
        position: { count, marks: [...marks], versions: [...versions], checkpoints: [...checkpoints] },
        more: files.some(isNew),
      }
    },
    close() {},
  }
}

interface Batch {
  readonly records: SourceRecord[]
  readonly damage: SourceDamage[]
  bytes: number
}

const FACTS = [
  'max_steps',
  'num_train_epochs',
  'train_batch_size',
  'logging_steps',
  'save_steps',
  'eval_steps',
] as const

type Points = Extract<SourceRecord, { type: 'points' }>

function entryRecord(text: string): { readonly points: Points } | { readonly problem: string } {
  const parsed = parseJsonLine(text)
  if ('problem' in parsed) return parsed
  const entry = parsed.value as Readonly<Record<string, unknown>>
  const step = entry.step
  if (typeof step !== 'number' || !Number.isSafeInteger(step) || step < 0) {
    return { problem: `step is ${JSON.stringify(step) ?? 'not there'}; expected an integer of at least 0` }
  }
  const metrics: Record<string, number> = Object.create(null)
  for (const name of Object.keys(entry)) {
    const value = name === 'step' ? null : decodeNumber(entry[name])
    if (value !== null) metrics[name] = value
  }
  return { points: { type: 'points', step, time: null, metrics } }
}

/** The state files of an output folder, oldest first; those of one time by their step. */
function stateFiles(folder: string): readonly StateFile[] {
  let names: readonly string[]
  try {
    names = readdirSync(folder)
  } catch (error) {
    throw new TelltaleError('not-readable', `${folder} cannot be read: ${errorMessage(error)}`)
  }
  const files: StateFile[] = []
  const add = (path: string, checkpoint: number | null) => {
    const stats = statSync(path, { throwIfNoEntry: false })
    if (!stats?.isFile()) return
    files.push({
      path,
      checkpoint,
      modifiedMs: stats.mtimeMs,
      version: `${stats.dev} ${stats.ino} ${stats.size} ${stats.mtimeMs}`,
    })
  }
  for (const name of names) {
    const checkpoint = CHECKPOINT.exec(name)
    if (checkpoint) add(join(folder, name, FILE), Number(checkpoint[1]))
    else if (name === FILE) add(join(folder, name), null)
  }
  const step = ({ checkpoint }: StateFile) => checkpoint ?? Number.POSITIVE_INFINITY
  return files.sort((a, b) => a.modifiedMs - b.modifiedMs || step(a) - step(b))
}

function numbers(pair: Json): readonly (readonly [number, number])[] {
  if (!Array.isArray(pair)) return []
  const [at, sum] = pair as readonly Json[]
  return typeof at === 'number' && typeof sum === 'number' ? [[at, sum]] : []
}

function parsePosition(position: Json | undefined): {
  readonly given: Given
  readonly versions: readonly (readonly [string, string])[]
  readonly checkpoints: readonly number[]
} {
  const nothing = { given: NOTHING_GIVEN, versions: [], checkpoints: [] }
  if (typeof position !== 'object' || position === null || Array.isArray(position)) return nothing
  const { count, marks, versions, checkpoints } = position as { readonly [key: string]: Json }
  if (typeof count !== 'number' || !Array.isArray(marks) || !Array.isArray(versions) || !Array.isArray(checkpoints))
    return nothing
  return {
    given: { sums: [], marks: new Map(marks.flatMap(numbers)), count },
    versions: versions.flatMap((pair) => (Array.isArray(pair) ? [[String(pair[0]), String(pair[1])] as const] : [])),
    checkpoints: checkpoints.filter((step): step is number => typeof step === 'number'),
  }
}
