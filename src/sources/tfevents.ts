/**
 * TensorBoard event files: a run is a folder with its files, and with those of its sub-folders (`add_scalars`, Keras's `train` and `validation`),
 * whose tags get the sub-folder's name before them. The streams of the sub-folders are merged by step.
 *
 * @module
 */
import { readdirSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { errorMessage, TelltaleError } from '../errors.ts'
import type { Json, Source, SourceDamage, SourceFormat, SourceRecord } from './source.ts'
import { tfeventsFileSource } from './tfevents-file.ts'

const FILE = /(^|\.)tfevents\.\d/
/** Sub-runs that stand beside each other in a folder that has no events of its own. */
const HALVES = /^(train|training|validation|val|eval|test)$/
const MAX_UP = 8
const MAX_DOWN = 4
const MAX_FILES = 1000
/** Read at once of each of many files. */
const SMALL_PIECE_BYTES = 64 * 1024

/** Folders of event files. */
export const tfeventsFormat: SourceFormat = {
  name: 'tfevents',
  recognises: (path, _head, isFolder) => !isFolder && FILE.test(basename(path)),
  belongsTo: topOf,
  /** transformers put their files into `<output folder>/runs/<time>_<host>`. */
  home: (folder) => (basename(dirname(folder)) === 'runs' ? dirname(dirname(folder)) : folder),
  async runs(folder) {
    return [{ id: '', name: basename(folder) }]
  },
  async open(folder, _id, position) {
    return tfeventsSource(folder, position)
  },
}

function topOf(path: string): string {
  let top = dirname(path)
  if (HALVES.test(basename(top))) top = dirname(top)
  let folder = top
  for (let up = 0; up < MAX_UP && dirname(folder) !== folder; up++) {
    folder = dirname(folder)
    if (eventFiles(folder).length > 0) top = folder
  }
  return top
}

interface EventFile {
  readonly source: Source
  /** What was read and not given yet. */
  queue: readonly SourceRecord[]
  /** How many of the queue were given. */
  given: number
  /** Before the queue was read, and after it. */
  before: Json
  after: Json
  dry: boolean
  /** Records to leave out after a resumed position. */
  leaveOut: number
}

function tfeventsSource(folder: string, position: Json | undefined): Source {
  const saved = parsePosition(position)
  const files = new Map<string, EventFile>()

  /** The files that are there now, a list a sub-folder, oldest first. */
  function look(): readonly (readonly EventFile[])[] {
    const paths = below(folder, MAX_DOWN, true).slice(0, MAX_FILES)
    if (paths.length === 0) throw new TelltaleError('not-readable', `${folder} cannot be read: no event file is there`)
    const streams = new Map<string, EventFile[]>()
    for (const path of paths) {
      const name = relative(folder, path)
      let file = files.get(name)
      if (file === undefined) {
        const { at = null, given = 0 } = saved.get(name) ?? {}
        const source = tfeventsFileSource(path, at ?? undefined, paths.length > 8 ? SMALL_PIECE_BYTES : undefined)
        file = { source, queue: [], given: 0, before: at, after: at, dry: false, leaveOut: given }
        files.set(name, file)
      }
      file.dry = false
      const stream = dirname(name)
      const members = streams.get(stream)
      if (members) members.push(file)
      else streams.set(stream, [file])
    }
    return [...streams.values()]
  }

  return {
    name: 'tfevents',
    async read(options = {}) {
      options.signal?.throwIfAborted()
      const streams = look()
      const records: SourceRecord[] = []
      const damage: SourceDamage[] = []
      let bytes = 0

      /** The file of a stream that comes next, read where nothing of it is held; null where all of them are dry. */
      async function front(stream: readonly EventFile[]): Promise<EventFile | null> {
        for (const file of stream) {
          if (file.given < file.queue.length) return file
          if (file.dry) continue
          const batch = await file.source.read(options)
          bytes += batch.bytes
          damage.push(...batch.damage)
          file.dry = !batch.more
          file.before = file.after
          file.after = batch.position
          const left = file.leaveOut
          file.leaveOut = Math.max(0, left - batch.records.length)
          file.queue = left > 0 && file.leaveOut > 0 ? [] : prefixed(batch.records, folderOf(file))
          file.given = Math.min(left, file.queue.length)
          if (file.given < file.queue.length || !file.dry) return file
        }
        return null
      }

      const folderOf = (file: EventFile) => {
        for (const [name, one] of files) if (one === file) return dirname(name) === '.' ? '' : `${dirname(name)}/`
        return ''
      }

      if (streams.length === 1) {
        const file = await front(streams[0]!)
        if (file) give(file, file.queue.length, records)
        return { records, damage, position: positions(), bytes, more: file !== null && anyMore(streams) }
      }
      // One piece of each at most, so that a batch stays small; a stream that may have more holds the others up.
      const fronts = new Map<readonly EventFile[], EventFile>()
      for (const stream of streams) {
        const file = await front(stream)
        if (file) fronts.set(stream, file)
      }
      for (;;) {
        let next: EventFile | null = null
        let nextStep = Number.POSITIVE_INFINITY
        let waiting = false
        for (const [stream, file] of fronts) {
          if (file.given >= file.queue.length) {
            if (stream.some((one) => !one.dry || one.given < one.queue.length)) waiting = true
            continue
          }
          const step = stepOf(file.queue[file.given]!)
          if (next === null || step < nextStep) {
            next = file
            nextStep = step
          }
        }
        if (waiting || next === null) break
        give(next, next.given + 1, records)
      }
      return { records, damage, position: positions(), bytes, more: anyMore(streams) }
    },
    close() {
      for (const { source } of files.values()) source.close()
    },
  }

  function positions(): Json {
    const all: Record<string, Json> = Object.create(null)
    for (const [name, one] of files)
      all[name] =
        one.given < one.queue.length || one.leaveOut > 0
          ? { at: one.before, given: one.given + one.leaveOut }
          : { at: one.after, given: 0 }
    return { ...all }
  }
}

function give(file: EventFile, upTo: number, records: SourceRecord[]): void {
  for (let i = file.given; i < upTo; i++) records.push(file.queue[i]!)
  file.given = upTo
  if (upTo >= file.queue.length) {
    file.queue = []
    file.given = 0
  }
}

function anyMore(streams: readonly (readonly EventFile[])[]): boolean {
  return streams.some((stream) => stream.some((file) => !file.dry || file.given < file.queue.length))
}

function prefixed(records: readonly SourceRecord[], prefix: string): readonly SourceRecord[] {
  if (prefix === '') return records
  return records.map((record) => {
    if (record.type !== 'points') return record
    return {
      ...record,
      metrics: Object.fromEntries(Object.entries(record.metrics).map(([tag, value]) => [prefix + tag, value])),
    }
  })
}

function stepOf(record: SourceRecord): number {
  return 'step' in record ? record.step : -1
}

function eventFiles(folder: string): readonly string[] {
  try {
    return readdirSync(folder).filter((name) => FILE.test(name))
  } catch {
    return []
  }
}

function below(folder: string, depth: number, isTop: boolean): readonly string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
    const own = entries.filter((one) => !one.isDirectory() && FILE.test(one.name)).map(({ name }) => join(folder, name))
    const folders = depth === 0 ? [] : entries.filter((one) => one.isDirectory())
    const halves = isTop && own.length === 0 ? folders.filter(({ name }) => HALVES.test(name)) : folders
    return [...own, ...halves.flatMap(({ name }) => below(join(folder, name), depth - 1, false))]
  } catch (error) {
    if (!isTop) return []
    throw new TelltaleError('not-readable', `${folder} cannot be read: ${errorMessage(error)}`)
  }
}

function parsePosition(position: Json | undefined): ReadonlyMap<string, { readonly at: Json; readonly given: number }> {
  const files = new Map<string, { readonly at: Json; readonly given: number }>()
  if (typeof position !== 'object' || position === null || Array.isArray(position)) return files
  for (const [name, one] of Object.entries(position)) {
    if (typeof one !== 'object' || one === null || Array.isArray(one)) continue
    const { at = null, given } = one as { readonly [key: string]: Json }
    files.set(name, { at, given: typeof given === 'number' && given >= 0 ? Math.floor(given) : 0 })
  }
  return files
}
