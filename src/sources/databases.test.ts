import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { Database } from 'libsql'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { testSource } from '../testing/test-source.ts'
import { completionsFormat } from './completions.ts'
import { runFinder } from './find-runs.ts'
import { mlflowDatabaseFormat } from './mlflow-database.ts'
import { mlflowFilesFormat, mlflowSeries } from './mlflow-files.ts'
import type { Json, Source, SourceDamage, SourceFormat, SourceRecord } from './source.ts'
import { trackioFormat } from './trackio.ts'
import { trackioInboxFormat } from './trackio-inbox.ts'

const Libsql = createRequire(import.meta.url)('libsql') as new (path: string) => Database
const fixtures = new URL('../../test/fixtures/trackers/', import.meta.url).pathname
const place = mkdtempSync(join(tmpdir(), 'telltale-databases-'))
afterAll(() => rmSync(place, { recursive: true, force: true }))

const TRACKIO = gunzipSync(readFileSync(join(fixtures, 'trackio', 'p.db.gz')))
const MLFLOW = gunzipSync(readFileSync(join(fixtures, 'mlflow', 'mlruns.db.gz')))

interface Read {
  readonly records: SourceRecord[]
  readonly damage: SourceDamage[]
  readonly position: Json
}

async function drain(source: Source, finished = false): Promise<Read> {
  const records: SourceRecord[] = []
  const damage: SourceDamage[] = []
  for (;;) {
    const batch = await source.read({ finished })
    records.push(...batch.records)
    damage.push(...batch.damage)
    if (!batch.more) return { records, damage, position: batch.position }
  }
}

async function openFirst(format: SourceFormat, path: string, position?: Json): Promise<Source> {
  const [run] = await format.runs(path)
  return format.open(path, run!.id, position)
}

const pointsOf = (records: readonly SourceRecord[]) => records.filter((one) => one.type === 'points')
const series = (records: readonly SourceRecord[], name: string) =>
  pointsOf(records).flatMap(({ step, metrics }) => (name in metrics ? [[step, metrics[name]]] : []))

const LOSS = [1, 2, 3, 4, 5].map((step) => [step, 1 / step])
const REWARD = [0.25, 0.5, Number.NaN, 1, 1.25]

let number = 0
let folder = ''
beforeEach(() => {
  folder = join(place, `${number++}`)
  mkdirSync(folder)
})

describe('trackio', () => {
  const path = () => join(folder, 'p.db')
  /** Adds a call of log as trackio does. */
  const add = (database: Database, step: number, metrics: unknown) => {
    const [id, name] = database.prepare('SELECT run_id, run_name FROM metrics LIMIT 1').raw(true).get() as string[]
    const text = Buffer.isBuffer(metrics) ? metrics : Buffer.from(JSON.stringify(metrics))
    const sql = 'INSERT INTO metrics (run_id, timestamp, run_name, step, metrics) VALUES (?, ?, ?, ?, ?)'
    database.prepare(sql).run(id, '2026-11-27T13:35:07.9+00:00', name, step, text)
  }
  beforeEach(() => writeFileSync(path(), TRACKIO))

  it('gives what was logged, at the step that the trainer says', async () => {
    const [run] = await trackioFormat.runs(path())
    expect(run!.name).toBe('a-run')
    const { records, damage } = await drain(await openFirst(trackioFormat, path()), true)
    expect(damage).toEqual([])
    expect(records[0]).toEqual({ type: 'config', config: { learning_rate: 1e-5 }, name: 'a-run', project: 'p' })
    expect(series(records, 'train/loss')).toEqual(LOSS.map(([step, value]) => [10 * step!, value]))
    expect(series(records, 'train/reward').map(([, value]) => value)).toEqual(REWARD)
    expect(pointsOf(records)[0]!.time).toBeCloseTo(Date.parse('2026-11-27') / 1000, -6)
    // A look leaves nothing beside the database.
    expect(readdirSync(folder)).toEqual(['p.db'])
  })

  it('follows a writer that has the database open, and lets it checkpoint', async () => {
    const database = new Libsql(path())
    const source = await openFirst(trackioFormat, path())
    expect(pointsOf((await drain(source)).records)).toHaveLength(5)
    for (let step = 6; step < 2600; step++) {
      if (step % 500 === 0) {
        expect(pointsOf((await drain(source)).records).at(-1)?.step).toBe(step - 1)
        const [busy] = database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').raw(true).get() as number[]
        expect(busy).toBe(0)
      }
      add(database, step, { loss: 1 / step })
    }
    const rest = await drain(source)
    expect(pointsOf(rest.records).map(({ step }) => step)).toEqual(Array.from({ length: 100 }, (_, i) => 2500 + i))
    expect((await source.read()).records).toEqual([])
    database.close()
  })

  it('goes on from every position, and begins anew in another database', async () => {
    const database = new Libsql(path())
    for (let step = 6; step < 2600; step++) add(database, step, { loss: 1 / step })
    const all = (await drain(await openFirst(trackioFormat, path()))).records
    const source = await openFirst(trackioFormat, path())
    const first = await source.read()
    expect(first.more).toBe(true)
    const resumed = await openFirst(trackioFormat, path(), JSON.parse(JSON.stringify(first.position)))
    expect([...first.records, ...(await drain(resumed)).records]).toEqual(all)
    const { position } = await drain(source)
    database.close()
    rmSync(`${path()}-wal`, { force: true })
    rmSync(`${path()}-shm`, { force: true })
    writeFileSync(path(), TRACKIO)
    for (const one of [source, await openFirst(trackioFormat, path(), position)]) {
      const { records } = await drain(one)
      expect(records[0]).toEqual({ type: 'attempt' })
      expect(pointsOf(records).map(({ step }) => step)).toEqual([10, 20, 30, 40, 50])
    }
  })

  it('sets aside rows that say nothing, and what no text may be', async () => {
    const database = new Libsql(path())
    add(database, 6, Buffer.from([0x7b, 0xff, 0xfe, 0x7d]))
    add(database, 7, Buffer.alloc(1024 * 1024, 32))
    add(database, -8, { loss: 1 })
    add(database, 9, { loss: 'Infinity', deep: { x: 1 }, table: { _type: 'trackio.table', rows: 3 }, __proto__: 1 })
    add(database, 10, [1])
    database.exec(`UPDATE metrics SET run_name = CAST(x'c328' AS TEXT) WHERE step = 1`)
    const { records, damage } = await drain(await openFirst(trackioFormat, path()))
    expect(damage.map(({ offset }) => offset)).toEqual([6, 7, 8, 10])
    expect(pointsOf(records).at(-1)).toMatchObject({
      step: 9,
      metrics: { loss: Number.POSITIVE_INFINITY, 'deep.x': 1 },
    })
    database.close()
  })

  it('waits for a writer that locks everybody out, and says what cannot be read', async () => {
    const database = new Libsql(path())
    database.exec('PRAGMA journal_mode = DELETE')
    database.exec('BEGIN EXCLUSIVE')
    const [id] = (database.prepare('SELECT run_id FROM metrics LIMIT 1').raw(true).get() as string[]) ?? []
    add(database, 6, { loss: 0.5 })
    const source = await trackioFormat.open(path(), id!)
    expect(await source.read()).toMatchObject({ records: [], damage: [], more: false })
    // What is asked only once waits; here nobody lets go.
    expect(trackioFormat.recognises(path(), TRACKIO.subarray(0, 4096), false)).toBe(false)
    const damage = (await (await trackioFormat.open(path(), id!)).read({ finished: true })).damage
    expect(damage).toMatchObject([{ problem: expect.stringMatching(/locked/) }])
    database.exec('COMMIT')
    expect(pointsOf((await drain(source)).records)).toHaveLength(6)
    database.close()
    writeFileSync(path(), 'no database at all, but a text that is longer than a header of one would be: '.repeat(20))
    expect((await drain(source)).damage).toMatchObject([{ problem: expect.stringContaining('not a database') }])
    expect((await drain(source)).damage).toEqual([])
    rmSync(path())
    await expect(source.read()).rejects.toMatchObject({ code: 'not-readable' })
    writeFileSync(path(), TRACKIO)
    expect(pointsOf((await drain(source)).records)).toHaveLength(5)
  })

  it('tells many runs of one database apart', async () => {
    const database = new Libsql(path())
    for (const [id, name] of [
      ['b2', 'a-run'],
      ['c3', 'other'],
    ]) {
      const sql = 'INSERT INTO metrics (run_id, timestamp, run_name, step, metrics) VALUES (?, ?, ?, 1, ?)'
      database.prepare(sql).run(id, '', name, '{"loss":2}')
    }
    database.close()
    const found = await runFinder([folder]).find()
    expect(found.runs.map(({ name }) => name).sort()).toEqual([
      expect.stringMatching(/^a-run-[0-9a-f]{8}$/),
      'a-run-b2',
      'other',
    ])
    const other = await trackioFormat.open(path(), 'c3')
    expect(series((await drain(other)).records, 'loss')).toEqual([[1, 2]])
  })

  it('survives damage anywhere in the file', async () => {
    const [run] = await trackioFormat.runs(path())
    for (let seed = 0; seed < 300; seed++) {
      const damaged = Buffer.from(TRACKIO)
      for (let i = 0; i < 16; i++) damaged[(seed * 7919 + i * 104_729) % damaged.length]! ^= 1 << (i % 8)
      writeFileSync(path(), damaged.subarray(0, seed % 3 === 0 ? Math.floor((damaged.length * seed) / 300) : undefined))
      trackioFormat.recognises(path(), damaged.subarray(0, 4096), false)
      const { records } = await drain(await trackioFormat.open(path(), run!.id), true)
      expect(records.length).toBeLessThan(10)
    }
  })
})

describe('trackio’s inbox', () => {
  const inbox = join(fixtures, 'trackio-inbox', 'inbox')
  const writer = join(inbox, readdirSync(inbox)[0]!)

  it('gives what was logged, file by file, each once', async () => {
    cpSync(writer, join(folder, 'writer'), { recursive: true })
    const copy = join(folder, 'writer')
    const { runs } = await runFinder([folder]).find()
    expect(runs).toMatchObject([{ name: 'a-run', parts: [{ format: trackioInboxFormat, path: copy }] }])
    const source = await trackioInboxFormat.open(copy, runs[0]!.parts[0]!.id)
    const { records, position } = await drain(source)
    expect(records[0]).toMatchObject({ type: 'config', config: { learning_rate: 1e-5 }, name: 'a-run' })
    expect(series(records, 'train/loss')).toEqual(LOSS)
    expect(series(records, 'train/reward').map(([, value]) => value)).toEqual(REWARD)
    expect(series(records, 'nested.x')).toHaveLength(5)
    const first = readFileSync(join(copy, '00000000.jsonl'), 'utf8').split('\n')[0]!
    writeFileSync(join(copy, '00000001.jsonl'), `${first.replace('"step":1', '"step":6')}\nno JSON\n{"kind":"alert"}\n`)
    // Somebody has imported the first one.
    rmSync(join(copy, '00000000.jsonl'))
    for (const one of [source, await trackioInboxFormat.open(copy, runs[0]!.parts[0]!.id, position)]) {
      const next = await drain(one)
      expect(pointsOf(next.records).map(({ step }) => step)).toEqual([6])
      expect(next.damage).toHaveLength(1)
    }
  })
})

describe('MLflow’s database', () => {
  const path = () => join(folder, 'mlruns.db')
  beforeEach(() => writeFileSync(path(), MLFLOW))

  it('gives what was logged, NaN and infinities too, and how the run ended', async () => {
    const { records, damage } = await drain(await openFirst(mlflowDatabaseFormat, path()), true)
    expect(damage).toEqual([])
    expect(records[0]).toEqual({ type: 'config', config: { learning_rate: 1e-5 }, name: 'a-run', project: 'e' })
    expect(series(records, 'train/loss')).toEqual(LOSS)
    expect(series(records, 'train/reward').map(([, value]) => value)).toEqual(REWARD)
    expect(series(records, 'infinite')).toEqual([[5, Number.NEGATIVE_INFINITY]])
    // The values of one call are one record.
    expect(Object.keys(pointsOf(records)[0]!.metrics).sort()).toEqual(['plain', 'train/loss', 'train/reward'])
    expect(records.at(-1)).toEqual({ type: 'end', status: 'completed' })
  })

  it('follows a writer, and never splits the values of one call', async () => {
    const database = new Libsql(path())
    const [run] = database.prepare('SELECT run_uuid FROM runs').raw(true).get() as string[]
    const insert = database.prepare(
      'INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan) VALUES (?, ?, ?, ?, ?, 0)',
    )
    const source = await openFirst(mlflowDatabaseFormat, path())
    const before = await drain(source)
    expect(before.records.at(-1)).toMatchObject({ type: 'end' })
    database.exec('BEGIN')
    for (let step = 6; step < 1500; step++)
      for (const name of ['a', 'b', 'c']) insert.run(name, step, 1000 * step, run, step)
    database.exec('COMMIT')
    const { records } = await drain(source)
    const points = pointsOf(records)
    expect(points.map(({ step }) => step)).toEqual(Array.from({ length: 1494 }, (_, i) => 6 + i))
    for (const { metrics } of points) expect(Object.keys(metrics)).toHaveLength(3)
    // The run that was resumed has ended again.
    expect(records.at(-1)).toEqual({ type: 'end', status: 'completed' })
    const resumed = await openFirst(mlflowDatabaseFormat, path(), before.position)
    expect((await drain(resumed)).records).toEqual(records)
    database.close()
  })

  it('has only runs that are not deleted, and have values', async () => {
    const database = new Libsql(path())
    database.exec(`INSERT INTO runs (run_uuid, name, lifecycle_stage) VALUES ('empty', 'empty', 'active')`)
    expect(await mlflowDatabaseFormat.runs(path())).toHaveLength(1)
    database.exec(`UPDATE runs SET lifecycle_stage = 'deleted'`)
    expect(await mlflowDatabaseFormat.runs(path())).toEqual([])
    database.close()
    expect(mlflowDatabaseFormat.recognises(path(), MLFLOW.subarray(0, 4096), false)).toBe(true)
    expect(trackioFormat.recognises(path(), MLFLOW.subarray(0, 4096), false)).toBe(false)
  })
})

describe('MLflow’s folder', () => {
  const store = join(fixtures, 'mlflow', 'mlruns')
  const found = () => runFinder([folder]).find()

  it('gives what was logged, in the order of time, and how the run ended', async () => {
    cpSync(store, folder, { recursive: true })
    const { runs } = await found()
    expect(runs).toMatchObject([{ name: 'a-run', parts: [{ format: mlflowFilesFormat }] }])
    const { records, damage } = await drain(await mlflowFilesFormat.open(runs[0]!.parts[0]!.path, ''), true)
    expect(damage).toEqual([])
    expect(records[0]).toEqual({ type: 'config', config: { learning_rate: 1e-5 }, name: 'a-run', project: 'e' })
    expect(series(records, 'train/loss')).toEqual(LOSS)
    expect(series(records, 'train/reward').map(([, value]) => value)).toEqual(REWARD)
    expect(series(records, 'infinite')).toEqual([[5, Number.NEGATIVE_INFINITY]])
    expect(records.at(-1)).toEqual({ type: 'end', status: 'completed' })
    const steps = pointsOf(records).map(({ step }) => step)
    expect(steps).toEqual(steps.toSorted((a, b) => a - b))
  })

  it('follows series that grow and come later, from any position', async () => {
    cpSync(store, folder, { recursive: true })
    const path = (await found()).runs[0]!.parts[0]!.path
    const meta = readFileSync(join(path, 'meta.yaml'), 'utf8')
    writeFileSync(join(path, 'meta.yaml'), meta.replace('status: 3', 'status: 1'))
    const source = await mlflowFilesFormat.open(path, '')
    const { records, position } = await drain(source)
    expect(records.some(({ type }) => type === 'end')).toBe(false)
    writeFileSync(join(path, 'metrics', 'plain'), '1900000000000 6.0 6\n1900000000001 7.0', { flag: 'a' })
    writeFileSync(join(path, 'metrics', 'new'), '1900000000000 nan 6\nrubbish\n')
    const resumed = await mlflowFilesFormat.open(path, '', JSON.parse(JSON.stringify(position)))
    for (const one of [source, resumed]) {
      const next = await drain(one)
      expect(next.records).toMatchObject([
        { type: 'points', step: 6, metrics: { new: Number.NaN } },
        { type: 'points', step: 6, metrics: { plain: 6 } },
      ])
      expect(next.damage).toHaveLength(1)
    }
    writeFileSync(join(path, 'metrics', 'plain'), ' 7\n', { flag: 'a' })
    writeFileSync(join(path, 'meta.yaml'), meta.replace('status: 3', 'status: 5'))
    expect((await drain(source)).records).toMatchObject([
      { type: 'points', step: 7, time: 1_900_000_000.001 },
      { type: 'end', status: 'stopped' },
    ])
  })

  // One series is a file of lines like others.
  const lines = Buffer.from('1700000000001 0.5 1\n1700000000002 nan 2\n1700000000003 -0.25 3\n')
  const format: SourceFormat = {
    name: 'mlflow',
    recognises: () => true,
    runs: async () => [{ id: '', name: 'loss' }],
    open: async (path, _id, position) => mlflowSeries(path, 'loss', position),
  }
  it.each(testSource({ format, file: 'loss', bytes: lines, other: Buffer.from('1800000000000 2.0 1\n') }))(
    'a series: $name',
    (check) => check.run(),
  )
})

describe('completions of TRL', () => {
  const [first, second] = ['completions_00001.parquet', 'completions_00002.parquet'].map((name) =>
    readFileSync(join(fixtures, 'completions', name)),
  )

  it('gives prompts, answers and the sum of the rewards', async () => {
    const { records } = await drain(await completionsFormat.open(join(fixtures, 'completions'), ''), true)
    expect(records).toEqual([
      {
        type: 'samples',
        step: 1,
        time: null,
        prompts: ['a prompt', 'another'],
        responses: ['an answer', 'é \u2028 two'],
        rewards: [0.5, 1],
      },
      expect.objectContaining({ step: 2 }),
    ])
  })

  it('joins the numbers of its output folder', async () => {
    cpSync(join(fixtures, 'completions'), join(folder, 'out', 'completions'), { recursive: true })
    writeFileSync(join(folder, 'out', 'log.jsonl'), '{"step":1,"loss":0.5}\n{"step":2,"loss":0.25}\n')
    const { runs } = await runFinder([folder]).find()
    expect(runs).toMatchObject([{ name: 'out', parts: [{}, {}] }])
  })

  it.each(
    testSource({
      format: completionsFormat,
      file: 'completions/completions_00001.parquet',
      bytes: first!,
      other: second!.subarray(0),
    }),
  )('$name', (check) => check.run())
})

it('nothing that is damaged ends the process', async () => {
  // A text that is no UTF-8 would, in a database that is asked without a cast.
  const path = join(folder, 'p.db')
  writeFileSync(path, TRACKIO)
  const database = new Libsql(path)
  database.exec(
    `UPDATE metrics SET run_id = CAST(x'c328' AS TEXT), timestamp = CAST(x'ff' AS TEXT), metrics = CAST(x'7bff' AS TEXT)`,
  )
  database.exec(`UPDATE configs SET run_name = CAST(x'c328' AS TEXT), config = CAST(x'fe' AS TEXT)`)
  database.close()
  const main = new URL('../../dist/cli/main.js', import.meta.url).pathname
  const child = spawn(process.execPath, [main, 'check', path, '--json'])
  const code = await new Promise((resolve) => child.on('exit', resolve))
  expect([0, 2]).toContain(code)
})
