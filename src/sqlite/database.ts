/**
 * Our own database: the one file that knows the library's name beside `read-only.ts`, so that another one, or Node's own, can take its place.
 *
 * @module
 */
import { createRequire } from 'node:module'
import type { Database as LibsqlDatabase, Statement } from 'libsql'

/** What a column of a row can hold. */
export type Value = null | number | bigint | string | Uint8Array

/** A database that is open for writing. */
export interface OpenDatabase {
  exec(sql: string): void
  run(sql: string, ...parameters: readonly Value[]): void
  /** Rows as lists of their columns. */
  rows(sql: string, ...parameters: readonly Value[]): readonly (readonly Value[])[]
  /** Does all of it or, where it throws, nothing. */
  transaction<Result>(work: () => Result): Result
  close(): void
}

/** How long a writer of another process is waited for. */
const BUSY_MS = 5000
type Libsql = new (path: string, options: { readonly timeout: number }) => LibsqlDatabase
let libsql: Libsql | null = null

/** @param path of the file, or `:memory:`. @throws what the library throws. */
export function openDatabase(path: string): OpenDatabase {
  libsql ??= createRequire(import.meta.url)('libsql') as Libsql
  const database = new libsql(path, { timeout: BUSY_MS })
  const statements = new Map<string, Statement>()
  const prepared = (sql: string): Statement => {
    let statement = statements.get(sql)
    if (!statement) {
      statement = database.prepare(sql)
      statements.set(sql, statement)
    }
    return statement
  }
  const exec = (sql: string) => void database.exec(sql)
  return {
    exec,
    run: (sql, ...parameters) => void prepared(sql).run(...parameters),
    rows: (sql, ...parameters) =>
      prepared(sql)
        .raw(true)
        .all(...parameters) as readonly (readonly Value[])[],
    transaction(work) {
      exec('BEGIN IMMEDIATE')
      try {
        const result = work()
        exec('COMMIT')
        return result
      } catch (error) {
        try {
          exec('ROLLBACK')
        } catch {
          // What ended the transaction is what there is to say.
        }
        throw error
      }
    },
    close() {
      // The library closes only once no statement is left, which may be long after: the log is put away now, unless somebody reads.
      try {
        database.pragma('busy_timeout = 0')
        database.pragma('wal_checkpoint(TRUNCATE)')
      } catch {
        // The next one who writes does it.
      }
      statements.clear()
      database.close()
    },
  }
}
