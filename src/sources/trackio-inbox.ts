/**
 * Trackio's inbox, which it uses where SQLite is not safe: a folder a process with numbered files of lines, each put in its place as a whole and
 * taken away once somebody has imported it.
 *
 * @module
 */
import { readdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { errorMessage, TelltaleError } from '../errors.ts'
import { parseJsonLine } from '../log/flat-line.ts'
import { growingFile } from './growing-file.ts'
import { headLines } from './head-lines.ts'
import { type Cut, type LineReader, lineCutter } from './line-cutter.ts'
import { namedApart } from './run-name.ts'
import { someLine } from './some-line.ts'
import type { Json, Source, SourceFormat, SourceRecord } from './source.ts'
import { loggedConfig, loggedPoints, unixSecondsOf } from './trackio-values.ts'

const FILE = /^(\d{8})\.jsonl$/
const PIECE_BYTES = 1024 * 1024
const FILES_A_BATCH = 32
/** Files of a process in which its runs are looked for: nearly always there is one. */
const MAX_LOOKED = 100
const LOOK_BYTES = 64 * 1024

/** Folders of one process in trackio's inbox. */
export const trackioInboxFormat: SourceFormat = {
  name: 'trackio',
  recognises(path, head, isFolder) {
    if (isFolder || !FILE.test(basename(path))) return false
    const { lines, torn } = headLines(head)
    return /^\{"v":\d+,"kind":"(metric|system_metric|alert)"/.test(lines[0] ?? torn)
  },
  belongsTo: dirname,
  async runs(folder) {
    const runs = new Map<string, string>()
    const files = filesIn(folder)
    for (const { path } of [...files.slice(0, MAX_LOOKED), ...files.slice(MAX_LOOKED).slice(-MAX_LOOKED)])
      someLine(path, LOOK_BYTES, '\n', (line) => {
        const record = recordOf(line)
        if (record !== null && record.kind === 'metric') runs.set(idOf(record), String(record.run ?? ''))
        return false
      })
    return namedApart([...runs].map(([id, name]) => ({ id, name })))
  },
  async open(folder, id, position) {
    return inboxRun(folder, id, position)
  },
}

interface InboxFile {
  readonly number: number
  readonly path: string
}

function inboxRun(folder: string, id: string, position: Json | undefined): Source {
  let last = typeof position === 'number' ? position : -1
  return {
    name: 'trackio',
    async read({ signal } = {}) {
      signal?.throwIfAborted()
      const cut: Cut = { records: [], damage: [] }
      let bytes = 0
      const files = filesIn(folder).filter(({ number }) => number > last)
      for (const { number, path } of files.slice(0, FILES_A_BATCH)) {
        bytes += readFile(path, id, cut)
        last = number
      }
      return { ...cut, position: last, bytes, more: files.length > FILES_A_BATCH }
    },
    close() {},
  }
}

function readFile(path: string, id: string, cut: Cut): number {
  const cutter = lineCutter({ path, reader: fragmentReader(id) })
  const file = growingFile(path)
  let bytes = 0
  try {
    for (let more = true; more; ) {
      const piece = file.read(PIECE_BYTES)
      bytes += piece.bytes.length
      cutter.take(piece.bytes, cut)
      more = piece.more
    }
    cutter.finish(cut)
  } catch (error) {
    // Somebody has imported it: what it said is in the database.
    if (!(error instanceof TelltaleError)) throw error
  }
  return bytes
}

interface InboxRecord {
  readonly kind?: unknown
  readonly project?: unknown
  readonly run?: unknown
  readonly run_id?: unknown
  readonly metrics?: unknown
  readonly step?: unknown
  readonly timestamp?: unknown
  readonly config?: unknown
}

function fragmentReader(id: string): LineReader {
  return {
    name: 'trackio',
    take(text, torn, records: SourceRecord[]) {
      const record = recordOf(text)
      if (record === null) return torn ? 'torn: the last line has no end' : 'no record: expected a JSON object'
      if (record.kind !== 'metric' || idOf(record) !== id) return null
      const said = (value: unknown) => (typeof value === 'string' ? value : null)
      if (record.config) records.push(loggedConfig(record.config, said(record.run), said(record.project)))
      const points = loggedPoints(record.metrics, Number(record.step), unixSecondsOf(said(record.timestamp)))
      if ('problem' in points) return points.problem
      if (points.type === 'points') records.push(points)
      return null
    },
    anew() {},
    end() {},
    state: () => null,
  }
}

function recordOf(line: string): InboxRecord | null {
  const parsed = parseJsonLine(line)
  return 'value' in parsed && typeof parsed.value === 'object' && parsed.value !== null ? parsed.value : null
}

function idOf({ run_id, run }: InboxRecord): string {
  return String(run_id ?? run ?? '')
}

function filesIn(folder: string): readonly InboxFile[] {
  try {
    return readdirSync(folder)
      .filter((name) => FILE.test(name))
      .sort()
      .map((name) => ({ number: Number(name.slice(0, 8)), path: join(folder, name) }))
  } catch (error) {
    throw new TelltaleError('not-readable', `${folder} cannot be read: ${errorMessage(error)}`)
  }
}
