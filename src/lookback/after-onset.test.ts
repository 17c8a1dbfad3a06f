import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { exampleAlert } from '../outputs/plots/runs.fixture.ts'
import { NEW_RUN } from '../stores/run-state.fixture.ts'
import { sqliteStore } from '../stores/sqlite.ts'
import type { RunState } from '../stores/store.ts'
import { afterOnset } from './after-onset.ts'
import { findStoredRun } from './find-stored-run.ts'
import { gpusOfRun } from './gpus-of-run.ts'
import { showText } from './show-text.ts'

const place = mkdtempSync(join(tmpdir(), 'telltale-after-onset-'))
const store = sqliteStore({ path: join(place, 'telltale.db'), now: () => 0 })
afterAll(() => {
  store.close()
  rmSync(place, { recursive: true, force: true })
})

const STATE: RunState = {
  ...NEW_RUN,
  ...{ name: '', status: 'completed', iterations: 100, loggedIterations: 100, lastIteration: 99 },
  ...{ startedUnixSeconds: 1_800_000_000, newestUnixSeconds: 1_800_036_000 },
}
let count = 0

/** A run of a hundred iterations and ten hours. */
function stored(
  alerts: ReturnType<typeof exampleAlert>[],
  { steps, ...state }: Partial<RunState> & { steps?: (i: number) => number | undefined } = {},
) {
  const name = `run-${count++}`
  const epoch = store.claim({ key: name, run: name, name, path: `/${name}`, source: 'jsonl' })
  const series = (of: string, value: (i: number) => number | undefined) => {
    const iterations = Array.from({ length: 100 }, (_, i) => i).filter((i) => value(i) !== undefined)
    return { name: of, original: of, unit: '', attempt: 1, iterations, values: iterations.map((i) => value(i)!) }
  }
  const points = [series('reward/score', (i) => i), ...(steps ? [series('time/step', steps)] : [])]
  store.commit([{ key: name, epoch, state: { ...STATE, name, ...state }, points, samples: [], alerts, time: 0 }])
  return findStoredRun(store.runs(), name)
}

const shown = (run: ReturnType<typeof stored>, gpus?: number) =>
  showText(run, store, 0, { isTTY: false, columns: 200, write: () => true }, { LANG: 'C.UTF-8' }, gpus)
    .join('\n')
    // Wherever lines are broken.
    .replace(/\n +(?=\S)/g, ' ')

describe('how long a run went on after an onset', () => {
  it('is that of the first critical alert, or else of the first', () => {
    const both = [exampleAlert(20), exampleAlert(49, 'critical'), exampleAlert(80, 'critical')]
    expect(afterOnset(stored(both), store)).toEqual({
      ...{ iteration: 49, hours: 5, gpus: null, gpuHours: null, how: 'interpolated' },
    })
    expect(afterOnset(stored([exampleAlert(89), exampleAlert(95)]), store)).toMatchObject({ iteration: 89, hours: 1 })
    expect(afterOnset(stored([]), store)).toBeNull()
  })

  it('is the sum of the times of the iterations where these are logged and are seconds', () => {
    const alerts = [exampleAlert(49, 'critical')]
    const slow = (i: number) => (i > 49 ? 540 : 36)
    expect(afterOnset(stored(alerts, { steps: slow }), store)).toMatchObject({ hours: 7.5, how: 'logged' })
    // Also where the log has no other times.
    const timeless = { startedUnixSeconds: 0, newestUnixSeconds: null }
    expect(afterOnset(stored(alerts, { steps: slow, ...timeless }), store)).toMatchObject({ hours: 7.5, how: 'logged' })
    expect(afterOnset(stored(alerts, timeless), store)).toBeNull()
    // Milliseconds, every tenth iteration, no numbers.
    for (const steps of [
      (i: number) => 1000 * slow(i),
      (i: number) => (i % 10 === 0 ? slow(i) : undefined),
      () => Number.NaN,
    ])
      expect(afterOnset(stored(alerts, { steps }), store)).toMatchObject({ hours: 5, how: 'interpolated' })
  })

  it('is nothing where the run stopped at its onset, and no more than all of it', () => {
    const at = (estimate: number) => [{ ...exampleAlert(99), onset: { estimate, interval: [0, 99] as const } }]
    expect(afterOnset(stored(at(99)), store)).toMatchObject({ hours: 0 })
    expect(shown(stored(at(99)))).not.toContain('After the onset')
    expect(afterOnset(stored(at(120)), store)).toMatchObject({ hours: 0 })
    expect(afterOnset(stored(at(-50)), store)).toMatchObject({ hours: 10 })
  })

  it('is counted in GPU-hours where it is known on how many GPUs, and said', () => {
    const alerts = [exampleAlert(49, 'critical')]
    const config = { trainer: { nnodes: 2, n_gpus_per_node: 8 } }
    expect(afterOnset(stored(alerts, { config }), store)).toMatchObject({ gpus: 16, gpuHours: 80 })
    expect(afterOnset(stored(alerts, { config }), store, 4)).toMatchObject({ gpus: 4, gpuHours: 20 })
    expect(shown(stored(alerts, { config }))).toContain(
      ' After the onset at iteration 49 the run went on for about 5 h 00 min, 80 GPU-hours on 16 GPUs, by trainer.n_gpus_per_node × trainer.nnodes',
    )
    expect(shown(stored(alerts, { config, status: 'running' }), 1)).toContain(
      'has gone on for about 5 h 00 min, 5 GPU-hours on 1 GPU\n',
    )
    expect(shown(stored(alerts))).toContain('5 h 00 min; on how many GPUs is not known: --gpus N counts GPU-hours')
    expect(shown(stored(alerts, { steps: () => 0.01 }), 1)).toContain(
      'went on for 0.5 s, less than 0.01 GPU-hours on 1 GPU',
    )
  })
})

it('says how long a run took in the words of the report, and calls a note a note', () => {
  const short = stored([exampleAlert(49, 'info')], { newestUnixSeconds: 1_800_000_021.5 })
  expect(shown(short)).toContain('100 iterations, begun 2027-01-15 08:00:00 UTC, 21.5 s, own-loop')
  expect(shown(short)).toMatch(/note KL explosion, iteration 49/)
  expect(shown(stored([], { startedUnixSeconds: 0, newestUnixSeconds: 5 }))).toContain('100 iterations, own-loop')
})

describe('the number of GPUs', () => {
  it.each([
    [{ world_size: 8 }, 8, 'world_size'],
    [{ args: { num_processes: '4' } }, 4, 'args.num_processes'],
    [{ gpus: [0, 1, 2] }, 3, 'gpus'],
    [{ gpus: 4, num_nodes: 2 }, 8, 'gpus × num_nodes'],
    [{ data: { deep: { world_size: 2 } }, world_size: 16 }, 16, 'world_size'],
    [{ trainer: { n_gpus_per_node: 8, nnodes: 4 }, world_size: 1 }, 32, 'trainer.n_gpus_per_node × trainer.nnodes'],
  ])('is read from %j', (config, gpus, by) => {
    expect(gpusOfRun(config)).toEqual({ gpus, by })
  })

  it.each([
    {},
    { world_size: 0 },
    { world_size: -1 },
    { world_size: 2.5 },
    { world_size: 'many' },
    { world_size: 1e9 },
    { gpus: null, n_gpus: undefined },
    { n_gpus_per_node: 8, elsewhere: { nnodes: 2 } },
    JSON.parse('{"__proto__":{"world_size":"8; rm"}}') as Record<string, unknown>,
  ])('is not known from %j', (config) => {
    expect(gpusOfRun(config)).toBeNull()
  })
})
