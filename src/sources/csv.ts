/**
 * CSV with a step column: Lightning's `metrics.csv`, Keras' CSVLogger, TRL's and anybody's own.
 *
 * Lightning writes the whole file anew when a metric comes that its header has not: rows that were given already are known again by a
 * checksum of their cells by name, and not given twice.
 *
 * @module
 */
import { dirname } from 'node:path'
import { crc32 } from 'node:zlib'
import { headLines, isText } from './head-lines.ts'
import type { LineReader } from './line-cutter.ts'
import { lineSource } from './line-source.ts'
import { numberOf } from './python-dict.ts'
import { nameOfFile } from './run-name.ts'
import type { Json, SourceFormat, SourceRecord } from './source.ts'

/** Columns that say the step, most telling first; `epoch` only where there is none of the others. */
const STEP_COLUMNS = ['step', 'global_step', 'trainer/global_step', '_step', 'iteration', 'iter', 'update', 'epoch']
const TIME_COLUMNS = ['time', 'timestamp', '_timestamp', 'wall_time']
/** Characters of a row that spans lines. */
const MAX_ROW_CHARACTERS = 1024 * 1024
/** Bytes at the start of a file by which it is known again: a header's longest. */
const HEADER_BYTES = 16 * 1024

/** Files of comma-separated values with a column that says the step. */
export const csvFormat: SourceFormat = {
  name: 'csv',
  recognises(path, head, isFolder) {
    if (isFolder || !isText(head) || !/\.csv$/i.test(path)) return false
    const { lines, torn } = headLines(head)
    return headerOf(lines[0] ?? torn) !== null
  },
  home: dirname,
  async runs(path) {
    return [{ id: '', name: nameOfFile(path) }]
  },
  async open(path, _id, position) {
    return lineSource({ path, reader: csvReader, headBytes: HEADER_BYTES, position })
  },
}

interface Header {
  readonly names: readonly string[]
  readonly step: number
  readonly time: number
}

interface Progress {
  header: readonly string[] | null
  /** Rows that were given, and the checksums of the first of them and of all of them. */
  rows: number
  first: number
  all: number
  /** While rows of a file that was written anew are compared with those that were given: how many were, and their checksum. */
  again: { rows: number; all: number } | null
}

const BEGIN: Progress = { header: null, rows: 0, first: 0, all: 0, again: null }

export function csvReader(state?: Json): LineReader {
  let progress: Progress = parseState(state)
  let header: Header | null = progress.header === null ? null : headerFrom(progress.header)
  /** A row whose quotes are not closed yet. */
  let open = openRow(state)
  /** Whether rows were left out that turned out to be another run's: the file has to be read again from its first line. */
  let misread = false

  function takeRow(cells: readonly string[], records: SourceRecord[]): string | null {
    if (header === null || cells[header.step]?.trim() === header.names[header.step]) {
      header = headerFrom(cells)
      progress.header = header?.names ?? null
      return header === null
        ? `no step: expected a column ${STEP_COLUMNS.slice(0, 3).join(', ')} or another of its kind in the header`
        : null
    }
    const { names } = header
    if (cells.length !== names.length) return `${cells.length} cells; the header has ${names.length}`
    const sum = crc32(names.map((name, i) => (cells[i] === '' ? '' : `${name}=${cells[i]}\n`)).join(''))
    if (progress.again !== null && knownAgain(sum, records)) return null
    progress.rows++
    if (progress.rows === 1) progress.first = sum
    progress.all = crc32(`${sum}`, progress.all)
    return giveRow(header, cells, records)
  }

  /** Whether a row of a file that was written anew is one that was given already. */
  function knownAgain(sum: number, records: SourceRecord[]): boolean {
    const again = progress.again!
    const rows = again.rows + 1
    const all = crc32(`${sum}`, again.all)
    if (rows === 1 && sum !== progress.first) {
      progress = { ...BEGIN, header: progress.header }
      records.push({ type: 'attempt' })
      return false
    }
    if (rows === progress.rows && all !== progress.all) {
      misread = true
      return true
    }
    progress.again = rows === progress.rows ? null : { rows, all }
    return true
  }

  return {
    name: 'csv',
    take(text, torn, records) {
      if (misread) return null
      const line = text.endsWith('\r') ? text.slice(0, -1) : text
      const row = open === '' ? line : `${open}\n${line}`
      const cells = torn ? null : cellsOf(row)
      if (torn) {
        open = ''
        return 'torn: the last row has no end'
      }
      if (cells === null) {
        open = row.length > MAX_ROW_CHARACTERS ? '' : row
        return open === '' ? `a quote that is not closed within ${MAX_ROW_CHARACTERS} characters` : null
      }
      open = ''
      return takeRow(cells, records)
    },
    misread: () => misread,
    anew(records) {
      open = ''
      header = null
      if (misread) {
        misread = false
        progress = { ...BEGIN }
        records.push({ type: 'attempt' })
      } else if (progress.rows > 0) progress = { ...progress, header: null, again: { rows: 0, all: 0 } }
      else progress = { ...BEGIN }
    },
    end() {
      open = ''
    },
    state: () => ({ ...progress, open }),
  }
}

function giveRow({ names, step, time }: Header, cells: readonly string[], records: SourceRecord[]): string | null {
  const at = numberOf((cells[step] ?? '').trim())
  if (at === null || !Number.isSafeInteger(at) || at < 0) {
    return `step is ${JSON.stringify((cells[step] ?? '').slice(0, 80))}; expected an integer of at least 0`
  }
  const metrics: Record<string, number> = Object.create(null)
  for (let i = 0; i < names.length; i++) {
    if (i === step || i === time) continue
    const value = cells[i] === '' ? null : numberOf(cells[i]!.trim())
    if (value !== null) metrics[names[i]!] = value
  }
  const seconds = time < 0 ? null : numberOf((cells[time] ?? '').trim())
  records.push({
    type: 'points',
    step: at,
    time: seconds !== null && Number.isFinite(seconds) ? seconds : null,
    metrics,
  })
  return null
}

function headerOf(line: string): Header | null {
  const cells = cellsOf(line.replace(/\r$/, ''))
  return cells === null ? null : headerFrom(cells)
}

function headerFrom(cells: readonly string[]): Header | null {
  const names = cells.map((cell) => cell.trim())
  const find = (columns: readonly string[]) => {
    const found = columns.find((column) => names.includes(column))
    return found === undefined ? -1 : names.indexOf(found)
  }
  const step = find(STEP_COLUMNS)
  return step < 0 || names.length < 2 ? null : { names, step, time: find(TIME_COLUMNS) }
}

/** The cells of a row; null where a quote is not closed yet. */
function cellsOf(row: string): readonly string[] | null {
  if (!row.includes('"')) return row.split(',')
  const cells: string[] = []
  let at = 0
  for (;;) {
    if (row[at] === '"') {
      const cell = quotedCell(row, at)
      if (cell === null) return null
      cells.push(cell.text)
      at = cell.end
    } else {
      const comma = row.indexOf(',', at)
      const end = comma < 0 ? row.length : comma
      cells.push(row.slice(at, end))
      at = end
    }
    if (at >= row.length) return cells
    at++
  }
}

/** A cell in quotes, in which two quotes are one; what follows its end up to the comma belongs to it. */
function quotedCell(row: string, start: number): { readonly text: string; readonly end: number } | null {
  let text = ''
  let from = start + 1
  for (;;) {
    const quote = row.indexOf('"', from)
    if (quote < 0) return null
    text += row.slice(from, quote)
    if (row[quote + 1] !== '"') {
      const comma = row.indexOf(',', quote)
      const end = comma < 0 ? row.length : comma
      return { text: text + row.slice(quote + 1, end), end }
    }
    text += '"'
    from = quote + 2
  }
}

function openRow(state: Json | undefined): string {
  const open = typeof state === 'object' && state !== null && 'open' in state ? state.open : ''
  return typeof open === 'string' ? open : ''
}

function parseState(state: Json | undefined): Progress {
  if (typeof state !== 'object' || state === null || Array.isArray(state)) return { ...BEGIN }
  const { header, rows, first, all, again } = state as { readonly [key: string]: Json }
  const count = (value: Json | undefined) =>
    typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : 0
  const names = Array.isArray(header) ? header.filter((name): name is string => typeof name === 'string') : null
  const seen = typeof again === 'object' && again !== null ? (again as { readonly [key: string]: Json }) : null
  return {
    header: names,
    rows: count(rows),
    first: count(first),
    all: count(all),
    again: seen === null ? null : { rows: count(seen.rows), all: count(seen.all) },
  }
}

/** Whether a line is a header that names a step. */
export function isCsvHeader(line: string): boolean {
  return !line.trimStart().startsWith('{') && headerOf(line) !== null
}
