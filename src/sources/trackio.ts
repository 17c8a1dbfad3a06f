/**
 * Trackio's database: a file a project, a row a call of `log`, its numbers as JSON.
 *
 * @module
 */
import { basename } from 'node:path'
import { parseJsonLine } from '../log/flat-line.ts'
import { askDatabase, type Cell, isSqliteHead, PATIENCE_MS, type ReadOnlyDatabase } from '../sqlite/read-only.ts'
import { databaseSource, MAX_CELL_BYTES, textOf } from './database-source.ts'
import { hasTables } from './mlflow-database.ts'
import { namedApart } from './run-name.ts'
import type { Json, Source, SourceFormat, SourceRecord } from './source.ts'
import { loggedConfig, loggedPoints, unixSecondsOf } from './trackio-values.ts'

const MAX_RUNS = 1000

/** Databases of trackio. */
export const trackioFormat: SourceFormat = {
  name: 'trackio',
  recognises: (path, head, isFolder) =>
    !isFolder && isSqliteHead(head) && hasTables(path, ['metrics', 'configs', 'system_metrics']),
  async runs(path) {
    return askDatabase(path, runsIn, PATIENCE_MS)
  },
  async open(path, id, position) {
    return trackioRun(path, id, position)
  },
}

/** The column that tells runs apart: those before version 0.20 have only their names. */
function keyColumn(database: ReadOnlyDatabase): 'run_id' | 'run_name' {
  const columns = database.rows("SELECT CAST(name AS BLOB) FROM pragma_table_info('metrics')")
  return columns.some(([name]) => textOf(name) === 'run_id') ? 'run_id' : 'run_name'
}

/** Steps from one run to the next through the index, however many rows they have. */
function runsIn(database: ReadOnlyDatabase) {
  const key = keyColumn(database)
  const rows = database.rows(
    `WITH RECURSIVE run(id) AS (
       SELECT min(${key}) FROM metrics
       UNION ALL SELECT (SELECT min(${key}) FROM metrics WHERE ${key} > run.id) FROM run WHERE run.id IS NOT NULL LIMIT ${MAX_RUNS}
     )
     SELECT CAST(id AS BLOB), (SELECT CAST(substr(run_name, 1, 250) AS BLOB) FROM metrics WHERE ${key} = run.id LIMIT 1)
     FROM run WHERE id IS NOT NULL`,
  )
  return namedApart(rows.map(([id, name]) => ({ id: textOf(id) ?? '', name: textOf(name) ?? '' })))
}

function trackioRun(path: string, id: string, position: Json | undefined): Source {
  const project = basename(path).replace(/\.db$/, '')
  let key: 'run_id' | 'run_name' | null = null
  return databaseSource({
    name: 'trackio',
    path,
    position,
    rows(database, after, most) {
      key ??= keyColumn(database)
      return database.rows(
        `SELECT id, CAST(timestamp AS BLOB), step,
           CASE WHEN length(CAST(metrics AS BLOB)) <= ${MAX_CELL_BYTES} THEN CAST(metrics AS BLOB) END
         FROM metrics WHERE ${key} = ? AND id > ? ORDER BY id LIMIT ?`,
        id,
        after,
        most,
      )
    },
    understand: (rows, damage) => rows.flatMap((row) => pointsOf(row, damage)),
    facts: (database) => ({ config: configOf(database, id, project), end: null }),
  })
}

function pointsOf(row: readonly Cell[], damage: (row: number, problem: string) => void): readonly SourceRecord[] {
  const [number, time, step, cell] = row
  const text = textOf(cell)
  const parsed = text === null ? { problem: `longer than ${MAX_CELL_BYTES} bytes` } : parseJsonLine(text)
  const points = 'problem' in parsed ? parsed : loggedPoints(parsed.value, Number(step), unixSecondsOf(textOf(time)))
  if (!('problem' in points)) return points.type === 'points' ? [points] : []
  damage(Number(number), points.problem)
  return []
}

function configOf(database: ReadOnlyDatabase, id: string, project: string): SourceRecord | null {
  const key = keyColumn(database)
  const [row] = database.rows(
    `SELECT CAST(substr(run_name, 1, 250) AS BLOB), CAST(config AS BLOB) FROM configs
     WHERE ${key} = ? AND length(CAST(config AS BLOB)) <= ${MAX_CELL_BYTES} LIMIT 1`,
    id,
  )
  const parsed = parseJsonLine(textOf(row?.[1]) ?? '{}')
  return loggedConfig('value' in parsed ? parsed.value : {}, textOf(row?.[0]), project)
}
