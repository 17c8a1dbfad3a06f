import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, it } from 'vitest'
import { exportRun } from '../../src/lookback/export-run.ts'
import { sqliteStore } from '../../src/stores/sqlite.ts'
import type { RunState } from '../../src/stores/store.ts'

const python = process.env.TELLTALE_PYTHON ?? 'python3'
const script = fileURLToPath(new URL('trackers.py', import.meta.url))
const place = mkdtempSync(join(tmpdir(), 'telltale-export-'))
afterAll(() => rmSync(place, { recursive: true, force: true }))

it('TensorBoard’s own reader reads what is exported, and so does Python’s for CSV', () => {
  const store = sqliteStore({ path: ':memory:', now: () => 0 })
  const state = {
    ...{
      name: 'r',
      project: '',
      trainer: 'own-loop',
      status: 'completed',
      preset: null,
      iterations: 0,
      lastIteration: null,
    },
    ...{
      totalIterations: null,
      startedUnixSeconds: 1_700_000_000.5,
      newestUnixSeconds: null,
      config: {},
      checkpoints: [],
    },
    ...{ attempts: [], coverage: [], process: null },
  } as RunState
  const epoch = store.claim({ key: 'k', run: 'r', name: 'r', path: '/r', source: 'jsonl' })
  const iterations = [...Array.from({ length: 1500 }, (_, i) => i), 2 ** 40]
  const values = iterations.map((i) => (i === 7 ? Number.NaN : i === 8 ? Number.NEGATIVE_INFINITY : Math.sin(i)))
  const names = ['reward/score', 'a "name", with é']
  const points = names.map((name) => ({ name, original: name, unit: '', attempt: 1, iterations, values }))
  store.commit([{ key: 'k', epoch, state, points, samples: [], alerts: [], time: 1 }])
  const [run] = store.runs()
  for (const [format, file, tracker, round] of [
    ['tensorboard', 'events.out.tfevents.1700000000.telltale', 'tensorboard', Math.fround],
    ['csv', 'metrics.csv', 'lightning_csv', Number],
  ] as const) {
    const folder = join(place, format)
    mkdirSync(folder)
    writeFileSync(join(folder, file), Buffer.concat([...exportRun(store, run!, format)]))
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
})
