/**
 * A run in a table of somebody else's database as a source: rows in the order in which they were written, those that are new at each look.
 *
 * @module
 */
import { crc32 } from 'node:zlib'
import { TelltaleError } from '../errors.ts'
import { askDatabase, type Cell, DatabaseProblem, type ReadOnlyDatabase, versionOf } from '../sqlite/read-only.ts'
import { plainText } from '../text/plain-text.ts'
import type { Json, Source, SourceDamage, SourceName, SourceRecord } from './source.ts'

/** Rows that are read at once. */
const ROWS_A_LOOK = 1000
/** Bytes of one value; a longer one is damage. */
export const MAX_CELL_BYTES = 256 * 1024
/** What is read once to its end waits for a writer that is in the middle of something; what is followed comes again. */
const FINISHED_PATIENCE_MS = 2000
/** Looks after which a problem of an unchanged database is asked about again. */
const PATIENCE = 10

/** What {@link databaseSource} is told. */
export interface DatabaseSourceOptions {
  readonly name: SourceName
  readonly path: string
  /** From {@link SourceBatch.position}. */
  readonly position: Json | undefined
  /** The run's rows after a number, in rising order, at most so many: the number first. Also from it on, where `from` is one less. */
  rows(database: ReadOnlyDatabase, after: number, most: number): readonly (readonly Cell[])[]
  /** What rows mean; they are taken together where they are one record. A text is what is wrong with the row before. */
  understand(
    rows: readonly (readonly Cell[])[],
    damage: (row: number, problem: string) => void,
  ): readonly SourceRecord[]
  /** How many of the last rows to leave for the next look, since more of their record may follow. None by default. */
  unfinished?(rows: readonly (readonly Cell[])[]): number
  /** Facts of the run: they are given when they change. */
  facts(database: ReadOnlyDatabase): { readonly config: SourceRecord | null; readonly end: SourceRecord | null }
}

/** Where a source stands. */
interface State {
  /** Number of the last row that was given; 0 before the first. */
  last: number
  /** Checksum of that row: another one there means another database. */
  sum: number
  /** Checksums of the facts that were given. */
  config: number
  end: number
}

const BEGIN: State = { last: 0, sum: 0, config: 0, end: 0 }

export function databaseSource(options: DatabaseSourceOptions): Source {
  const { name, path } = options
  let state = parsePosition(options.position)
  let seen: string | null = null
  let idle = 0
  let told = ''

  interface Answer {
    readonly records: readonly SourceRecord[]
    readonly damage: readonly SourceDamage[]
    readonly bytes: number
    readonly more: boolean
    readonly state: State
  }

  function ask(database: ReadOnlyDatabase): Answer {
    const records: SourceRecord[] = []
    const damage: SourceDamage[] = []
    let next = state
    if (next.last > 0) {
      const [same] = options.rows(database, next.last - 1, 1)
      if (same === undefined || Number(same[0]) !== next.last || sumOf(same) !== next.sum) {
        records.push({ type: 'attempt' })
        next = { ...BEGIN }
      }
    }
    const { config, end } = options.facts(database)
    const configSum = sumOfFact(config)
    if (config !== null && configSum !== next.config) records.push(config)
    const all = options.rows(database, next.last, ROWS_A_LOOK)
    const more = all.length === ROWS_A_LOOK
    const left = more ? Math.min(all.length - 1, options.unfinished?.(all) ?? 0) : 0
    const rows = all.slice(0, all.length - left)
    records.push(
      ...options.understand(rows, (row, problem) =>
        damage.push({ path, offset: row, problem: plainText(problem, 300) }),
      ),
    )
    const last = rows.at(-1)
    next = { ...next, config: configSum, ...(last ? { last: Number(last[0]), sum: sumOf(last), end: 0 } : {}) }
    const endSum = more ? 0 : sumOfFact(end)
    if (end !== null && !more && endSum !== next.end) records.push(end)
    if (!more) next = { ...next, end: endSum }
    return { records, damage, bytes: rows.reduce((sum, row) => sum + sizeOf(row), 0), more, state: next }
  }

  return {
    name,
    async read({ finished = false, signal } = {}) {
      signal?.throwIfAborted()
      const nothing = (damage: readonly SourceDamage[] = []) => ({
        records: [],
        damage,
        position: { ...state },
        bytes: 0,
        more: false,
      })
      const version = versionOf(path)
      if (version === null) throw new TelltaleError('not-readable', `${path} cannot be read: it is not there`)
      if (version === seen && !finished && ++idle % PATIENCE !== 0) return nothing()
      if (version === seen && told === '') return nothing()
      try {
        const { state: next, ...answer } = askDatabase(path, ask, finished ? FINISHED_PATIENCE_MS : 0)
        state = next
        // With more to come it is asked again, though it has not changed.
        seen = answer.more ? null : version
        told = ''
        return { ...answer, position: { ...state } }
      } catch (error) {
        if (!(error instanceof DatabaseProblem)) throw error
        seen = version
        const problem = plainText(error.message, 300)
        // A writer that is in the middle of something has done with it at the next look.
        if ((error.kind === 'busy' || error.kind === 'changed') && !finished) {
          seen = null
          return nothing()
        }
        if (told === problem) return nothing()
        told = problem
        return nothing([{ path, offset: 0, problem }])
      }
    },
    close() {},
  }
}

/** A text that was cast; null where it is none, or was too long to be asked for. */
export function textOf(cell: Cell | undefined): string | null {
  if (typeof cell === 'string') return cell
  return cell instanceof Uint8Array ? Buffer.from(cell.buffer, cell.byteOffset, cell.length).toString('utf8') : null
}

function sizeOf(row: readonly Cell[]): number {
  return row.reduce<number>((sum, cell) => sum + (cell instanceof Uint8Array ? cell.length : 8), 0)
}

/** A checksum that tells one row, or one fact, from another; never 0, which stands for none. */
function sumOf(row: readonly Cell[]): number {
  return row.reduce<number>((sum, cell) => crc32(cell instanceof Uint8Array ? cell : `${cell};`, sum), 0) || 1
}

function sumOfFact(fact: SourceRecord | null): number {
  return fact === null
    ? 0
    : sumOf([JSON.stringify(fact, (_, one: unknown) => (typeof one === 'number' ? `${one}` : one))])
}

function parsePosition(position: Json | undefined): State {
  if (typeof position !== 'object' || position === null || Array.isArray(position)) return { ...BEGIN }
  const { last, sum, config, end } = position as { readonly [key: string]: Json }
  const count = (value: Json | undefined) =>
    typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : 0
  return { last: count(last), sum: count(sum), config: count(config), end: count(end) }
}
