import fc from 'fast-check'
import { expect, it } from 'vitest'
import { memoryStore } from '../stores/memory.ts'
import { NEW_RUN } from '../stores/run-state.fixture.ts'
import type { RunState, RunStore, SeriesPoints } from '../stores/store.ts'
import { exportRun } from './export-run.ts'
import { iterationWindows } from './iteration-windows.ts'

const state = (attempts: RunState['attempts']): RunState => ({ ...NEW_RUN, startedUnixSeconds: 12.5, attempts })

type Series = readonly [name: string, attempt: number, iterations: readonly number[], values: readonly number[]]

function stored(series: readonly Series[], attempts: RunState['attempts'] = [{ attempt: 1, fromIteration: 0 }]) {
  const store = memoryStore()
  const epoch = store.claim({ key: 'k', run: 'r', name: 'r', path: '/r', source: 'jsonl' })
  const points = series.map(
    ([name, attempt, iterations, values]): SeriesPoints => ({
      ...{ name, original: name, unit: '', attempt, iterations, values },
    }),
  )
  store.commit([{ key: 'k', epoch, state: state(attempts), points, samples: [], alerts: [], time: 1 }])
  return store
}

const written = (store: RunStore, format: 'jsonl' | 'csv' | 'tensorboard', atOnce: number) =>
  Buffer.concat([...exportRun(store, store.runs()[0]!, format, { atOnce })]).toString('latin1')

it('writes the same file in however small pieces, values that came late, twice or again included', () => {
  const iteration = fc.oneof({ weight: 9, arbitrary: fc.nat(60) }, fc.maxSafeNat())
  const values = fc.array(fc.tuple(iteration, fc.oneof(fc.double(), fc.constantFrom(-0, Number.NaN))), { minLength: 1 })
  fc.assert(
    fc.property(fc.array(values, { minLength: 1, maxLength: 4 }), fc.nat(60), (all, back) => {
      const split = (pairs: readonly (readonly [number, number])[]) =>
        [pairs.map(([at]) => at), pairs.map(([, value]) => value)] as const
      const series = all.flatMap((pairs, i): Series[] => [
        [`s,${i}`, 1, ...split(pairs)],
        [`s,${i}`, 2, ...split(pairs.filter(([at]) => at >= back))],
      ])
      const store = stored(series, [
        { attempt: 1, fromIteration: 0 },
        { attempt: 2, fromIteration: back },
      ])
      for (const format of ['jsonl', 'csv', 'tensorboard'] as const) {
        const whole = written(store, format, Number.POSITIVE_INFINITY)
        for (const atOnce of [1, 7, 40]) expect(written(store, format, atOnce)).toBe(whole)
      }
      store.close()
    }),
    { numRuns: 40 },
  )
})

it('holds as many values of a long run as of a short one', () => {
  // A run of a few far iterations and, close together, of many.
  const iterations = [0, 1e15, ...Array.from({ length: 250_000 }, (_, i) => 2e12 + i)].sort((a, b) => a - b)
  const values = iterations.map((_, i) => i % 1000)
  const store = stored([
    ['a', 1, iterations, values],
    ['b', 1, iterations, values],
  ])
  let held = 0
  let most = 0
  const counted: RunStore = {
    ...store,
    points(key, name, range) {
      const points = store.points(key, name, range)
      held += points.values.length
      most = Math.max(most, held)
      return points
    },
  }
  let all = 0
  const onValues = (count: number) => {
    all += count
    held -= count
  }
  let lines = 0
  for (const piece of exportRun(counted, store.runs()[0]!, 'jsonl', { onValues }))
    for (const byte of piece) if (byte === 10) lines++
  expect([lines, all]).toEqual([iterations.length, 2 * iterations.length])
  expect(most).toBeLessThanOrEqual(1 << 17)
  const windows = [...iterationWindows(store, 'k', 1 << 17)]
  expect(windows.length).toBeLessThan(12)
  store.close()
})
