/**
 * One file as a source: follows it, and knows the same lines or records again when they come in another file.
 *
 * Logs are copied while they grow (rsync puts a new file in the old one's place each time), so a file that was replaced is compared with
 * what was read of the old one, by a checksum, before it counts as a new run.
 *
 * @module
 */
import type { Readable } from 'node:stream'
import { crc32 } from 'node:zlib'
import { errorMessage, TelltaleError } from '../errors.ts'
import { type FilePiece, growingFile } from './growing-file.ts'
import { type Cut, type LineCutter, type LineReader, lineCutter } from './line-cutter.ts'
import type { Json, Source, SourceBatch } from './source.ts'

/** Read at once. */
const PIECE_BYTES = 1024 * 1024
/** Bytes at the start whose checksum tells early that a file is another one. */
const START_BYTES = 4096
/** Looks without anything new after which a file that is shorter than what was read counts as another one. */
const PATIENCE = 10

/** What {@link lineSource} is told. */
export interface LineSourceOptions {
  readonly path: string
  /** @param state of the position, where there is one. */
  readonly reader: (state: Json | undefined) => LineReader
  /** Whether a carriage return ends a line, too. */
  readonly carriageReturns?: boolean
  /** Bytes at the start by which the file is known again; 256 by default. */
  readonly headBytes?: number
  /** From {@link SourceBatch.position}. */
  readonly position?: Json | undefined
}

/** Checksums of what was read: of its first 4 kB and of all of it. */
interface Sums {
  start: number
  startBytes: number
  all: number
}

const NOTHING_COMPARED = { start: 0, startBytes: 0, all: 0, bytes: 0, idle: 0 }

/** What a file's lines or records mean, as far as following the file depends on it: see {@link LineReader}. */
export type FileReader = Pick<LineReader, 'name' | 'anew' | 'misread' | 'state'>
/** What cuts a file into lines or records: see {@link LineCutter}. */
export type FileCutter = Pick<LineCutter, 'consumed' | 'lines' | 'take' | 'finish' | 'forget' | 'restart'>

/** What {@link fileSource} is told. */
export interface FileSourceOptions {
  readonly path: string
  /** Bytes at the start by which the file is known again; 256 by default. */
  readonly headBytes?: number | undefined
  /** Bytes that are read at once; a megabyte by default. */
  readonly pieceBytes?: number | undefined
  /** From {@link SourceBatch.position}. */
  readonly position?: Json | undefined
  /** Makes what reads the file, from the beginning or where a position says. */
  readonly begin: (saved: { readonly consumed: number; readonly lines: number; readonly state: Json } | null) => {
    readonly reader: FileReader
    readonly cutter: FileCutter
  }
}

/** A source of one file of lines. */
export function lineSource({ reader: makeReader, carriageReturns = false, ...options }: LineSourceOptions): Source {
  return fileSource({
    ...options,
    begin(saved) {
      const reader = makeReader(saved?.state)
      const start = saved ? { consumed: saved.consumed, lines: saved.lines } : {}
      return { reader, cutter: lineCutter({ path: options.path, reader, carriageReturns, ...start }) }
    },
  })
}

/** A source of one file of whatever is cut off it. */
export function fileSource({ path, headBytes, pieceBytes = PIECE_BYTES, position, begin }: FileSourceOptions): Source {
  const saved = parsePosition(position)
  const file = growingFile(path, saved?.file, headBytes)
  const { reader, cutter } = begin(saved)
  let sums: Sums = saved?.sums ?? { start: 0, startBytes: 0, all: 0 }
  /** Set while a file that has taken the other's place is compared with it. */
  let comparing: (Sums & { bytes: number; idle: number }) | null =
    saved && file.offset !== saved.consumed ? NOTHING_COMPARED : null
  if (comparing) file.seek(0)

  /** What the last look gave, while nothing is new: most looks at most files are that. */
  let unchanged: SourceBatch | null = null

  function takeBytes(bytes: Buffer, cut: Cut): void {
    for (const whole of cutter.take(bytes, cut)) sums = summed(sums, whole)
  }

  /** Compares the new file with what was read of the old one; says whether it is settled. */
  function compare(piece: FilePiece, finished: boolean, cut: Cut): void {
    const wanted = cutter.consumed
    const now = comparing!
    const bytes = piece.bytes.subarray(0, wanted - now.bytes)
    comparing = { ...summed(now, bytes), bytes: now.bytes + bytes.length, idle: bytes.length > 0 ? 0 : now.idle + 1 }
    const { start, startBytes, all, bytes: seen, idle } = comparing
    const differs =
      startBytes === Math.min(START_BYTES, wanted) && startBytes === sums.startBytes && start !== sums.start
    if (seen === wanted && all === sums.all) {
      comparing = null
      file.seek(wanted)
      // A line that had no end is read again with what follows.
      cutter.forget()
    } else if (differs || seen === wanted || (!piece.more && (finished || idle >= PATIENCE))) beginAnew(cut)
  }

  function beginAnew(cut: Cut): void {
    comparing = null
    file.seek(0)
    cutter.restart()
    sums = { start: 0, startBytes: 0, all: 0 }
    reader.anew(cut.records)
  }

  return {
    get name() {
      return reader.name
    },
    async read({ finished = false, signal } = {}) {
      signal?.throwIfAborted()
      const piece = file.read(pieceBytes)
      const isNews = finished || comparing !== null || piece.change !== 'same' || piece.bytes.length > 0
      if (!isNews && unchanged !== null) return unchanged
      const cut: Cut = { records: [], damage: [] }
      let more = piece.more
      if (piece.change !== 'same') {
        if (cutter.consumed === 0) beginAnew(cut)
        else comparing = NOTHING_COMPARED
        more ||= finished
      } else if (comparing !== null) {
        compare(piece, finished, cut)
        more = comparing === null || piece.more
      } else {
        takeBytes(piece.bytes, cut)
        if (reader.misread?.()) {
          beginAnew(cut)
          more = true
        } else if (finished && !piece.more) cutter.finish(cut)
      }
      const batch: SourceBatch = {
        ...cut,
        position: {
          file: comparing ? null : file.mark(cutter.consumed),
          consumed: cutter.consumed,
          lines: cutter.lines,
          sums: { ...sums },
          state: reader.state(),
        },
        bytes: piece.bytes.length,
        more,
      }
      const { position } = batch
      unchanged = more || comparing !== null ? null : { records: [], damage: [], position, bytes: 0, more: false }
      return batch
    },
    close() {},
  }
}

/**
 * A source of lines that come through a pipe. `read` waits for the next piece where none is there yet; there is no position to go on from.
 *
 * @throws TelltaleError `not-readable` where the stream fails.
 */
export function streamSource(
  stream: Readable,
  { path, reader: makeReader, carriageReturns = false }: Omit<LineSourceOptions, 'position'>,
): Source {
  const reader = makeReader(undefined)
  const cutter = lineCutter({ path, reader, carriageReturns })
  const pieces = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  let ended = false
  return {
    get name() {
      return reader.name
    },
    async read({ signal } = {}): Promise<SourceBatch> {
      signal?.throwIfAborted()
      const cut: Cut = { records: [], damage: [] }
      const piece = ended ? { done: true as const, value: undefined } : await nextPiece(pieces, path, signal)
      if (piece.done !== true) cutter.take(Buffer.from(piece.value), cut)
      else if (!ended) {
        ended = true
        cutter.finish(cut)
      }
      return { ...cut, position: null, bytes: piece.done === true ? 0 : piece.value.length, more: !ended }
    },
    close: () => void stream.destroy(),
  }
}

async function nextPiece(pieces: AsyncIterator<Buffer>, path: string, signal: AbortSignal | undefined) {
  try {
    return await pieces.next()
  } catch (error) {
    if (signal?.aborted) throw error
    const place = path === '-' ? 'standard input' : path
    throw new TelltaleError('not-readable', `${place} cannot be read: ${errorMessage(error)}`, { cause: error })
  }
}

function summed<Kind extends Sums>(sums: Kind, bytes: Buffer): Kind {
  const start = bytes.subarray(0, Math.max(0, START_BYTES - sums.startBytes))
  return {
    ...sums,
    start: start.length > 0 ? crc32(start, sums.start) : sums.start,
    startBytes: sums.startBytes + start.length,
    all: crc32(bytes, sums.all),
  }
}

interface Position {
  readonly file: Json
  readonly consumed: number
  readonly lines: number
  readonly sums: Sums
  readonly state: Json
}

/** A position that was saved, or null for one that is none. */
function parsePosition(position: Json | undefined): Position | null {
  if (typeof position !== 'object' || position === null || Array.isArray(position)) return null
  const { file = null, consumed, lines, sums, state = null } = position as { readonly [key: string]: Json }
  if (!isCount(consumed) || !isCount(lines) || typeof sums !== 'object' || sums === null) return null
  const { start, startBytes, all } = sums as { readonly [key: string]: Json }
  if (!isCount(start) || !isCount(startBytes) || !isCount(all)) return null
  return { file, consumed, lines, sums: { start, startBytes, all }, state }
}

function isCount(value: Json | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
