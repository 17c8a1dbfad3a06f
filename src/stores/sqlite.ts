/**
 * Runs in one SQLite file, with a write-ahead log: any SQLite tool can read it while a run is written.
 *
 * @module
 */
import { accessSync, constants, existsSync, renameSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Alert, Coverage } from '../detectors/detector.ts'
import { errorMessage, TelltaleError } from '../errors.ts'
import { processFrom } from '../log/process-info.ts'
import { makeFolder } from '../make-folder.ts'
import { type OpenDatabase, openDatabase, type Value } from '../sqlite/database.ts'
import { plainJson } from '../text/plain-json.ts'
import {
  CHUNK_VALUES,
  type Chunk,
  decodeIterations,
  decodeValues,
  encodeIterations,
  encodeValues,
  summaryOf,
} from './chunk.ts'
import { MIGRATIONS } from './schema/sqlite.ts'
import type {
  Commit,
  ResumePoint,
  RunIdentity,
  RunState,
  RunStore,
  SeriesPoints,
  StoredBucket,
  StoredEvent,
  StoredRun,
  StoredSample,
} from './store.ts'
import { supersededFrom } from './superseded.ts'

/** Whether a row of `alerts` is muted; 1 or 0. */
const IS_MUTED = "coalesce(json_extract(alert, '$.muted'), 0)"
/** Answers of a run that are kept: the newest. */
const MAX_SAMPLES = 2000
/** Events of a run that are kept: the newest. */
const MAX_EVENTS = 2000
const DEFAULT_BUCKETS = 1000
/** Chunks that are read at once where all of a run is: about a megabyte. */
const CHUNKS_AT_ONCE = 100
/** Bytes that the write-ahead log keeps after a checkpoint: about what SQLite lets it grow to by itself. */
const MAX_IDLE_LOG_BYTES = 4 * 1024 * 1024

/** How a {@link sqliteStore} is opened. */
export interface SqliteStoreOptions {
  /** The file, or `:memory:`. Its folder is made. */
  readonly path: string
  /** Unix seconds, for the name of a damaged file that is set aside. */
  readonly now: () => number
  /** Takes a line for the person who watches. */
  readonly say?: ((text: string) => void) | undefined
}

/** A series that is being written: its last chunk is not full yet. */
interface OpenSeries {
  readonly id: number
  number: number
  chunk: Chunk
}

/**
 * Opens the store, and makes it where it is not there. A damaged file is set aside, since everything in it can be made again from the runs.
 *
 * @throws TelltaleError `not-writable` where the folder or the file cannot be written, `bad-format` for a store of a later version.
 */
export function sqliteStore(options: SqliteStoreOptions): RunStore {
  const { path } = options
  const database = openOrSetAside(options)
  /** Series of runs that this process writes, by run and name. */
  const open = new Map<string, Map<string, OpenSeries>>()
  /** Keys that runs had before, by the key that they have now, until the first commit. */
  const earlier = new Map<string, Pick<RunIdentity, 'earlierKeys' | 'wholeKeys'>>()
  const guarded = <Result>(code: 'not-readable' | 'not-writable', work: () => Result): Result => {
    try {
      return work()
    } catch (error) {
      if (error instanceof TelltaleError) throw error
      const what = code === 'not-writable' ? 'written' : 'read'
      const todo = isDamage(error) ? '; it is damaged: move it away, and say telltale rebuild PATH' : ''
      throw new TelltaleError(code, `the store ${path} cannot be ${what}: ${errorMessage(error)}${todo}`, {
        cause: error,
      })
    }
  }
  const idOf = (key: string): number | null => {
    const [row] = database.rows('SELECT id FROM runs WHERE key = ?', key)
    return row ? Number(row[0]) : null
  }

  const sourceOf = (key: string) => database.rows('SELECT source FROM runs WHERE key = ?', key)[0]?.[0]

  function drop(key: string): void {
    const id = idOf(key)
    if (id === null) return
    for (const table of ['chunks', 'chunk_values'])
      database.run(`DELETE FROM ${table} WHERE series_id IN (SELECT id FROM series WHERE run_id = ?)`, id)
    for (const table of ['series', 'samples', 'events', 'alerts'])
      database.run(`DELETE FROM ${table} WHERE run_id = ?`, id)
    database.run('DELETE FROM runs WHERE id = ?', id)
  }

  /** What people have said of a run stays with it; all else is stored anew. */
  function takeOver(before: string, key: string): void {
    drop(before)
    database.run('INSERT OR IGNORE INTO tags SELECT ?, tag FROM tags WHERE key = ?', key, before)
    database.run('DELETE FROM tags WHERE key = ?', before)
    database.run('UPDATE notes SET key = ? WHERE key = ?', key, before)
    forgetResumePoints(before)
    // Whoever writes it under that key is refused from now on.
    database.run('DELETE FROM claims WHERE key = ?', before)
  }

  function writePoints(runId: number, series: Map<string, OpenSeries>, points: SeriesPoints): void {
    let one = series.get(points.name)
    if (!one) {
      database.run(
        'INSERT INTO series (run_id, name, original, unit) VALUES (?, ?, ?, ?)',
        ...[runId, points.name, points.original, points.unit],
      )
      const [row] = database.rows('SELECT id FROM series WHERE run_id = ? AND name = ?', runId, points.name)
      one = { id: Number(row![0]), number: 0, chunk: emptyChunk(points.attempt) }
      series.set(points.name, one)
    }
    for (let i = 0; i < points.values.length; i++) {
      // A chunk is of one attempt, so that what was done again can be left out as a whole.
      if (one.chunk.values.length >= CHUNK_VALUES || one.chunk.attempt !== points.attempt) {
        if (one.chunk.values.length > 0) {
          writeChunk(one)
          one.number++
        }
        one.chunk = emptyChunk(points.attempt)
      }
      one.chunk.iterations.push(points.iterations[i]!)
      one.chunk.values.push(points.values[i]!)
    }
    writeChunk(one)
  }

  function writeChunk({ id, number, chunk }: OpenSeries): void {
    const { first, last, finite, minimum, maximum, total } = summaryOf(chunk)
    const { stride, list } = encodeIterations(chunk.iterations)
    database.run(
      'INSERT OR REPLACE INTO chunks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
      ...[id, number, chunk.attempt, first, last, chunk.values.length, finite, minimum, maximum],
      Number.isFinite(total) ? total : 0,
    )
    database.run(
      'INSERT OR REPLACE INTO chunk_values VALUES (?, ?, ?, ?, ?)',
      id,
      number,
      stride,
      list,
      encodeValues(chunk.values),
    )
  }

  function writeState(key: string, commit: Commit, claim: readonly Value[]): number {
    const [epoch, run, name, place, source] = claim
    const { state } = commit
    const values: readonly Value[] = [
      ...[run!, state.name || name!, state.project, place!, source!, state.trainer, state.status, state.preset],
      ...[
        state.iterations,
        state.lastIteration,
        state.totalIterations,
        state.startedUnixSeconds,
        state.newestUnixSeconds,
      ],
      ...[commit.time, plainJson(state.config).text, JSON.stringify(state.checkpoints), JSON.stringify(state.attempts)],
      ...[JSON.stringify(state.coverage), epoch!, state.process === null ? null : JSON.stringify(state.process)],
      ...[state.loggedIterations, state.followed ? 1 : 0, state.missingLines],
    ]
    const id = idOf(key)
    if (id !== null) {
      database.run(
        `UPDATE runs SET ${RUN_COLUMNS.map((column) => `${column} = ?`).join(', ')} WHERE id = ?`,
        ...values,
        id,
      )
      return id
    }
    const marks = RUN_COLUMNS.map(() => '?').join(', ')
    database.run(`INSERT INTO runs (key, ${RUN_COLUMNS.join(', ')}) VALUES (?, ${marks})`, key, ...values)
    return idOf(key)!
  }

  function raiseEpoch({ key, run, name, path: place, source }: RunIdentity): number {
    database.run(
      `INSERT INTO claims VALUES (?, 1, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE
       SET epoch = epoch + 1, run = excluded.run, name = excluded.name, path = excluded.path, source = excluded.source`,
      ...[key, run, name, place, source],
    )
    return Number(database.rows('SELECT epoch FROM claims WHERE key = ?', key)[0]![0])
  }

  function writeCommit(commit: Commit, isFirst: boolean, series: Map<string, OpenSeries>): void {
    const { key, epoch } = commit
    const [claim] = database.rows('SELECT epoch, run, name, path, source FROM claims WHERE key = ?', key)
    if (!claim || Number(claim[0]) !== epoch)
      throw new TelltaleError(
        'bad-usage',
        `${key} is stored by somebody else since (epoch ${claim?.[0] ?? 'none'}, not ${epoch})`,
      )
    if (isFirst) {
      drop(key)
      const { earlierKeys = [], wholeKeys = [] } = earlier.get(key) ?? {}
      const others = [...earlierKeys, ...wholeKeys.filter((one) => sourceOf(one) === claim[4])]
      for (const before of others) if (before !== key) takeOver(before, key)
    }
    const id = writeState(key, commit, claim)
    for (const points of commit.points) if (points.values.length > 0) writePoints(id, series, points)
    writeSamples(database, id, commit.samples)
    writeEvents(database, id, commit.events ?? [])
    writeAlerts(database, id, commit.alerts)
  }

  function writeResumePoint(
    { place, state }: ResumePoint,
    written: readonly { readonly commit: Commit; readonly series: ReadonlyMap<string, OpenSeries> }[],
  ): void {
    const time = Math.max(0, ...written.map(({ commit }) => commit.time))
    database.run('INSERT OR REPLACE INTO resume_points VALUES (?, ?, ?)', place, state, time)
    database.run('DELETE FROM resume_marks WHERE place = ?', place)
    for (const { commit, series } of written) {
      const marks: SeriesMarks = Object.fromEntries(
        [...series.values()].map(({ id, number, chunk }) => [id, [number, chunk.values.length]]),
      )
      const id = idOf(commit.key)!
      const [row] = database.rows(
        'SELECT (SELECT max(id) FROM samples WHERE run_id = ?), (SELECT count(*) FROM alerts WHERE run_id = ?), (SELECT max(id) FROM events WHERE run_id = ?)',
        ...[id, id, id],
      )
      database.run(
        'INSERT INTO resume_marks (place, key, series, last_sample, alerts, last_event) VALUES (?, ?, ?, ?, ?, ?)',
        ...[place, commit.key, JSON.stringify(marks), Number(row![0] ?? 0), Number(row![1])],
        Number(row![2] ?? 0),
      )
    }
  }

  /** What is stored anew, or not at all, has no point to go on from. */
  function forgetResumePoints(key: string): void {
    database.run('DELETE FROM resume_points WHERE place IN (SELECT place FROM resume_marks WHERE key = ?)', key)
    database.run('DELETE FROM resume_marks WHERE place IN (SELECT place FROM resume_marks WHERE key = ?)', key)
  }

  /** Drops what came after the marks, and gives the series as they are written on. */
  function cutBack(runId: number, marks: SeriesMarks): Map<string, OpenSeries> {
    const series = new Map<string, OpenSeries>()
    for (const [id, name] of database.rows('SELECT id, name FROM series WHERE run_id = ?', runId)) {
      const mark = marks[Number(id)]
      const [number, count] = mark ?? [-1, 0]
      for (const table of ['chunks', 'chunk_values'])
        database.run(`DELETE FROM ${table} WHERE series_id = ? AND number > ?`, id!, number)
      if (!mark) {
        database.run('DELETE FROM series WHERE id = ?', id!)
        continue
      }
      const [row] = database.rows(
        `SELECT chunks.attempt, ${CHUNK_COLUMNS} FROM ${CHUNK_TABLES} WHERE chunks.series_id = ? AND chunks.number = ?`,
        ...[id!, number],
      )
      const { iterations, values } = chunkOf(row!.slice(1))
      const one = {
        ...{ id: Number(id), number },
        chunk: { attempt: Number(row![0]), iterations: iterations.slice(0, count), values: values.slice(0, count) },
      }
      if (values.length > count) writeChunk(one)
      series.set(String(name), one)
    }
    return series
  }

  return {
    claim(identity) {
      return guarded('not-writable', () =>
        database.transaction(() => {
          forgetResumePoints(identity.key)
          open.delete(identity.key)
          earlier.set(identity.key, identity)
          return raiseEpoch(identity)
        }),
      )
    },
    resume(place, identity) {
      return guarded('not-writable', () =>
        database.transaction(() => {
          const { key } = identity
          const id = idOf(key)
          const [mark] = database.rows(
            'SELECT series, last_sample, alerts, last_event FROM resume_marks WHERE place = ? AND key = ?',
            ...[place, key],
          )
          if (id === null || !mark) return null
          const epoch = raiseEpoch(identity)
          open.set(key, cutBack(id, JSON.parse(String(mark[0])) as SeriesMarks))
          database.run('DELETE FROM samples WHERE run_id = ? AND id > ?', id, mark[1]!)
          database.run('DELETE FROM alerts WHERE run_id = ? AND number >= ?', id, mark[2]!)
          database.run('DELETE FROM events WHERE run_id = ? AND id > ?', id, mark[3]!)
          return epoch
        }),
      )
    },
    resumePoint(place) {
      return guarded('not-readable', () => {
        const [row] = database.rows('SELECT state FROM resume_points WHERE place = ?', place)
        return row?.[0] instanceof Uint8Array ? row[0] : null
      })
    },
    commit(commits, resumePoint) {
      const written = commits.map((commit) => {
        const series = open.get(commit.key)
        // Where the transaction fails, nothing of it must be taken for written.
        return {
          commit,
          isFirst: series === undefined,
          series: series ?? new Map(),
          before: copyOf(series ?? new Map()),
        }
      })
      try {
        guarded('not-writable', () =>
          database.transaction(() => {
            for (const { commit, isFirst, series } of written) writeCommit(commit, isFirst, series)
            if (resumePoint) writeResumePoint(resumePoint, written)
          }),
        )
        for (const { commit, series } of written) {
          open.set(commit.key, series)
          earlier.delete(commit.key)
        }
      } catch (error) {
        for (const { commit, isFirst, before } of written)
          if (isFirst) open.delete(commit.key)
          else open.set(commit.key, before)
        throw error
      }
    },
    everyPoint: (key) => everyPointOf(database, key, guarded),
    runs() {
      return guarded('not-readable', () =>
        database
          .rows(
            `SELECT key, ${RUN_COLUMNS.join(', ')}, (SELECT count(*) FROM alerts WHERE run_id = runs.id),
               (SELECT count(*) FROM alerts WHERE run_id = runs.id AND severity = 'critical' AND NOT ${IS_MUTED}),
               (SELECT count(*) FROM alerts WHERE run_id = runs.id AND ${IS_MUTED}),
               (SELECT json_group_array(tag) FROM (SELECT tag FROM tags WHERE key = runs.key ORDER BY tag)),
               (SELECT json_group_array(json_object('unixSeconds', unix_seconds, 'text', text)) FROM (SELECT * FROM notes WHERE key = runs.key ORDER BY id))
             FROM runs ORDER BY seen_unix_seconds DESC, id DESC`,
          )
          .map(runOf),
      )
    },
    runningProcesses() {
      return guarded('not-readable', () =>
        database
          .rows(
            `SELECT key, name, newest_unix_seconds, process FROM runs WHERE status = 'running' AND process IS NOT NULL
             ORDER BY seen_unix_seconds DESC, id DESC`,
          )
          .flatMap(([key, name, newest, text]) => {
            const process = processFrom(JSON.parse(String(text)))
            if (process === null) return []
            return [
              {
                key: String(key),
                name: String(name),
                newestUnixSeconds: newest === null ? null : Number(newest),
                process,
              },
            ]
          }),
      )
    },
    series(key) {
      return guarded('not-readable', () =>
        database
          .rows(
            `SELECT series.name, series.original, series.unit, sum(chunks.count), min(chunks.first_iteration), max(chunks.last_iteration)
             FROM series JOIN chunks ON chunks.series_id = series.id WHERE series.run_id = (SELECT id FROM runs WHERE key = ?)
             GROUP BY series.id ORDER BY series.id`,
            key,
          )
          .map(([name, original, unit, count, first, last]) => ({
            name: String(name),
            original: String(original),
            unit: String(unit),
            count: Number(count),
            firstIteration: Number(first),
            lastIteration: Number(last),
          })),
      )
    },
    points: (key, name, range = {}) => guarded('not-readable', () => pointsOf(database, key, name, range)),
    zoom(key, name, range = {}) {
      return guarded('not-readable', () => {
        const { from = Number.MIN_SAFE_INTEGER, to = Number.MAX_SAFE_INTEGER, buckets = DEFAULT_BUCKETS } = range
        const [whole] = database.rows(
          `SELECT count(*), min(first_iteration), max(last_iteration), max(attempt) FROM chunks
           WHERE series_id = ${SERIES_ID} AND first_iteration <= ? AND last_iteration >= ?`,
          ...[key, name, to, from],
        )
        const [chunks, first, last, attempts] = (whole ?? []).map(Number)
        if (!chunks) return []
        // Fewer chunks than buckets, or values that were done again, are looked at value by value.
        if (chunks < buckets || attempts! > 1) return inBuckets(pointsOf(database, key, name, { from, to }), buckets)
        const start = Math.max(first!, from)
        const width = Math.max(1, Math.ceil((Math.min(last!, to) - start + 1) / buckets))
        return database
          .rows(
            `SELECT min(first_iteration), max(last_iteration), min(minimum), max(maximum), sum(total), sum(finite), sum(count)
             FROM chunks WHERE series_id = ${SERIES_ID} AND first_iteration <= ? AND last_iteration >= ?
             GROUP BY CAST((max(first_iteration, ?) - ?) / ? AS INTEGER) ORDER BY 1`,
            ...[key, name, to, from, start, start, width],
          )
          .map(bucketOf)
      })
    },
    samples(key, limit = MAX_SAMPLES) {
      return guarded('not-readable', () =>
        database
          .rows(
            `SELECT iteration, prompt, response, reward FROM samples WHERE run_id = (SELECT id FROM runs WHERE key = ?)
             ORDER BY id DESC LIMIT ?`,
            ...[key, limit],
          )
          .map(([iteration, prompt, response, reward]) => ({
            iteration: Number(iteration),
            prompt: String(prompt),
            response: String(response),
            reward: reward === null ? Number.NaN : Number(reward),
          }))
          .reverse(),
      )
    },
    events(key) {
      return guarded('not-readable', () =>
        database
          .rows(
            'SELECT unix_seconds, iteration, phase, metadata FROM events WHERE run_id = (SELECT id FROM runs WHERE key = ?) ORDER BY id',
            key,
          )
          .map(([time, iteration, phase, metadata]) => ({
            unixSeconds: time === null ? null : Number(time),
            iteration: Number(iteration),
            phase: String(phase) as StoredEvent['phase'],
            metadata: JSON.parse(String(metadata)) as StoredEvent['metadata'],
          })),
      )
    },
    alerts(key) {
      return guarded('not-readable', () =>
        database
          .rows('SELECT alert FROM alerts WHERE run_id = (SELECT id FROM runs WHERE key = ?) ORDER BY number', key)
          .map(([alert]) => JSON.parse(String(alert)) as Alert),
      )
    },
    markEnded(key, status) {
      guarded('not-writable', () =>
        database.run("UPDATE runs SET status = ? WHERE key = ? AND status = 'running'", status, key),
      )
    },
    tag(key, add, remove) {
      guarded('not-writable', () =>
        database.transaction(() => {
          for (const tag of remove) database.run('DELETE FROM tags WHERE key = ? AND tag = ?', key, tag)
          for (const tag of add) database.run('INSERT OR IGNORE INTO tags VALUES (?, ?)', key, tag)
        }),
      )
    },
    note(key, text, unixSeconds) {
      guarded('not-writable', () =>
        database.run('INSERT INTO notes (key, unix_seconds, text) VALUES (?, ?, ?)', key, unixSeconds, text),
      )
    },
    remove(key) {
      guarded('not-writable', () =>
        database.transaction(() => {
          drop(key)
          for (const table of ['tags', 'notes']) database.run(`DELETE FROM ${table} WHERE key = ?`, key)
          forgetResumePoints(key)
          // Whoever writes it is refused from now on.
          database.run('DELETE FROM claims WHERE key = ?', key)
          open.delete(key)
        }),
      )
    },
    verify() {
      return guarded('not-readable', () => problemsIn(database))
    },
    close: () => database.close(),
  }
}

/** Where the last value of each series stands, by the series' id: number of its chunk, and values in that. */
type SeriesMarks = Record<number, readonly [number, number]>

const CHUNK_COLUMNS =
  'chunks.first_iteration, chunks.count, chunk_values.stride, chunk_values.iterations, chunk_values.vals'
const CHUNK_TABLES =
  'chunks JOIN chunk_values ON chunk_values.series_id = chunks.series_id AND chunk_values.number = chunks.number'

/** A chunk from its {@link CHUNK_COLUMNS}. */
function chunkOf([first, count, stride, list, vals]: readonly Value[]): {
  readonly iterations: number[]
  readonly values: number[]
} {
  const iterations = decodeIterations(
    Number(first),
    Number(count),
    stride === null ? null : Number(stride),
    list === null ? null : String(list),
  )
  return { iterations, values: decodeValues(String(vals)) }
}

function* everyPointOf(
  database: OpenDatabase,
  key: string,
  guarded: <Result>(code: 'not-readable', work: () => Result) => Result,
): Generator<SeriesPoints> {
  const of = 'series.run_id = (SELECT id FROM runs WHERE key = ?)'
  const pieces = guarded('not-readable', () =>
    database.rows(
      `SELECT DISTINCT chunks.attempt, series.id, series.name, series.original, series.unit
       FROM series JOIN chunks ON chunks.series_id = series.id WHERE ${of} ORDER BY chunks.attempt, series.id`,
      key,
    ),
  )
  for (const [attempt, id, name, original, unit] of pieces) {
    const head = { name: String(name), original: String(original), unit: String(unit), attempt: Number(attempt) }
    let next = 0
    // Some chunks at a time: a long run is more than memory should hold as texts.
    for (let more = true; more; ) {
      const rows = guarded('not-readable', () =>
        database.rows(
          `SELECT chunks.number, ${CHUNK_COLUMNS} FROM ${CHUNK_TABLES}
           WHERE chunks.series_id = ? AND chunks.attempt = ? AND chunks.number >= ? ORDER BY chunks.number LIMIT ${CHUNKS_AT_ONCE}`,
          ...[id!, attempt!, next],
        ),
      )
      for (const [, ...chunk] of rows) yield { ...head, ...chunkOf(chunk) }
      next = Number(rows.at(-1)?.[0]) + 1
      more = rows.length === CHUNKS_AT_ONCE
    }
  }
}

const SERIES_ID = '(SELECT id FROM series WHERE run_id = (SELECT id FROM runs WHERE key = ?) AND name = ?)'

const RUN_COLUMNS = [
  ...['run', 'name', 'project', 'path', 'source', 'trainer', 'status', 'preset', 'iterations', 'last_iteration'],
  ...['total_iterations', 'started_unix_seconds', 'newest_unix_seconds', 'seen_unix_seconds', 'config', 'checkpoints'],
  ...['attempts', 'coverage', 'epoch', 'process', 'logged_iterations', 'followed', 'missing_lines'],
] as const

function openOrSetAside({ path, now, say }: SqliteStoreOptions): OpenDatabase {
  try {
    return opened(path)
  } catch (error) {
    if (error instanceof TelltaleError) throw error
    if (!isDamage(error)) {
      const why = unwritable(path) ?? errorMessage(error)
      throw new TelltaleError('not-writable', `the store ${path} cannot be opened: ${why}`, { cause: error })
    }
    const aside = `${path}.damaged-${Math.floor(now())}`
    for (const ending of ['', '-wal', '-shm']) if (existsSync(path + ending)) renameSync(path + ending, aside + ending)
    say?.(
      `the store ${path} was damaged (${errorMessage(error)}): it is now ${aside}, and a new one is made from the runs`,
    )
    return opened(path)
  }
}

/** What the system says of a place that may not be written, where the library says a number; null where it may. */
function unwritable(path: string): string | null {
  try {
    accessSync(dirname(path), constants.W_OK | constants.X_OK)
    if (existsSync(path)) accessSync(path, constants.R_OK | constants.W_OK)
    return null
  } catch (error) {
    return `${errorMessage(error)}; set TELLTALE_DIR to a folder that can be written`
  }
}

function isDamage(error: unknown): boolean {
  return /NOTADB|CORRUPT|not a database|malformed/.test(`${(error as { code?: unknown }).code} ${errorMessage(error)}`)
}

function opened(path: string): OpenDatabase {
  if (path !== ':memory:') {
    try {
      makeFolder(dirname(path))
    } catch (error) {
      throw new TelltaleError('not-writable', `${dirname(path)} cannot be made: ${errorMessage(error)}`, {
        cause: error,
      })
    }
  }
  const database = openDatabase(path)
  try {
    database.exec('PRAGMA journal_mode = WAL')
    database.exec('PRAGMA synchronous = FULL')
    // Beside a reader that holds a transaction the log grows; once it has left, the next checkpoint gives the room back.
    database.exec(`PRAGMA journal_size_limit = ${MAX_IDLE_LOG_BYTES}`)
    migrate(database, path)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

function migrate(database: OpenDatabase, path: string): void {
  const version = () => Number(database.rows('PRAGMA user_version')[0]![0])
  if (version() > MIGRATIONS.length)
    throw new TelltaleError(
      'bad-format',
      `the store ${path} is of version ${version()}, and this Telltale knows ${MIGRATIONS.length}: use the newer Telltale, or another TELLTALE_DIR`,
    )
  while (version() < MIGRATIONS.length)
    database.transaction(() => {
      const at = version()
      // Another process may have done it in the meantime.
      if (at >= MIGRATIONS.length) return
      database.exec(MIGRATIONS[at]!)
      database.exec(`PRAGMA user_version = ${at + 1}`)
    })
}

function emptyChunk(attempt: number): Chunk {
  return { attempt, iterations: [], values: [] }
}

function copyOf(series: ReadonlyMap<string, OpenSeries>): Map<string, OpenSeries> {
  return new Map(
    [...series].map(([name, { id, number, chunk }]) => [
      name,
      { id, number, chunk: { ...chunk, iterations: [...chunk.iterations], values: [...chunk.values] } },
    ]),
  )
}

function writeSamples(database: OpenDatabase, runId: number, samples: readonly StoredSample[]): void {
  for (const { iteration, prompt, response, reward } of samples)
    database.run(
      'INSERT INTO samples (run_id, iteration, prompt, response, reward) VALUES (?, ?, ?, ?, ?)',
      ...[runId, iteration, prompt, response, Number.isFinite(reward) ? reward : null],
    )
  if (samples.length > 0)
    database.run(
      `DELETE FROM samples WHERE run_id = ? AND id NOT IN (SELECT id FROM samples WHERE run_id = ? ORDER BY id DESC LIMIT ${MAX_SAMPLES})`,
      ...[runId, runId],
    )
}

function writeEvents(database: OpenDatabase, runId: number, events: readonly StoredEvent[]): void {
  for (const { unixSeconds, iteration, phase, metadata } of events)
    database.run(
      'INSERT INTO events (run_id, unix_seconds, iteration, phase, metadata) VALUES (?, ?, ?, ?, ?)',
      ...[runId, unixSeconds, iteration, phase, plainJson(metadata).text],
    )
  if (events.length > 0)
    database.run(
      `DELETE FROM events WHERE run_id = ? AND id NOT IN (SELECT id FROM events WHERE run_id = ? ORDER BY id DESC LIMIT ${MAX_EVENTS})`,
      ...[runId, runId],
    )
}

function writeAlerts(database: OpenDatabase, runId: number, alerts: readonly Alert[]): void {
  const known = database
    .rows(`SELECT state, ${IS_MUTED} FROM alerts WHERE run_id = ? ORDER BY number`, runId)
    .map(([state, muted]) => ({ state, muted: Boolean(muted) }))
  for (const [number, alert] of alerts.entries()) {
    const before = known[number]
    // An alert that was raised changes only by passing, and by who watches it: with other kinds muted than an earlier watch.
    if (before?.state === alert.state && before.muted === (alert.muted ?? false)) continue
    database.run(
      'INSERT OR REPLACE INTO alerts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
      ...[runId, number, alert.id, alert.kind, alert.severity, alert.state, alert.iteration, alert.reason],
      plainJson(alert).text,
    )
  }
}

function runOf(row: readonly Value[]): StoredRun {
  const text = (at: number) => String(row[at])
  const numberOrNull = (at: number) => (row[at] === null ? null : Number(row[at]))
  return {
    key: text(0),
    run: text(1),
    name: text(2),
    project: text(3),
    path: text(4),
    source: text(5),
    trainer: text(6),
    status: text(7) as StoredRun['status'],
    preset: row[8] === null ? null : text(8),
    iterations: Number(row[9]),
    lastIteration: numberOrNull(10),
    totalIterations: numberOrNull(11),
    startedUnixSeconds: numberOrNull(12),
    newestUnixSeconds: numberOrNull(13),
    seenUnixSeconds: Number(row[14]),
    config: JSON.parse(text(15)) as Record<string, unknown>,
    checkpoints: JSON.parse(text(16)) as number[],
    attempts: JSON.parse(text(17)) as RunState['attempts'],
    coverage: JSON.parse(text(18)) as Coverage[],
    process: row[20] === null ? null : processFrom(JSON.parse(text(20))),
    loggedIterations: numberOrNull(21),
    followed: row[22] !== 0,
    missingLines: Number(row[23]),
    alerts: Number(row[24]),
    criticalAlerts: Number(row[25]),
    mutedAlerts: Number(row[26]),
    tags: JSON.parse(text(27)) as string[],
    notes: JSON.parse(text(28)) as StoredRun['notes'],
  }
}

function pointsOf(
  database: OpenDatabase,
  key: string,
  name: string,
  { from = Number.MIN_SAFE_INTEGER, to = Number.MAX_SAFE_INTEGER }: { readonly from?: number; readonly to?: number },
): { readonly iterations: number[]; readonly values: number[] } {
  const rows = database.rows(
    `SELECT chunks.attempt, ${CHUNK_COLUMNS} FROM ${CHUNK_TABLES}
     WHERE chunks.series_id = ${SERIES_ID} AND chunks.first_iteration <= ? AND chunks.last_iteration >= ? ORDER BY chunks.number`,
    ...[key, name, to, from],
  )
  const [attempts] = database.rows('SELECT attempts FROM runs WHERE key = ?', key)
  const begun = attempts ? (JSON.parse(String(attempts[0])) as RunState['attempts']) : []
  const iterations: number[] = []
  const values: number[] = []
  for (const [attempt, ...chunk] of rows) {
    const until = supersededFrom(begun, Number(attempt))
    const { iterations: at, values: decoded } = chunkOf(chunk)
    for (let i = 0; i < decoded.length; i++) {
      if (at[i]! < from || at[i]! > to || at[i]! >= until) continue
      iterations.push(at[i]!)
      values.push(decoded[i]!)
    }
  }
  return { iterations, values }
}

function bucketOf([first, last, min, max, total, finite, count]: readonly Value[]): StoredBucket {
  return {
    firstIteration: Number(first),
    lastIteration: Number(last),
    min: min === null ? Number.NaN : Number(min),
    max: max === null ? Number.NaN : Number(max),
    mean: Number(finite) > 0 ? Number(total) / Number(finite) : Number.NaN,
    count: Number(finite),
    nonFinite: Number(count) - Number(finite),
  }
}

function inBuckets(
  { iterations, values }: { readonly iterations: readonly number[]; readonly values: readonly number[] },
  buckets: number,
): readonly StoredBucket[] {
  if (iterations.length === 0) return []
  let [first, last] = [iterations[0]!, iterations[0]!]
  for (const iteration of iterations) {
    if (iteration < first) first = iteration
    if (iteration > last) last = iteration
  }
  const width = Math.max(1, Math.ceil((last - first + 1) / buckets))
  const pieces = new Map<number, Chunk>()
  for (let i = 0; i < iterations.length; i++) {
    const at = Math.floor((iterations[i]! - first) / width)
    let piece = pieces.get(at)
    if (!piece) {
      piece = emptyChunk(1)
      pieces.set(at, piece)
    }
    piece.iterations.push(iterations[i]!)
    piece.values.push(values[i]!)
  }
  return [...pieces]
    .sort(([a], [b]) => a - b)
    .map(([, piece]) => {
      const { first: from, last: to, minimum, maximum, total, finite } = summaryOf(piece)
      return bucketOf([from, to, minimum, maximum, total, finite, piece.values.length])
    })
}

/** What SQLite says of the file, and chunks that do not hold what they say. */
function problemsIn(database: OpenDatabase): readonly string[] {
  try {
    const problems = database
      .rows('PRAGMA integrity_check')
      .map(([text]) => String(text))
      .filter((text) => text !== 'ok')
    // What is damaged cannot be asked further.
    return problems.length > 0 ? problems : lostChunks(database)
  } catch (error) {
    // It may be damaged where the check itself cannot read on.
    if (isDamage(error)) return [errorMessage(error)]
    throw error
  }
}

function lostChunks(database: OpenDatabase): readonly string[] {
  const lost = database.rows(
    `SELECT count(*) FROM chunks LEFT JOIN chunk_values ON chunk_values.series_id = chunks.series_id AND chunk_values.number = chunks.number
     WHERE chunk_values.vals IS NULL OR json_array_length(chunk_values.vals) <> chunks.count`,
  )
  return Number(lost[0]![0]) > 0 ? [`${lost[0]![0]} chunks do not hold the values that they say`] : []
}
