// How the write-ahead log grows and shrinks beside readers. SQLite cannot take back what an open read transaction may still look at.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { openDatabase } from '../sqlite/database.ts'
import { NEW_RUN } from './run-state.fixture.ts'
import { sqliteStore } from './sqlite.ts'

const place = mkdtempSync(join(tmpdir(), 'telltale-wal-'))
afterAll(() => rmSync(place, { recursive: true, force: true }))

/** SQLite copies the log into the database from 1,000 pages of 4 kB on; one commit may go beyond that. */
const BOUND_BYTES = 6e6
/** As many as half an hour of commits once a second. */
const COMMITS = 2000

const state = NEW_RUN

function writer(path: string) {
  const store = sqliteStore({ path, now: () => 0 })
  const epoch = store.claim({ key: 'k', run: 'r', name: 'r', path: '/r', source: 'jsonl' })
  let step = 0
  const walBytes = () => (existsSync(`${path}-wal`) ? statSync(`${path}-wal`).size : 0)
  return {
    walBytes,
    close: () => store.close(),
    /** The longest that the log has been on the way. */
    commit(count: number, after: (step: number) => void = () => {}): number {
      let most = 0
      for (let i = 0; i < count; i++, step++) {
        const points = Array.from({ length: 10 }, (_, series) => ({
          ...{ name: `s/${series}`, original: `s/${series}`, unit: '', attempt: 1, iterations: [step] },
          values: [Math.sin(step * (series + 1))],
        }))
        store.commit([{ key: 'k', epoch, state, points, samples: [], alerts: [], time: step }])
        after(step)
        most = Math.max(most, walBytes())
      }
      return most
    },
  }
}

/** A process that holds a read transaction open until it is told to leave. */
async function holder(path: string) {
  const script = `
    const database = new (require('libsql'))(process.argv[1])
    database.exec('BEGIN')
    database.prepare('SELECT count(*) FROM runs').all()
    console.log('holds')
    process.stdin.once('data', () => { database.exec('COMMIT'); database.close(); process.exit(0) })`
  const reader = spawn(process.execPath, ['-e', script, path], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = once(reader, 'exit')
  await once(reader.stdout, 'data')
  return async () => {
    reader.stdin.write('leave\n')
    await ended
  }
}

it('does not grow beside a store that stays open and reads between the commits', () => {
  const path = join(place, 'ours.db')
  const writing = writer(path)
  const reading = sqliteStore({ path, now: () => 0 })
  const most = writing.commit(COMMITS, (step) => {
    if (step % 10 !== 0) return
    reading.runs()
    reading.series('k')
    reading.zoom('k', 's/0')
  })
  expect(reading.series('k')[0]!.count).toBe(COMMITS)
  expect(most).toBeLessThan(BOUND_BYTES)
  reading.close()
  writing.close()
})

it('grows while another process holds a transaction, gives the room back once that has left, and is empty at the end', async () => {
  const path = join(place, 'held.db')
  const writing = writer(path)
  writing.commit(1)
  const leave = await holder(path)
  const held = writing.commit(COMMITS)
  // The other side of the promise: if this fails, SQLite or the commits have changed, and the rest shows nothing.
  expect(held).toBeGreaterThan(BOUND_BYTES)
  await leave()
  writing.commit(COMMITS)
  expect(writing.walBytes()).toBeLessThan(BOUND_BYTES)
  writing.close()
  expect(writing.walBytes()).toBe(0)
  const database = openDatabase(path)
  const [count] = database.rows('SELECT sum(count) FROM chunks')
  expect(Number(count![0])).toBe(10 * (1 + 2 * COMMITS))
  database.close()
})
