/**
 * Bytes as lines of text, never holding more than one: a line longer than the limit is damage, not an out-of-memory.
 *
 * @module
 */
import { MAX_LINE_BYTES } from '../log/run-log.ts'
import type { Json, SourceDamage, SourceName, SourceRecord } from './source.ts'

/** Longest beginning of a line that a reader is shown. */
const MAX_PEEK_BYTES = 4096
const NEW_LINE = 10
const CARRIAGE_RETURN = 13

/** What the lines of one file mean. */
export interface LineReader {
  /** The format, as far as the lines have said. */
  readonly name: SourceName
  /**
   * Takes one line that is not blank.
   *
   * @param torn whether the file ends without ending the line.
   * @returns what is wrong with it, or null.
   */
  take(text: string, torn: boolean, records: SourceRecord[]): string | null
  /** Takes a line that is blank but not empty; for readers to whom it says something. */
  blank?(text: string): void
  /** Is shown the beginning of a line that has no end yet, and may be shown it again; it comes to `take` in the end. */
  peek?(text: string, records: SourceRecord[]): void
  /** Another file has taken the place of the one that was read; its lines follow from the first. */
  anew(records: SourceRecord[]): void
  /** Whether the file has to be read again from its first line; `anew` is called then. */
  misread?(): boolean
  /** Nothing follows: what was held back is given. */
  end(records: SourceRecord[]): void
  /** What another reader of the same lines has to know to go on. */
  state(): Json
}

/** What came of some bytes. */
export interface Cut {
  readonly records: SourceRecord[]
  readonly damage: SourceDamage[]
}

/** Cuts bytes into lines. */
export interface LineCutter {
  /** Bytes whose lines were taken. */
  readonly consumed: number
  /** Lines among them. */
  readonly lines: number
  /** Bytes of a line that has no end yet. */
  readonly held: number
  /** Takes bytes that follow on those before; gives the part of them (and of what was held) whose lines are whole. */
  take(bytes: Buffer, cut: Cut): readonly Buffer[]
  /** Nothing follows: a last line without an end is taken as torn. */
  finish(cut: Cut): void
  /** Lets go of a line that has no end yet: its bytes come again. */
  forget(): void
  /** Begins again at the first line. */
  restart(): void
}

/** Where a cutter begins, and how lines end. */
export interface LineCutterOptions {
  readonly path: string
  readonly reader: LineReader
  readonly consumed?: number
  readonly lines?: number
  /** Whether a carriage return ends a line, too, as progress bars use it. */
  readonly carriageReturns?: boolean
}

export function lineCutter({ path, reader, carriageReturns = false, ...start }: LineCutterOptions): LineCutter {
  let consumed = start.consumed ?? 0
  let lines = start.lines ?? 0
  let held: Buffer[] = []
  let heldBytes = 0
  /** Where a line began that is too long to be held; its bytes are consumed as they come. */
  let tooLongFrom: number | null = null

  const lastEnd = (bytes: Buffer) =>
    Math.max(bytes.lastIndexOf(NEW_LINE), carriageReturns ? bytes.lastIndexOf(CARRIAGE_RETURN) : -1)

  const firstEnd = (bytes: Buffer) => {
    const line = bytes.indexOf(NEW_LINE)
    const carriage = carriageReturns ? bytes.indexOf(CARRIAGE_RETURN) : -1
    return line < 0 || (carriage >= 0 && carriage < line) ? carriage : line
  }

  function note(cut: Cut, offset: number, lineNumber: number, problem: string): void {
    cut.damage.push({ path, offset, lineNumber, problem })
  }

  function peek(cut: Cut): void {
    if (reader.peek && heldBytes > 0 && heldBytes <= MAX_PEEK_BYTES)
      reader.peek(Buffer.concat(held).toString('utf8'), cut.records)
  }

  /** @param atNewLine whether a new line, and not a carriage return, ends the block. */
  function takeBlock(block: Buffer, atNewLine: boolean, cut: Cut): void {
    let text = block.toString('utf8')
    if (consumed === 0 && text.charCodeAt(0) === 0xfeff) text = text.slice(1)
    const simple = text.length === block.length
    const pieces = carriageReturns ? text.split(/[\r\n]/) : text.split('\n')
    let at = consumed
    let character = 0
    for (const piece of pieces) {
      let problem: string | null = null
      if (!isBlank(piece)) problem = reader.take(piece, false, cut.records)
      else if (piece !== '') reader.blank?.(piece)
      if (problem !== null) note(cut, at, lines + 1 + newLines(text, character), problem)
      at += (simple ? piece.length : Buffer.byteLength(piece)) + 1
      character += piece.length + 1
    }
    consumed += block.length + 1
    lines += carriageReturns ? newLines(text, text.length) + (atNewLine ? 1 : 0) : pieces.length
  }

  return {
    get consumed() {
      return consumed
    },
    get lines() {
      return lines
    },
    get held() {
      return heldBytes
    },
    take(bytes, cut) {
      let rest = bytes
      const whole: Buffer[] = []
      if (tooLongFrom !== null) {
        const end = firstEnd(rest)
        const skipped = end < 0 ? rest : rest.subarray(0, end + 1)
        whole.push(skipped)
        consumed += skipped.length
        if (end < 0) return whole
        lines++
        note(cut, tooLongFrom, lines, `longer than ${MAX_LINE_BYTES} bytes`)
        tooLongFrom = null
        rest = rest.subarray(end + 1)
      }
      const end = lastEnd(rest)
      if (end < 0) {
        if (rest.length > 0) held.push(rest)
        heldBytes += rest.length
        if (heldBytes > MAX_LINE_BYTES) {
          tooLongFrom = consumed
          consumed += heldBytes
          whole.push(...held)
          held = []
          heldBytes = 0
        }
        peek(cut)
        return whole
      }
      const lineBytes = rest.subarray(0, end)
      const block = held.length > 0 ? Buffer.concat([...held, lineBytes]) : lineBytes
      whole.push(...held, rest.subarray(0, end + 1))
      const tail = rest.subarray(end + 1)
      // A copy, so that a short rest does not keep the whole piece.
      held = tail.length > 0 ? [Buffer.from(tail)] : []
      heldBytes = tail.length
      takeBlock(block, rest[end] === NEW_LINE, cut)
      peek(cut)
      return whole
    },
    finish(cut) {
      if (tooLongFrom !== null) note(cut, tooLongFrom, lines + 1, `longer than ${MAX_LINE_BYTES} bytes`)
      tooLongFrom = null
      const text = Buffer.concat(held).toString('utf8')
      const at = consumed
      consumed += heldBytes
      held = []
      heldBytes = 0
      const said = at === 0 && text.charCodeAt(0) === 0xfeff ? text.slice(1) : text
      if (!isBlank(said)) {
        const problem = reader.take(said, true, cut.records)
        if (problem !== null) note(cut, at, lines + 1, problem)
      }
      reader.end(cut.records)
    },
    forget() {
      held = []
      heldBytes = 0
    },
    restart() {
      consumed = 0
      lines = 0
      held = []
      heldBytes = 0
      tooLongFrom = null
    },
  }
}

function isBlank(text: string): boolean {
  return text === '' || (text.charCodeAt(0) <= 32 && text.trim() === '')
}

function newLines(text: string, before: number): number {
  let count = 0
  for (let at = text.indexOf('\n'); at >= 0 && at < before; at = text.indexOf('\n', at + 1)) count++
  return count
}
