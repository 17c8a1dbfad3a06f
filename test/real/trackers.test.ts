import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runFinder } from '../../src/sources/find-runs.ts'
import type { SourceDamage, SourceRecord } from '../../src/sources/source.ts'

// What Telltale reads of each tracker's files equals, series by series and step by step, what the tracker's own reader gives: of a finished run,
// and of one that is followed while its writer goes on.

const python = process.env.TELLTALE_PYTHON ?? 'python3'
const script = fileURLToPath(new URL('trackers.py', import.meta.url))
const place = mkdtempSync(join(tmpdir(), 'telltale-trackers-'))
afterAll(() => rmSync(place, { recursive: true, force: true }))
// Not in a repository: what a tracker finds out about one has no place here.
const quiet: { cwd: string; stdio: ('ignore' | 'pipe')[] } = { cwd: place, stdio: ['ignore', 'pipe', 'ignore'] }

const TRACKERS = [
  { tracker: 'tensorboard', format: 'tfevents' },
  { tracker: 'wandb', format: 'wandb' },
  { tracker: 'trackio', format: 'trackio' },
  { tracker: 'mlflow_files', format: 'mlflow' },
  { tracker: 'mlflow_database', format: 'mlflow' },
  { tracker: 'lightning_csv', format: 'csv' },
] as const

type Series = Record<string, [number, number][]>

beforeAll(() => {
  try {
    execFileSync(python, ['-c', 'import tensorboard, wandb, trackio, mlflow, lightning, torch'], quiet)
  } catch {
    throw new Error(
      `${python} lacks a tracker. Install them with: python3 -m pip install torch==2.13.0 -r test/real/requirements.txt -r python/tests/requirements.txt  (TELLTALE_PYTHON names another Python)`,
    )
  }
})

function theirs(tracker: string, folder: string): Series {
  const said = JSON.parse(
    execFileSync(python, [script, 'read', tracker, folder], { ...quiet, encoding: 'utf8' }),
  ) as Record<string, [number, number | string][]>
  return Object.fromEntries(
    Object.entries(said).map(([name, points]) => [
      name,
      points.map(([step, value]): [number, number] => [step, value === 'nan' ? Number.NaN : Number(value)]),
    ]),
  )
}

/** Follows the one run of a folder, and gives its series once told that nobody writes any more. */
async function follow(folder: string, format: string, isOver: () => boolean) {
  let part: Awaited<ReturnType<ReturnType<typeof runFinder>['find']>>['runs'][number]['parts'][number] | undefined
  const finder = runFinder([folder])
  while (part === undefined) {
    part = (await finder.find()).runs.flatMap(({ parts }) => parts).find((one) => one.format.name === format)
    if (part === undefined && isOver()) throw new Error(`no run of ${format} below ${folder}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  const source = await part.format.open(part.path, part.id)
  const records: SourceRecord[] = []
  const damage: SourceDamage[] = []
  let looksWithNews = 0
  for (;;) {
    const finished = isOver()
    const batch = await source.read({ finished })
    records.push(...batch.records)
    damage.push(...batch.damage)
    if (batch.records.some(({ type }) => type === 'points')) looksWithNews++
    if (finished && !batch.more) break
    if (!batch.more) await new Promise((resolve) => setTimeout(resolve, 100))
  }
  source.close()
  const series: Series = {}
  for (const record of records)
    if (record.type === 'points')
      for (const [name, value] of Object.entries(record.metrics)) {
        series[name] ??= []
        series[name].push([record.step, value])
      }
  return { series, records, damage, looksWithNews }
}

describe.each(TRACKERS)('$tracker', ({ tracker, format }) => {
  it('a finished run is read as its own reader reads it', async () => {
    const folder = join(place, `${tracker}-finished`)
    execFileSync(python, [script, 'write', tracker, folder, '300', '0'], quiet)
    const { series, damage } = await follow(folder, format, () => true)
    const expected = theirs(tracker, folder)
    expect(damage).toEqual([])
    expect(Object.keys(expected).length).toBeGreaterThanOrEqual(5)
    expect(series).toEqual(expected)
    expect(series.loss).toHaveLength(300)
    expect(series.grad_norm!.filter(([, value]) => Number.isNaN(value))).toHaveLength(33)
  })

  it('a run is followed while it is written, and each value comes once', async () => {
    const folder = join(place, `${tracker}-live`)
    let over = false
    const writer = spawn(python, [script, 'write', tracker, folder, '120', '0.05'], { cwd: place, stdio: 'ignore' })
    const ended = new Promise<number | null>((resolve) =>
      writer.on('exit', (code) => {
        over = true
        resolve(code)
      }),
    )
    const { series, damage, looksWithNews } = await follow(folder, format, () => over)
    expect(await ended).toBe(0)
    expect(damage).toEqual([])
    expect(series).toEqual(theirs(tracker, folder))
    expect(looksWithNews).toBeGreaterThan(2)
  })
})
