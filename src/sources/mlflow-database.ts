/**
 * MLflow's SQLite database: many runs in one file, one row a value. MLflow writes NaN as a mark, and an infinity as the largest number there is.
 *
 * @module
 */
import { basename } from 'node:path'
import { askDatabase, type Cell, isSqliteHead, PATIENCE_MS, type ReadOnlyDatabase } from '../sqlite/read-only.ts'
import { databaseSource, MAX_CELL_BYTES, textOf } from './database-source.ts'
import { endOfRun, mlflowValue, paramValue } from './mlflow-values.ts'
import { namedApart } from './run-name.ts'
import type { Json, Source, SourceFormat, SourceRecord } from './source.ts'

const MAX_RUNS = 1000
const MAX_PARAMS = 2000

/** Databases of MLflow's tracking store. */
export const mlflowDatabaseFormat: SourceFormat = {
  name: 'mlflow',
  recognises: (path, head, isFolder) => !isFolder && isSqliteHead(head) && hasTables(path, TABLES),
  async runs(path) {
    const rows = askDatabase(
      path,
      (database) =>
        database.rows(
          `SELECT CAST(run_uuid AS BLOB), CAST(substr(name, 1, 250) AS BLOB) FROM runs
         WHERE lifecycle_stage = 'active' AND EXISTS (SELECT 1 FROM metrics WHERE metrics.run_uuid = runs.run_uuid)
         ORDER BY start_time LIMIT ${MAX_RUNS}`,
        ),
      PATIENCE_MS,
    )
    return namedApart(rows.map(([id, name]) => ({ id: textOf(id) ?? '', name: textOf(name) ?? basename(path) })))
  },
  async open(path, id, position) {
    return mlflowRun(path, id, position)
  },
}

const TABLES = ['metrics', 'latest_metrics', 'params', 'runs', 'experiments']

/** Whether a database has some tables. Never throws. */
export function hasTables(path: string, tables: readonly string[]): boolean {
  try {
    const marks = tables.map(() => '?').join(', ')
    const sql = `SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN (${marks})`
    const count = askDatabase(path, (database) => Number(database.rows(sql, ...tables)[0]?.[0]), PATIENCE_MS)
    return count === tables.length
  } catch {
    // Whoever opens it says why it cannot be read.
    return false
  }
}

function mlflowRun(path: string, id: string, position: Json | undefined): Source {
  return databaseSource({
    name: 'mlflow',
    path,
    position,
    rows: (database, after, most) =>
      database.rows(
        `SELECT rowid, CAST(substr(key, 1, 250) AS BLOB), value, timestamp, step, is_nan FROM metrics
         WHERE run_uuid = ? AND rowid > ? ORDER BY rowid LIMIT ?`,
        id,
        after,
        most,
      ),
    understand: pointsOf,
    unfinished(rows) {
      const last = rows.at(-1)!
      return rows.length - 1 - rows.findLastIndex((row) => !together(row, last))
    },
    facts: (database) => factsOf(database, id),
  })
}

/** Values of one call have one time and one step, and make one record. */
function pointsOf(
  rows: readonly (readonly Cell[])[],
  damage: (row: number, problem: string) => void,
): readonly SourceRecord[] {
  const records: SourceRecord[] = []
  let before: readonly Cell[] | null = null
  let metrics: Record<string, number> = Object.create(null)
  for (const row of rows) {
    const [number, key, value, timeMs, step, isNan] = row
    const name = textOf(key)
    if (name === null || typeof step !== 'number' || !Number.isSafeInteger(step) || step < 0) {
      damage(Number(number), `a value of the step ${step}: expected a name, and a step of at least 0`)
      continue
    }
    if (before === null || !together(before, row)) {
      metrics = Object.create(null)
      const time = typeof timeMs === 'number' && Number.isFinite(timeMs) ? timeMs / 1000 : null
      records.push({ type: 'points', step, time, metrics })
    }
    metrics[name] = isNan ? Number.NaN : mlflowValue(Number(value))
    before = row
  }
  return records
}

function together(a: readonly Cell[], b: readonly Cell[]): boolean {
  return a[3] === b[3] && a[4] === b[4]
}

function factsOf(database: ReadOnlyDatabase, id: string) {
  const [run] = database.rows(
    `SELECT CAST(substr(r.name, 1, 250) AS BLOB), CAST(substr(e.name, 1, 250) AS BLOB), CAST(r.status AS BLOB)
     FROM runs r LEFT JOIN experiments e ON e.experiment_id = r.experiment_id WHERE r.run_uuid = ?`,
    id,
  )
  const params = database.rows(
    `SELECT CAST(key AS BLOB), CAST(value AS BLOB) FROM params
     WHERE run_uuid = ? AND length(CAST(value AS BLOB)) <= ${MAX_CELL_BYTES} ORDER BY key LIMIT ${MAX_PARAMS}`,
    id,
  )
  const config: [string, unknown][] = params.map(([key, value]) => [textOf(key) ?? '', paramValue(textOf(value) ?? '')])
  const [name, project, status] = (run ?? []).map(textOf)
  return {
    config: {
      type: 'config',
      config: Object.fromEntries(config),
      ...(name ? { name } : {}),
      ...(project ? { project } : {}),
    },
    end: endOfRun(status ?? ''),
  } as const
}
