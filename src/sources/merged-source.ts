/**
 * Several growing files as one stream, in the order in which things happened: what the files of a folder say is merged as it is read, so that
 * nothing is held but a piece of each.
 *
 * @module
 */
import { relative } from 'node:path'
import type { Json, Source, SourceDamage, SourceName, SourceRecord } from './source.ts'

/** Files beyond which each is read in small pieces. */
const MANY_FILES = 8

/** What {@link mergedSource} is told. */
export interface MergedSourceOptions {
  readonly name: SourceName
  /** Files are named by their place in it. */
  readonly folder: string
  /** From {@link SourceBatch.position}. */
  readonly position: Json | undefined
  /** Paths of the files that are there now: lists of which each is one stream, its files one after the other. @throws TelltaleError `not-readable` */
  streams(): readonly (readonly string[])[]
  /** Begins to follow a file. */
  open(path: string, position: Json | undefined, isOneOfMany: boolean): Source
  /** Whether one stream's record is to be given before another's; a stream's own order is kept. */
  isBefore(one: SourceRecord, other: SourceRecord): boolean
  /** What a file's records mean; themselves by default. */
  understand?(records: readonly SourceRecord[], path: string): readonly SourceRecord[]
}

interface OneFile {
  readonly path: string
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

export function mergedSource(options: MergedSourceOptions): Source {
  const { name, folder } = options
  const understand = options.understand ?? ((records: readonly SourceRecord[]) => records)
  const saved = parsePosition(options.position)
  const files = new Map<string, OneFile>()

  function look(): readonly (readonly OneFile[])[] {
    const streams = options.streams()
    const isOneOfMany = streams.reduce((count, paths) => count + paths.length, 0) > MANY_FILES
    return streams.map((paths) =>
      paths.map((path) => {
        const key = relative(folder, path)
        let file = files.get(key)
        if (file === undefined) {
          const { at = null, given = 0 } = saved.get(key) ?? {}
          const source = options.open(path, at ?? undefined, isOneOfMany)
          file = { path, source, queue: [], given: 0, before: at, after: at, dry: false, leaveOut: given }
          files.set(key, file)
        }
        file.dry = false
        return file
      }),
    )
  }

  return {
    name,
    async read(how = {}) {
      how.signal?.throwIfAborted()
      const streams = look()
      const records: SourceRecord[] = []
      const damage: SourceDamage[] = []
      let bytes = 0

      /** The file of a stream that comes next, read where nothing of it is held; null where all of them are dry. */
      async function front(stream: readonly OneFile[]): Promise<OneFile | null> {
        for (const file of stream) {
          if (file.given < file.queue.length) return file
          if (file.dry) continue
          const batch = await file.source.read(how)
          bytes += batch.bytes
          damage.push(...batch.damage)
          file.dry = !batch.more
          file.before = file.after
          file.after = batch.position
          const left = file.leaveOut
          file.leaveOut = Math.max(0, left - batch.records.length)
          file.queue = left > 0 && file.leaveOut > 0 ? [] : understand(batch.records, file.path)
          file.given = Math.min(left, file.queue.length)
          if (file.given < file.queue.length || !file.dry) return file
        }
        return null
      }

      if (streams.length === 1) {
        const file = await front(streams[0]!)
        if (file) give(file, file.queue.length, records)
        return { records, damage, position: positions(), bytes, more: file !== null && anyMore(streams) }
      }
      // One piece of each at most, so that a batch stays small; a stream that may have more holds the others up.
      const fronts = new Map<readonly OneFile[], OneFile>()
      for (const stream of streams) {
        const file = await front(stream)
        if (file) fronts.set(stream, file)
      }
      for (;;) {
        let next: OneFile | null = null
        let nextRecord: SourceRecord | null = null
        let waiting = false
        for (const [stream, file] of fronts) {
          if (file.given >= file.queue.length) {
            if (stream.some((one) => !one.dry || one.given < one.queue.length)) waiting = true
            continue
          }
          const record = file.queue[file.given]!
          if (nextRecord === null || options.isBefore(record, nextRecord)) {
            next = file
            nextRecord = record
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
    for (const [key, one] of files)
      all[key] =
        one.given < one.queue.length || one.leaveOut > 0
          ? { at: one.before, given: one.given + one.leaveOut }
          : { at: one.after, given: 0 }
    return { ...all }
  }
}

function give(file: OneFile, upTo: number, records: SourceRecord[]): void {
  for (let i = file.given; i < upTo; i++) records.push(file.queue[i]!)
  file.given = upTo
  if (upTo >= file.queue.length) {
    file.queue = []
    file.given = 0
  }
}

function anyMore(streams: readonly (readonly OneFile[])[]): boolean {
  return streams.some((stream) => stream.some((file) => !file.dry || file.given < file.queue.length))
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
