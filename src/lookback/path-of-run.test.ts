import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, expect, it } from 'vitest'
import { sqliteStore } from '../stores/sqlite.ts'
import { importRuns } from './import-runs.ts'
import { pathOfRun } from './path-of-run.ts'

const place = mkdtempSync(join(tmpdir(), 'telltale-path-of-run-'))
afterAll(() => rmSync(place, { recursive: true, force: true }))
const trl = new URL('../../test/fixtures/text-sources/trl-grpo', import.meta.url).pathname
const open = () => sqliteStore({ path: join(place, 'telltale.db'), now: () => 0 })

it('leads from a name to the place by which a run was found; a path that is there wins', async () => {
  const log = join(place, 'one', 'log.jsonl')
  mkdirSync(join(place, 'one'))
  writeFileSync(log, '{"step":0,"reward":1}\n{"step":1,"reward":1}\n')
  const options = { stdin: Readable.from([]), check: {}, say: () => {} }
  const store = open()
  // A path that holds in one folder alone.
  await importRuns(relative(process.cwd(), log), { ...options, store, now: () => 1 })
  // Several files make this run.
  await importRuns(trl, { ...options, store, now: () => 2 })
  const runs = store.runs()
  store.close()
  expect(runs.map(({ path }) => path)).toEqual([trl, log])
  expect(pathOfRun('@last', open)).toBe(trl)
  expect(pathOfRun('on', open)).toBe(log)
  expect(pathOfRun('nonsense', open)).toBe('nonsense')
  expect(pathOfRun(place, open)).toBe(place)
  expect(pathOfRun('-', open)).toBe('-')
  expect(pathOfRun('@last', () => null)).toBe('@last')
  rmSync(log)
  expect(pathOfRun('on', open)).toBe(log)
})
