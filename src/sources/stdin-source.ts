/**
 * Standard input as a source: its first lines say what it is.
 *
 * @module
 */
import { Readable } from 'node:stream'
import { consoleReader } from './console.ts'
import { csvReader, isCsvHeader } from './csv.ts'
import { headLines } from './head-lines.ts'
import { jsonlReader, kindOf } from './jsonl.ts'
import { streamSource } from './line-source.ts'
import type { Source } from './source.ts'

/** Bytes that are looked at before it is decided. */
const HEAD_BYTES = 4096

/**
 * Waits for the first line, or for 4 kB, and opens JSON lines, CSV or console text accordingly.
 *
 * @param path what it is called in damage and errors; `-` for standard input.
 */
export async function stdinSource(stream: Readable, path = '-'): Promise<Source> {
  const pieces = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  const first: Buffer[] = []
  let bytes = 0
  let failure: { readonly error: unknown } | null = null
  try {
    while (bytes < HEAD_BYTES && !first.some((piece) => piece.includes(10))) {
      const piece = await pieces.next()
      if (piece.done === true) break
      first.push(Buffer.from(piece.value))
      bytes += piece.value.length
    }
  } catch (error) {
    failure = { error }
  }
  const head = Buffer.concat(first)
  const whole = Readable.from(followed(head, pieces, failure), { objectMode: true })
  whole.once('close', () => stream.destroy())
  const { lines, torn } = headLines(head.subarray(0, HEAD_BYTES))
  const start = lines[0] ?? torn
  if (isCsvHeader(start)) return streamSource(whole, { path, reader: csvReader })
  if (/^\s*[[{"]/.test(start) && !start.startsWith("{'")) return streamSource(whole, { path, reader: jsonlReader })
  if (lines.some((line) => kindOf(line) !== null)) return streamSource(whole, { path, reader: jsonlReader })
  return streamSource(whole, { path, reader: consoleReader, carriageReturns: true })
}

async function* followed(
  head: Buffer,
  pieces: AsyncIterator<Buffer>,
  failure: { readonly error: unknown } | null,
): AsyncGenerator<Buffer> {
  if (head.length > 0) yield head
  if (failure) throw failure.error
  for (;;) {
    const piece = await pieces.next()
    if (piece.done === true) return
    yield piece.value
  }
}
