/**
 * Short looks into a database that somebody else writes: opened, asked and closed, so that its writer's checkpoints are never held up.
 *
 * @module
 */
import { existsSync, type Stats, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Database as LibsqlDatabase } from 'libsql'

/** What a column of a row can hold. Texts come as bytes where the question casts them, which it has to: see {@link askDatabase}. */
export type Cell = null | number | bigint | string | Uint8Array

/** A database that is open for reading. */
export interface ReadOnlyDatabase {
  /** Rows as lists of their columns. */
  rows(sql: string, ...parameters: readonly (number | string)[]): readonly (readonly Cell[])[]
}

/** Why a look failed: `busy` (locked) and `changed` (while it was asked) pass, `damaged` does not, `gone` may. */
export class DatabaseProblem extends Error {
  readonly kind: 'busy' | 'changed' | 'damaged' | 'gone'
  constructor(kind: DatabaseProblem['kind'], message: string) {
    super(message)
    this.kind = kind
  }
}

/** For a question that is asked once, and whose answer decides whether there is a run. */
export const PATIENCE_MS = 300
/** Answers that are thrown away because the database changed, before that is said. */
const TRIES = 5

/** Whether a file begins as SQLite's do. */
export function isSqliteHead(head: Uint8Array): boolean {
  return Buffer.from(head.subarray(0, 16)).toString('latin1') === 'SQLite format 3\0'
}

/**
 * Opens a database read-only, asks, and closes it.
 *
 * Texts are to be asked for as `CAST(column AS BLOB)`: one that is no UTF-8 would end the process. A database in WAL mode without a `-wal` file has
 * no writer now, and is opened as one that does not change, since opening it otherwise would leave files beside it; if a writer comes in the
 * meantime, the answer is thrown away.
 *
 * @param patienceMs how long a writer that has locked everybody out is waited for, and this thread with it; not at all by default.
 * @throws DatabaseProblem where it cannot be asked; nothing else.
 */
export function askDatabase<Answer>(path: string, ask: (database: ReadOnlyDatabase) => Answer, patienceMs = 0): Answer {
  for (let tries = 1; ; tries++) {
    try {
      return askOnce(path, ask, patienceMs)
    } catch (error) {
      if (patienceMs === 0 || tries === TRIES || !(error instanceof DatabaseProblem && error.kind === 'busy'))
        throw error
    }
  }
}

function askOnce<Answer>(path: string, ask: (database: ReadOnlyDatabase) => Answer, patienceMs: number): Answer {
  const before = versionOf(path)
  if (before === null) throw new DatabaseProblem('gone', 'it is not there')
  const unchanging = !existsSync(`${path}-wal`) && !existsSync(`${path}-journal`)
  let database: LibsqlDatabase | null = null
  let answer: Answer
  try {
    database = open(path, unchanging ? 'immutable=1' : 'mode=ro', patienceMs)
    answer = ask({ rows: (sql, ...parameters) => rowsOf(database!, sql, parameters) })
  } catch (error) {
    const problem = problemOf(error)
    throw unchanging && versionOf(path) !== before ? new DatabaseProblem('changed', problem.message) : problem
  } finally {
    database?.close()
  }
  if (unchanging && versionOf(path) !== before) throw new DatabaseProblem('changed', 'it was changed in the meantime')
  return answer
}

/**
 * One SELECT on a database of our own, whose texts are sound, with the names of its columns.
 *
 * @param most rows that are read.
 * @throws DatabaseProblem as {@link askDatabase} does, and for SQL that SQLite does not understand.
 */
export function selectFrom(
  path: string,
  sql: string,
  most: number,
): { readonly columns: readonly string[]; readonly rows: readonly (readonly Cell[])[] } {
  if (versionOf(path) === null) throw new DatabaseProblem('gone', 'it is not there')
  let database: LibsqlDatabase | null = null
  try {
    database = open(path, 'mode=ro', PATIENCE_MS)
    const statement = database.prepare(sql)
    const columns = statement.columns().map(({ name }) => name)
    const rows: (readonly Cell[])[] = []
    for (const row of statement.raw(true).iterate() as Iterable<readonly Cell[]>) {
      rows.push(row)
      if (rows.length >= most) break
    }
    return { columns, rows }
  } catch (error) {
    throw problemOf(error)
  } finally {
    database?.close()
  }
}

/** What changes whenever the database does: of its file and of its write-ahead log. Null where it is not there. */
export function versionOf(path: string): string | null {
  const main = statOf(path)
  return main === null ? null : `${said(main)} ${said(statOf(`${path}-wal`))}`
}

function said(stats: Stats | null): string {
  return stats === null ? '-' : `${stats.dev} ${stats.ino} ${stats.size} ${stats.mtimeMs}`
}

function statOf(path: string): Stats | null {
  try {
    return statSync(path, { throwIfNoEntry: false }) ?? null
  } catch {
    return null
  }
}

type Libsql = new (path: string, options: { readonly timeout: number }) => LibsqlDatabase
let libsql: Libsql | null = null

function open(path: string, mode: string, timeout: number): LibsqlDatabase {
  // Loaded only where there is a database: most that is watched has none.
  libsql ??= createRequire(import.meta.url)('libsql') as Libsql
  return new libsql(`file:${path.split('/').map(encodeURIComponent).join('/')}?${mode}`, { timeout })
}

function rowsOf(database: LibsqlDatabase, sql: string, parameters: readonly (number | string)[]) {
  return database
    .prepare(sql)
    .raw(true)
    .all(...parameters) as readonly (readonly Cell[])[]
}

function problemOf(error: unknown): DatabaseProblem {
  if (error instanceof DatabaseProblem) return error
  const { code = '', message = String(error) } = error as { readonly code?: unknown; readonly message?: string }
  const kind = /BUSY|LOCKED|PROTOCOL/.test(String(code))
    ? 'busy'
    : /: 14\b|CANTOPEN/.test(`${code} ${message}`)
      ? 'gone'
      : 'damaged'
  return new DatabaseProblem(kind, message)
}
