/**
 * Questions in SQL to the store, which can only be read.
 *
 * @module
 */
import { TelltaleError } from '../errors.ts'
import { type Cell, DatabaseProblem, selectFrom } from '../sqlite/read-only.ts'

/** What a question came to. */
export interface StoreAnswer {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly Cell[])[]
  /** Whether there are more rows than were asked for. */
  readonly more: boolean
}

/** Texts, names in quotes and comments, in which a semicolon ends nothing. */
const QUOTED = /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\//g

/**
 * @param most rows.
 * @throws TelltaleError `bad-usage` for what is no question, or one that SQLite does not understand.
 */
export function askStore(path: string, sql: string, most: number): StoreAnswer {
  if (!/^\s*(SELECT|WITH|VALUES|EXPLAIN)\b/i.test(sql))
    throw new TelltaleError('bad-usage', 'expected a SELECT: the store is only read here')
  const bare = sql.replaceAll(QUOTED, '').replace(/;\s*$/, '')
  if (bare.includes(';')) throw new TelltaleError('bad-usage', 'expected one SELECT, and nothing after it')
  try {
    const { columns, rows } = selectFrom(path, sql, most + 1)
    return { columns, rows: rows.slice(0, most), more: rows.length > most }
  } catch (error) {
    if (!(error instanceof DatabaseProblem)) throw error
    throw new TelltaleError(
      'bad-usage',
      error.kind === 'gone' ? `there is no store at ${path}: telltale import makes one` : error.message,
    )
  }
}
