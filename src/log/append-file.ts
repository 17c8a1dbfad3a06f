/**
 * A file to whose end texts are written, each whole or not at all, with one synchronous write a text.
 *
 * @module
 */
import { closeSync, fstatSync, ftruncateSync, openSync, statfsSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'

/** See {@link appendFile}. No method throws. */
export interface AppendFile {
  /** @returns null where all of the text is written, else why none of it is. */
  put(text: string): unknown
  /** Bytes that are free on its file system; infinity where that cannot be asked. A limit of one user or one process shows in no number. */
  freeBytes(): number
  close(): void
}

/** Opens the file, of which nobody else may be a writer. @throws what the file system says. */
export function appendFile(path: string): AppendFile {
  let descriptor: number | null = openSync(path, 'a', 0o644)
  /** Whether half a text stands at the end: the next one must not become part of it. */
  let torn = false

  /** A full disk takes what still fits; that must not stay, for it takes the room of what is shorter. */
  function takeBack(at: number, bytes: number): void {
    if (bytes === 0) return
    try {
      ftruncateSync(at, fstatSync(at).size - bytes)
    } catch {
      torn = true
    }
  }

  return {
    put(text) {
      if (descriptor === null) return new Error('the file is closed')
      const whole = torn ? `\n${text}` : text
      let written = 0
      try {
        written = writeSync(descriptor, whole)
        if (written < Buffer.byteLength(whole)) {
          const bytes = Buffer.from(whole)
          while (written < bytes.length) written += writeSync(descriptor, bytes, written)
        }
        torn = false
        return null
      } catch (error) {
        takeBack(descriptor, written)
        return error
      }
    },
    freeBytes() {
      try {
        const { bavail, bsize } = statfsSync(dirname(path))
        return bavail * bsize
      } catch {
        return Number.POSITIVE_INFINITY
      }
    },
    close() {
      if (descriptor === null) return
      try {
        closeSync(descriptor)
      } catch {
        // The descriptor is gone already; there is nothing left to lose.
      }
      descriptor = null
    },
  }
}
