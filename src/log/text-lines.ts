/**
 * A stream of bytes as lines of text, never holding more than one: a line longer than the limit is damaged, not an out-of-memory.
 *
 * @module
 */
import { noteDamaged, type ReadReport } from './read-report.ts'
import { MAX_LINE_BYTES } from './run-log.ts'

/** One line that is not blank. */
export interface TextLine {
  readonly text: string
  /** Counted from 1. */
  readonly lineNumber: number
  /** Whether it is the last and has no line end. */
  readonly torn: boolean
}

/** What {@link textLines} is told. */
export interface TextLinesOptions {
  /** Where the bytes come from, for the report. */
  readonly path: string
  readonly report: ReadReport
  readonly onBytes?: ((bytes: number) => void) | undefined
}

/** The lines of a stream of bytes in UTF-8. */
export async function* textLines(
  stream: AsyncIterable<Uint8Array>,
  { path, report, onBytes }: TextLinesOptions,
): AsyncGenerator<TextLine> {
  const decoder = new TextDecoder()
  let carry = ''
  let tooLong = false
  let lineNumber = 0
  const damaged = () => noteDamaged(report, { path, lineNumber, problem: `longer than ${MAX_LINE_BYTES} bytes` })
  for await (const chunk of stream) {
    onBytes?.(chunk.byteLength)
    // Only what is new is looked through: a line of many pieces would else be read again with each.
    const pieces = decoder.decode(chunk, { stream: true }).split('\n')
    pieces[0] = tooLong ? '' : carry + pieces[0]!
    carry = pieces.pop()!
    for (const text of pieces) {
      lineNumber++
      if (tooLong || text.length > MAX_LINE_BYTES) {
        tooLong = false
        damaged()
      } else if (text.trim() !== '') yield { text, lineNumber, torn: false }
    }
    if (carry.length > MAX_LINE_BYTES) {
      carry = ''
      tooLong = true
    }
  }
  carry += decoder.decode()
  lineNumber++
  if (tooLong) damaged()
  else if (carry.trim() !== '') yield { text: carry, lineNumber, torn: true }
}
