/**
 * Bytes of a binary log as whole records, never holding more than one of them.
 *
 * @module
 */
import type { Cut } from './line-cutter.ts'
import type { FileCutter, FileReader } from './line-source.ts'

/** What takes whole records off the front of some bytes. */
export interface RecordReader extends FileReader {
  /**
   * @param offset of the first byte in the file.
   * @param finished whether nothing follows: what is torn is damage.
   * @returns bytes that were taken; with less than `wanted` of what is left it is not called again.
   */
  take(bytes: Buffer, offset: number, finished: boolean, cut: Cut): number
  /** Bytes that the next record needs, as far as that is known. */
  readonly wanted: number
}

/** @param start bytes that were taken before. */
export function recordCutter(reader: RecordReader, start = 0): FileCutter {
  let consumed = start
  let held: Buffer[] = []
  let heldBytes = 0

  function run(finished: boolean, cut: Cut): Buffer {
    const all = held.length === 1 ? held[0]! : Buffer.concat(held)
    const used = reader.take(all, consumed, finished, cut)
    consumed += used
    // A copy, so that a short rest does not keep the whole piece.
    held = used < all.length ? [used === 0 ? all : Buffer.from(all.subarray(used))] : []
    heldBytes = all.length - used
    return all.subarray(0, used)
  }

  return {
    get consumed() {
      return consumed
    },
    lines: 0,
    take(bytes, cut) {
      if (bytes.length === 0) return []
      held.push(bytes)
      heldBytes += bytes.length
      return heldBytes < reader.wanted ? [] : [run(false, cut)]
    },
    finish(cut) {
      if (heldBytes > 0) run(true, cut)
      held = []
      heldBytes = 0
    },
    forget() {
      held = []
      heldBytes = 0
    },
    restart() {
      consumed = 0
      held = []
      heldBytes = 0
    },
  }
}
