/**
 * Follows one file that somebody else writes: what is new since the last look, and whether it is still the same file.
 *
 * It asks again and again (network file systems notify nobody), and opens the file anew to read: an open one would show a network file system's
 * cached size, hold a place on the disk after a deletion, and run out of descriptors over thousands of files. Where the file's size and time
 * have not changed most looks only ask for these, which a network file system may answer from memory, and every fifth opens it. Calls are
 * synchronous: a look at an unchanged file costs a few microseconds, through the thread pool many times that.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { closeSync, constants, fstatSync, openSync, readdirSync, readSync, type Stats, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { errorMessage, TelltaleError } from '../errors.ts'
import type { Json } from './source.ts'

/** Bytes at the start of a file that are part of its identity, and the most that may be asked for. */
const HEAD_BYTES = 256
const MAX_HEAD_BYTES = 64 * 1024
/** Looks at a file that seems unchanged, of which one opens it. */
const LOOKS_AN_OPENING = 5
/** Files of a folder that are looked at to find where a file was moved. */
const MAX_SIBLINGS = 1000

/** What one look at a file gave. */
export interface FilePiece {
  /**
   * `same`: the bytes follow those of the look before. `replaced`: another file has taken its place, or it was written anew. `truncated`: it
   * became shorter than what was read. After these two there are no bytes, and the next look begins at byte 0.
   */
  readonly change: 'same' | 'replaced' | 'truncated'
  /** What is new; empty where nothing is. */
  readonly bytes: Buffer
  /** Where the first of these bytes stands in the file. */
  readonly offset: number
  /** Whether the next look gives more at once. */
  readonly more: boolean
}

/** A file that is being followed. */
export interface GrowingFile {
  readonly path: string
  /** Where the next look begins. */
  readonly offset: number
  /**
   * Looks once and reads at most `maxBytes`. A file that was moved within its folder (rotation) is read to its end before `replaced` is said.
   *
   * @throws TelltaleError `not-readable` where the file is gone, is no file, or may not be read. A later call may succeed.
   */
  read(maxBytes: number): FilePiece
  /**
   * A position from which {@link growingFile} goes on. Give the end of the last whole record where what follows it is still held back.
   *
   * @param offset at most what was read; {@link GrowingFile.offset} by default.
   */
  mark(offset?: number): Json
  /** Goes to a byte that was read before, or to 0. */
  seek(offset: number): void
}

/** Device, inode and the beginning of a file: another one with the same name differs in one of them. */
interface Identity {
  readonly device: number
  readonly inode: number
  /** Hash of the first {@link headBytes}, which grow with the file up to what was asked for. */
  readonly head: string
  readonly headBytes: number
}

/**
 * Begins to follow a file. Nothing is read yet, and it need not exist yet.
 *
 * @param mark from {@link GrowingFile.mark}; the beginning of the file without one. One that is no mark counts as none.
 * @param wantedHead bytes at the start by which the file is known again, at most 64 kB; 256 by default.
 */
export function growingFile(path: string, mark?: Json, wantedHead = HEAD_BYTES): GrowingFile {
  const saved = parseMark(mark)
  let identity: Identity | null = saved?.identity ?? null
  let offset = saved?.offset ?? 0
  /** Size and time of the last look, so that an unchanged file is not read. */
  let seen = ''
  let looks = 0

  /** Whether the file is, as far as is known without opening it, what it was at the last look. */
  function isAsBefore(): boolean {
    if (seen === '' || ++looks % LOOKS_AN_OPENING === 0) return false
    const stats = statSync(path, { throwIfNoEntry: false })
    return stats !== undefined && versionOf(stats, offset) === seen
  }

  function look(maxBytes: number): FilePiece {
    if (isAsBefore()) return nothing(offset)
    const descriptor = openFile(path)
    try {
      const stats = fstatSync(descriptor)
      if (!stats.isFile()) throw notReadable(path, 'it is no file')
      if (identity === null) identity = identityOf(descriptor, stats, wantedHead)
      if (versionOf(stats, offset) === seen) return nothing(offset)
      const moved = stats.dev !== identity.device || stats.ino !== identity.inode
      if (moved) {
        const rest = readMoved(path, identity, offset, maxBytes)
        if (rest !== null) return advance(rest)
        return startAnew('replaced', descriptor, stats)
      }
      if (stats.size < offset) return startAnew('truncated', descriptor, stats)
      if (stats.size < identity.headBytes || headHash(descriptor, identity.headBytes) !== identity.head)
        return startAnew('replaced', descriptor, stats)
      if (identity.headBytes < wantedHead && stats.size > identity.headBytes)
        identity = identityOf(descriptor, stats, wantedHead)
      const piece = readAt(descriptor, stats.size, offset, maxBytes)
      advance(piece)
      if (!piece.more) seen = versionOf(stats, offset)
      return piece
    } finally {
      closeSync(descriptor)
    }
  }

  function advance(piece: FilePiece): FilePiece {
    offset = piece.offset + piece.bytes.length
    return piece
  }

  function startAnew(change: 'replaced' | 'truncated', descriptor: number, stats: Stats): FilePiece {
    identity = identityOf(descriptor, stats, wantedHead)
    offset = 0
    seen = ''
    return { change, bytes: Buffer.alloc(0), offset: 0, more: stats.size > 0 }
  }

  return {
    path,
    get offset() {
      return offset
    },
    read(maxBytes) {
      try {
        return look(maxBytes)
      } catch (error) {
        throw error instanceof TelltaleError ? error : notReadable(path, errorMessage(error), error)
      }
    },
    mark: (at = offset) => (identity === null ? null : { ...identity, offset: at }),
    seek(to) {
      offset = to
      seen = ''
    },
  }
}

/**
 * What changes when a file is written: for formats that are rewritten as a whole and read only then.
 *
 * @returns null where there is no such file.
 */
export function fileVersion(path: string): string | null {
  const stats = statSync(path, { throwIfNoEntry: false })
  return stats ? `${stats.dev} ${stats.ino} ${stats.size} ${stats.mtimeMs}` : null
}

function versionOf({ dev, ino, size, mtimeMs }: Stats, offset: number): string {
  return `${dev} ${ino} ${size} ${mtimeMs} ${offset}`
}

/** A pipe of that name must not hold us up: it is opened without waiting for its writer, and then refused. */
function openFile(path: string): number {
  return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
}

function identityOf(descriptor: number, stats: Stats, wantedHead: number): Identity {
  const headBytes = Math.min(wantedHead, stats.size)
  return { device: stats.dev, inode: stats.ino, head: headHash(descriptor, headBytes), headBytes }
}

function headHash(descriptor: number, bytes: number): string {
  const head = Buffer.alloc(bytes)
  const count = bytes === 0 ? 0 : readSync(descriptor, head, 0, bytes, 0)
  return createHash('sha256').update(head.subarray(0, count)).digest('hex').slice(0, 16)
}

function readAt(descriptor: number, size: number, offset: number, maxBytes: number): FilePiece {
  const wanted = Math.max(0, Math.min(maxBytes, size - offset))
  const bytes = Buffer.allocUnsafe(wanted)
  let count = 0
  while (count < wanted) {
    const got = readSync(descriptor, bytes, count, wanted - count, offset + count)
    if (got === 0) break
    count += got
  }
  return { change: 'same', bytes: bytes.subarray(0, count), offset, more: count === wanted && offset + count < size }
}

/** What was not read yet of a file that was moved within its folder; null where it is not found or was read to its end. */
function readMoved(path: string, identity: Identity, offset: number, maxBytes: number): FilePiece | null {
  const folder = dirname(path)
  const stem = basename(path).split('.')[0]!
  let names: readonly string[]
  try {
    names = readdirSync(folder)
  } catch {
    return null
  }
  for (const name of names.filter((one) => one.startsWith(stem)).slice(0, MAX_SIBLINGS)) {
    const piece = readIfSame(join(folder, name), identity, offset, maxBytes)
    if (piece !== null) return piece.bytes.length > 0 ? piece : null
  }
  return null
}

function readIfSame(path: string, identity: Identity, offset: number, maxBytes: number): FilePiece | null {
  let descriptor: number | null = null
  try {
    const stats = statSync(path)
    if (!stats.isFile() || stats.dev !== identity.device || stats.ino !== identity.inode) return null
    descriptor = openFile(path)
    if (headHash(descriptor, identity.headBytes) !== identity.head) return null
    const piece = readAt(descriptor, stats.size, offset, maxBytes)
    // What has taken its place comes next in any case.
    return { ...piece, more: true }
  } catch {
    return null
  } finally {
    if (descriptor !== null) closeSync(descriptor)
  }
}

function nothing(offset: number): FilePiece {
  return { change: 'same', bytes: Buffer.alloc(0), offset, more: false }
}

function parseMark(mark: Json | undefined): { readonly identity: Identity; readonly offset: number } | null {
  if (typeof mark !== 'object' || mark === null || Array.isArray(mark)) return null
  const { device, inode, head, headBytes, offset } = mark as { readonly [key: string]: Json }
  if (typeof device !== 'number' || typeof inode !== 'number' || typeof head !== 'string') return null
  if (!isCount(headBytes) || headBytes > MAX_HEAD_BYTES || !isCount(offset)) return null
  return { identity: { device, inode, head, headBytes }, offset }
}

function isCount(value: Json | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function notReadable(path: string, problem: string, cause?: unknown): TelltaleError {
  return new TelltaleError('not-readable', `${path} cannot be read: ${problem}`, { cause })
}
