/**
 * W&B's `.wandb` files: a header of seven bytes, and records in blocks of 32 kB as LevelDB's log has them, whose checksum is here the plain
 * CRC-32 over the fragment's kind and data.
 *
 * @module
 */
import { crc32 } from 'node:zlib'
import type { Cut } from './line-cutter.ts'
import type { Json } from './source.ts'

const FILE_HEADER_BYTES = 7
const BLOCK_BYTES = 32768
const HEADER_BYTES = 7
const FULL = 1
const FIRST = 2
/** Between them 3, a middle one. */
const LAST = 4
/** A longer record (a table, a picture) is passed over as it comes. */
const MAX_RECORD_BYTES = 16 * 1024 * 1024

/** Whether a file begins as W&B's do. */
export function isWandbHead(head: Uint8Array): boolean {
  return head.length >= FILE_HEADER_BYTES && Buffer.from(head.subarray(0, 6)).toString('latin1') === ':W&B\xe1\xbe'
}

/** Takes records off the front of bytes; a record's bytes are taken once all its fragments are there. */
export interface LogReader {
  readonly wanted: number
  take(bytes: Buffer, offset: number, finished: boolean, cut: Cut): number
  anew(): void
  state(): Json
}

/** @param record takes the bytes of a sound record and where it begins in the file. */
export function logReader(
  path: string,
  state: Json | undefined,
  record: (bytes: Buffer, offset: number, cut: Cut) => void,
): LogReader {
  /** Whether the fragments up to the next first one belong to nothing: a damaged record's, or one's that is too long. */
  let passing = state === true
  let wanted = HEADER_BYTES

  return {
    get wanted() {
      return wanted
    },
    take(bytes, offset, finished, cut) {
      const note = (at: number, problem: string) => cut.damage.push({ path, offset: offset + at, problem })
      let at = 0
      /** Where the record that is being joined began, and its fragments. */
      let from = 0
      let parts: Buffer[] = []
      let partBytes = 0
      wanted = HEADER_BYTES
      if (offset === 0) {
        if (bytes.length < FILE_HEADER_BYTES) {
          if (!finished) return 0
          note(0, 'torn: the header has no end')
          return bytes.length
        }
        if (!isWandbHead(bytes)) note(0, 'a header that is not W&B’s')
        at = FILE_HEADER_BYTES
        from = at
      }
      for (;;) {
        const left = BLOCK_BYTES - ((offset + at) % BLOCK_BYTES)
        if (left < HEADER_BYTES) {
          if (at + left > bytes.length) break
          at += left
          if (parts.length === 0) from = at
          continue
        }
        if (at + HEADER_BYTES > bytes.length) break
        const length = bytes.readUInt16LE(at + 4)
        const kind = bytes[at + 6]!
        const end = at + HEADER_BYTES + length
        if (kind < FULL || kind > LAST || length > left - HEADER_BYTES) {
          // Nothing in this block can be trusted any more.
          if (at + left > bytes.length && !finished) {
            wanted = at + left - from
            break
          }
          note(at, `a fragment of the kind ${kind} with ${length} bytes: the rest of its block is left out`)
          at = Math.min(bytes.length, at + left)
          ;[from, parts, partBytes, passing] = [at, [], 0, true]
          if (at === bytes.length) break
          continue
        }
        if (end > bytes.length) {
          wanted = end - from
          break
        }
        if (crc32(bytes.subarray(at + 6, end)) !== bytes.readUInt32LE(at)) {
          note(at, 'a fragment with a wrong checksum')
          ;[from, parts, partBytes, passing] = [end, [], 0, true]
          at = end
          continue
        }
        if (kind === FULL || kind === FIRST) {
          if (parts.length > 0) note(from, 'a record without its end')
          ;[from, parts, partBytes, passing] = [at, [], 0, false]
        } else if (parts.length === 0 && !passing) {
          note(at, 'the end of a record without its beginning')
          passing = true
        }
        const data = bytes.subarray(at + HEADER_BYTES, end)
        at = end
        if (passing) {
          from = at
          continue
        }
        if (kind === FULL) record(data, offset + from, cut)
        else {
          parts.push(data)
          partBytes += data.length
          if (kind === LAST) record(Buffer.concat(parts), offset + from, cut)
          else if (partBytes > MAX_RECORD_BYTES) {
            note(from, `a record longer than ${MAX_RECORD_BYTES} bytes: not looked at`)
            passing = true
          } else continue
        }
        ;[from, parts, partBytes] = [at, [], 0]
      }
      // What was begun is joined anew when the rest is there: after at least another fragment.
      if (parts.length > 0) wanted = Math.max(wanted, at + HEADER_BYTES - from)
      if (finished && from < bytes.length) {
        note(from, 'torn: the last record has no end')
        from = bytes.length
      }
      return from
    },
    anew() {
      passing = false
      wanted = HEADER_BYTES
    },
    state: () => passing,
  }
}
