import { parquetMetadata, parquetReadObjects } from 'hyparquet'
import { expect, it } from 'vitest'
import { NEW_RUN } from '../stores/run-state.fixture.ts'
import { sqliteStore } from '../stores/sqlite.ts'
import type { RunState, RunStore } from '../stores/store.ts'
import { exportParquet } from './export-parquet.ts'

const state: RunState = {
  ...NEW_RUN,
  attempts: [
    { attempt: 1, fromIteration: 0 },
    { attempt: 2, fromIteration: 3 },
  ],
}

type Rows = readonly (readonly [
  name: string,
  attempt: number,
  iterations: readonly number[],
  values: readonly number[],
])[]

function stored(rows: Rows): RunStore {
  const store = sqliteStore({ path: ':memory:', now: () => 0 })
  const epoch = store.claim({ key: 'k', run: 'r-1', name: 'r', path: '/r', source: 'jsonl' })
  const points = rows.map(([name, attempt, iterations, values]) => ({
    ...{ name, original: name, unit: '', attempt, iterations, values },
  }))
  store.commit([{ key: 'k', epoch, state, points, samples: [], alerts: [], time: 1 }])
  return store
}

async function read(pieces: Iterable<Buffer>) {
  const bytes = Uint8Array.from(Buffer.concat([...pieces])).buffer
  return { metadata: parquetMetadata(bytes), rows: await parquetReadObjects({ file: bytes }) }
}

it('has every value as it was logged, with its attempt and whether that was done again', async () => {
  const odd = [0, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 5e-324, 0.1]
  const far = [0, 1, 2, 3, 4, 5, Number.MAX_SAFE_INTEGER]
  const name = 'récompense 😀, "x"\n__proto__'
  // So few different values that a dictionary of them would be worth it.
  const zeros = Array.from({ length: 200 }, (_, i) => (i % 2 === 0 ? 0 : -0))
  const store = stored([
    [name, 1, far, odd],
    ['__proto__', 1, [7], [1]],
    // Half a surrogate pair is no text: it comes as what stands for that.
    ['half \ud83d', 2, [3], [2]],
    [name, 2, zeros.map((_, i) => 3 + i), zeros],
  ])
  const { rows } = await read(exportParquet(store, store.runs()[0]!))
  const row = (series: string, attempt: number, iteration: number, superseded: boolean, value: number) => ({
    ...{ run: 'r-1', series, iteration: BigInt(iteration), attempt, superseded, value },
  })
  expect(rows).toEqual([
    ...far.map((iteration, i) => row(name, 1, iteration, iteration >= 3, odd[i]!)),
    row('__proto__', 1, 7, true, 1),
    ...zeros.map((zero, i) => row(name, 2, 3 + i, false, zero)),
    row('half \ufffd', 2, 3, false, 2),
  ])
  store.close()
})

it('is written group by group, while the rest is still in the store', async () => {
  const iterations = Array.from({ length: 300_000 }, (_, i) => i)
  const store = stored([['a', 2, iterations, iterations.map(Math.sin)]])
  let taken = 0
  const counted: RunStore = {
    ...store,
    *everyPoint(key) {
      for (const points of store.everyPoint(key)) {
        taken += points.values.length
        yield points
      }
    },
  }
  const groups: number[] = []
  const pieces = exportParquet(counted, store.runs()[0]!, (rows) => groups.push(rows))
  const first = pieces.next().value as Buffer
  expect(taken).toBeLessThan(150_000)
  const { metadata, rows } = await read([first, ...pieces])
  expect(metadata.row_groups.map(({ num_rows }) => Number(num_rows))).toEqual([131_072, 131_072, 37_856])
  expect(groups).toEqual([131_072, 131_072, 37_856])
  expect(rows.every((row, i) => row.iteration === BigInt(i) && row.value === Math.sin(i))).toBe(true)
  store.close()
})

it('is a file without rows where the run has no values', async () => {
  const store = stored([])
  const { metadata, rows } = await read(exportParquet(store, store.runs()[0]!))
  expect([rows, metadata.schema.length]).toEqual([[], 7])
  store.close()
})
