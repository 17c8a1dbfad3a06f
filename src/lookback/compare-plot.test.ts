import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { textBoxes } from '../outputs/plots/picture.fixture.ts'
import { sqliteStore } from '../stores/sqlite.ts'
import type { RunStore } from '../stores/store.ts'
import { comparePlot } from './compare-plot.ts'
import { findStoredRun } from './find-stored-run.ts'
import { importRuns } from './import-runs.ts'
import { mostTelling } from './series-order.ts'

const place = mkdtempSync(join(tmpdir(), 'telltale-compare-plot-'))
afterAll(() => rmSync(place, { recursive: true, force: true }))
let store: RunStore

const LOGS: Readonly<Record<string, (i: number) => object>> = {
  left: (i) => ({ reward: i, kl_div: 0.01, loss: 1, only_left: i }),
  right: (i) => ({ reward: -i, kl_div: i < 60 ? 0.01 : 0.9, loss: 2 }),
  other: (i) => ({ reward: 1, grad_norm: i }),
  blank: () => ({ note: 'no number' }),
}

beforeAll(async () => {
  store = sqliteStore({ path: join(place, 'telltale.db'), now: () => 0 })
  for (const [name, at] of Object.entries(LOGS)) {
    mkdirSync(join(place, name))
    const lines = Array.from({ length: 80 }, (_, step) => `${JSON.stringify({ step, ...at(step) })}\n`)
    writeFileSync(join(place, name, `${name}.jsonl`), lines.join(''))
  }
  const options = { stdin: Readable.from([]), check: { mode: 'threshold' as const }, now: () => 0, say: () => {} }
  for (const path of Object.keys(LOGS).map((name) => join(place, name))) await importRuns(path, { ...options, store })
})
afterAll(() => store.close())

const plot = (names: readonly string[], series: readonly string[] = []) =>
  comparePlot(
    store,
    names.map((name) => findStoredRun(store.runs(), name)),
    { series, widthInches: 15 },
  )
const lineOf = (drawing: ReturnType<typeof plot>['drawing'], x: number) =>
  (drawing.option.series as unknown as { xAxisIndex: number; data: [number, number][]; lineStyle?: object }[]).filter(
    ({ xAxisIndex, data, lineStyle }) => xAxisIndex === x && lineStyle && data.length > 0,
  )

describe('curves of stored runs', () => {
  it('are of the series that all runs have, in the order of the text, then of those that two have', () => {
    expect(plot(['left', 'right'])).toMatchObject({ series: ['reward/score', 'kl_ref/token', 'loss/total'], left: 1 })
    expect(plot(['left', 'right', 'other'])).toMatchObject({
      series: ['reward/score', 'kl_ref/token', 'loss/total'],
      left: 2,
    })
    expect(plot(['left', 'right', 'blank']).series).toEqual(['reward/score', 'kl_ref/token', 'loss/total'])
    expect(plot(['other', 'blank']).series).toEqual(['reward/score', 'grad/norm'])
  })

  it('have the values of the store and the alerts of each run', () => {
    const { drawing } = plot(['left', 'right'], ['reward/score'])
    const [left, , right] = lineOf(drawing, 0)
    expect([left!.data.length, left!.data[79]]).toEqual([80, [79, 79]])
    expect(right!.data[79]).toEqual([79, -79])
    const words = textBoxes(drawing).map(({ text }) => text)
    const [alert] = store.alerts(findStoredRun(store.runs(), 'right').key)
    expect(words).toContain(`KL explosion at ${alert!.iteration}`)
  })

  it('have what a resumed run did again once, as it counts', () => {
    const [like] = store.runs()
    const key = 'resumed'
    const epoch = store.claim({ key, run: key, name: key, path: `/${key}`, source: 'jsonl' })
    const attempts = [
      { attempt: 1, fromIteration: 0 },
      { attempt: 2, fromIteration: 3 },
    ]
    const points = [
      { attempt: 1, iterations: [0, 1, 2, 3, 4, 5], values: [1, 2, 3, 400, 500, 600] },
      { attempt: 2, iterations: [3, 4], values: [4, 5] },
    ].map((some) => ({ ...some, name: 'reward/score', original: 'reward', unit: 'reward' }))
    const state = { ...like!, name: key, status: 'running' as const, attempts }
    store.commit([{ key, epoch, state, points, samples: [], alerts: [], time: 0 }])
    const { drawing } = plot(['resumed', 'left'], ['reward/score'])
    const [line] = lineOf(drawing, 0)
    expect(line!.data).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
      [3, 4],
      [4, 5],
    ])
    store.remove(key)
  })

  it('are refused where there is none, or more than can be told apart, with what there is', () => {
    expect(() => plot(['left', 'right'], ['nonsense\u001b[31m'])).toThrow(
      /no run has a series "nonsense"; they have reward\/score, kl_ref\/token, loss\/total, only_left/,
    )
    expect(() => plot(['blank'])).toThrow(/none of these runs has logged a number/)
    expect(() => plot(Array.from({ length: 9 }, () => 'left'))).toThrow(/at most 8 can be told apart/)
    expect(() =>
      plot(
        ['left'],
        Array.from({ length: 25 }, (_, i) => `a${i}`),
      ),
    ).toThrow(/expected at most 24/)
  })
})

describe('the most telling series', () => {
  it('are of as many groups as there is room for, those that have a meaning first', () => {
    const names = ['zzz', 'reward/mine', 'reward/std', 'reward/score', 'ppo/approx_kl', 'kl_ref/token', 'reward/total']
    const chosen = (most: number) =>
      mostTelling(
        names.map((name) => ({ name })),
        most,
      ).map(({ name }) => name)
    expect(chosen(3)).toEqual(['reward/score', 'kl_ref/token', 'ppo/approx_kl'])
    expect(chosen(5)).toEqual(['reward/score', 'reward/total', 'reward/std', 'kl_ref/token', 'ppo/approx_kl'])
    expect(chosen(9)).toHaveLength(7)
    expect(chosen(9).at(-1)).toBe('zzz')
  })
})
