import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, it } from 'vitest'
import { exportParquet } from '../../src/lookback/export-parquet.ts'
import { exportRun } from '../../src/lookback/export-run.ts'
import { NEW_RUN } from '../../src/stores/run-state.fixture.ts'
import { sqliteStore } from '../../src/stores/sqlite.ts'
import type { RunState, SeriesPoints } from '../../src/stores/store.ts'

const python = process.env.TELLTALE_PYTHON ?? 'python3'
const script = fileURLToPath(new URL('trackers.py', import.meta.url))
const place = mkdtempSync(join(tmpdir(), 'telltale-export-'))
afterAll(() => rmSync(place, { recursive: true, force: true }))

function stored(attempts: RunState['attempts'], points: readonly SeriesPoints[]) {
  const store = sqliteStore({ path: ':memory:', now: () => 0 })
  const state = { ...NEW_RUN, startedUnixSeconds: 1_700_000_000.5, attempts }
  const epoch = store.claim({ key: 'k', run: 'r', name: 'r', path: '/r', source: 'jsonl' })
  store.commit([{ key: 'k', epoch, state, points, samples: [], alerts: [], time: 1 }])
  return { store, run: store.runs()[0]! }
}

const iterations = [...Array.from({ length: 1500 }, (_, i) => i), 2 ** 40]
const values = iterations.map((i) => (i === 7 ? Number.NaN : i === 8 ? Number.NEGATIVE_INFINITY : Math.sin(i)))
const names = ['reward/score', 'a "name", with é']
const pointsOf = (attempt: number, from: number) =>
  names.map((name) => ({
    ...{ name, original: name, unit: '', attempt },
    ...{ iterations: iterations.slice(from), values: values.slice(from) },
  }))

it('TensorBoard’s own reader reads what is exported, and so does Python’s for CSV', () => {
  const { store, run } = stored([], pointsOf(1, 0))
  for (const [format, file, tracker, round] of [
    ['tensorboard', 'events.out.tfevents.1700000000.telltale', 'tensorboard', Math.fround],
    ['csv', 'metrics.csv', 'lightning_csv', Number],
  ] as const) {
    const folder = join(place, format)
    mkdirSync(folder)
    writeFileSync(join(folder, file), Buffer.concat([...exportRun(store, run, format)]))
    const said = JSON.parse(
      execFileSync(python, [script, 'read', tracker, folder], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      }),
    ) as Record<string, [number, number | string][]>
    for (const name of names)
      expect(
        said[name]!.map(([step, value]) => [
          step,
          value === 'nan' ? Number.NaN : value === '-inf' ? Number.NEGATIVE_INFINITY : value,
        ]),
      ).toEqual(iterations.map((step, i) => [step, round(values[i]!)]))
  }
  store.close()
})

/** Bits of each value by series and iteration, of the CSV and of the Parquet file, whose values that were done again are left out. */
const COMPARE = `
import csv, json, math, struct, sys
import pyarrow.parquet as parquet
bits = lambda value: "nan" if math.isnan(value) else struct.pack("<d", value).hex()
rows = csv.DictReader(open(sys.argv[1], newline="", encoding="utf-8"))
wanted = {(name, int(row["step"])): bits(float(value)) for row in rows for name, value in row.items() if name != "step" and value != ""}
file = parquet.ParquetFile(sys.argv[2])
table = file.read().to_pylist()
found = {(row["series"], row["iteration"]): bits(row["value"]) for row in table if not row["superseded"]}
print(json.dumps({"same": wanted == found, "values": len(found), "rows": len(table), "types": [str(field.type) for field in file.schema_arrow],
  "runs": sorted({row["run"] for row in table}), "nulls": sum(value is None for row in table for value in row.values())}))
`

it('pyarrow reads what is exported as Parquet, value by value what Python reads of the CSV', () => {
  const again = [
    { attempt: 1, fromIteration: 0 },
    { attempt: 2, fromIteration: 1000 },
  ]
  const { store, run } = stored(again, [...pointsOf(1, 0), ...pointsOf(2, 1000)])
  const [csv, parquet] = [join(place, 'run.csv'), join(place, 'run.parquet')]
  writeFileSync(csv, Buffer.concat([...exportRun(store, run, 'csv')]))
  writeFileSync(parquet, Buffer.concat([...exportParquet(store, run)]))
  expect(JSON.parse(execFileSync(python, ['-c', COMPARE, csv, parquet], { encoding: 'utf8' }))).toEqual({
    ...{ same: true, values: 2 * 1501, rows: 2 * (1501 + 501), runs: ['r'], nulls: 0 },
    types: ['string', 'string', 'int64', 'int32', 'bool', 'double'],
  })
  store.close()
})
