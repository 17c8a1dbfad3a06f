import { appendFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, expect, it } from 'vitest'
import { runFinder } from '../sources/find-runs.ts'
import { openDatabase } from '../sqlite/database.ts'
import { sqliteStore } from '../stores/sqlite.ts'
import type { RunStore } from '../stores/store.ts'
import { manualClock } from '../time.ts'
import { keepRuns } from './keep-runs.ts'
import { type WatchedRun, watchRun } from './watched-run.ts'

const place = mkdtempSync(join(tmpdir(), 'telltale-keeping-'))
afterAll(() => rmSync(place, { recursive: true, force: true }))
const [runs, path] = [join(place, 'runs'), join(place, 'telltale.db')]
beforeEach(() => {
  for (const one of [runs, path, `${path}-wal`, `${path}-shm`]) rmSync(one, { recursive: true, force: true })
  for (const name of ['a', 'b']) {
    mkdirSync(join(runs, name), { recursive: true })
    log(name, 0, 10)
  }
})

function log(name: string, from: number, to: number): void {
  for (let step = from; step < to; step++)
    appendFileSync(join(runs, name, `${name}.jsonl`), `{"step":${step},"reward":${step}}\n`)
}

async function keeping() {
  const clock = manualClock({ unixSeconds: 1000 })
  const said: string[] = []
  const inFile = sqliteStore({ path, now: () => 0 })
  let commits = 0
  const store: RunStore = {
    ...inFile,
    commit(...given) {
      commits++
      inFile.commit(...given)
    },
  }
  const keeper = keepRuns(store, clock, (text) => said.push(text))
  const found = (await runFinder([runs]).find()).runs
  const watched: WatchedRun[] = found.map((one) =>
    watchRun(one, { analyzer: {}, now: clock.unixSeconds, onBegin: keeper.onBegin }),
  )
  return {
    ...{ keeper, said, watched, store },
    /** Reads what is new, and stores it after some seconds; gives how many tries to store that took, and what is stored. */
    async round(seconds: number) {
      for (const one of watched) await one.read()
      clock.advanceMs(1000 * seconds)
      commits = 0
      keeper.round(watched)
      return { commits, stored: store.runs().map(({ key }) => store.points(key, 'reward/score').iterations.length) }
    },
  }
}

it('goes on beside somebody who holds the store, waits for it once a round, and says so once', async () => {
  const { keeper, said, watched, store, round } = await keeping()
  expect(await round(3)).toEqual({ commits: 2, stored: [10, 10] })
  const other = openDatabase(path)
  other.exec('BEGIN EXCLUSIVE')
  for (const name of ['a', 'b']) log(name, 10, 30)
  expect(await round(3)).toEqual({ commits: 1, stored: [10, 10] })
  expect(await round(3)).toEqual({ commits: 0, stored: [10, 10] })
  other.exec('ROLLBACK')
  other.close()
  expect(await round(30)).toEqual({ commits: 2, stored: [30, 30] })
  expect(said).toEqual([
    expect.stringMatching(
      /^\w and other runs: not stored for now, and tried again every 30 seconds: .*database is locked$/,
    ),
    expect.stringMatching(/^\w and other runs: stored again$/),
  ])
  expect(store.verify()).toEqual([])
  keeper.close(watched)
})

it('tries once more at the end, and says what is not stored', async () => {
  const { keeper, said, watched, round } = await keeping()
  await round(3)
  const other = openDatabase(path)
  other.exec('BEGIN EXCLUSIVE')
  log('a', 10, 30)
  await round(3)
  keeper.close(watched)
  other.exec('ROLLBACK')
  other.close()
  expect(said).toHaveLength(2)
  expect(said[1]).toMatch(/: what came last is not stored; telltale import reads it from its files$/)
})

it('has all of a run that is deleted while it is watched, and of the others what comes', async () => {
  const { keeper, said, watched, round } = await keeping()
  await round(3)
  rmSync(join(runs, 'a'), { recursive: true })
  log('b', 10, 20)
  expect((await round(3)).stored.sort()).toEqual([10, 20])
  expect(watched.filter(({ problem }) => problem !== null)).toHaveLength(1)
  keeper.close(watched)
  expect(said).toEqual([])
  // The newest iteration of each is open still.
  const again = sqliteStore({ path, now: () => 0 })
  expect(
    again
      .runs()
      .map(({ name, iterations }) => [name, iterations])
      .sort(),
  ).toEqual([
    ['a', 9],
    ['b', 19],
  ])
  expect(again.verify()).toEqual([])
  again.close()
})
