import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { openDatabase } from '../sqlite/database.ts'
import { testStore } from '../testing/test-store.ts'
import { decodeIterations, decodeValues, encodeIterations, encodeValues } from './chunk.ts'
import { memoryStore } from './memory.ts'
import { NEW_RUN } from './run-state.fixture.ts'
import { sqliteStore } from './sqlite.ts'

const place = mkdtempSync(join(tmpdir(), 'telltale-store-'))
afterAll(() => rmSync(place, { recursive: true, force: true }))
let number = 0
const newPath = () => join(place, `${number++}`, 'telltale.db')

describe('in a file', () => {
  let path = ''
  const contract = {
    create() {
      path = newPath()
      return sqliteStore({ path, now: () => 0 })
    },
    reopen: () => sqliteStore({ path, now: () => 0 }),
  }
  it.each(testStore(contract))('$name', (check) => check.run())
})

describe('in memory', () => {
  it.each(testStore({ create: memoryStore }))('$name', (check) => check.run())
})

it('chunks come back as they were', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(), fc.double()), { minLength: 1, maxLength: 600 }), (points) => {
      const iterations = points.map(([iteration]) => iteration)
      const values = points.map(([, value]) => value)
      const { stride, list } = encodeIterations(iterations)
      expect(decodeIterations(iterations[0]!, iterations.length, stride, list)).toEqual(iterations)
      expect(decodeValues(encodeValues(values))).toEqual(values)
    }),
  )
})

const identity = (key: string) => ({ key, run: 'r', name: 'r', path: '/r', source: 'jsonl' })
const state = NEW_RUN

describe('the file', () => {
  it('is read value by value by any SQLite tool, while it is written', () => {
    const path = newPath()
    const store = sqliteStore({ path, now: () => 0 })
    const epoch = store.claim(identity('k'))
    const points = {
      name: 'loss',
      original: 'loss',
      unit: '',
      attempt: 1,
      iterations: [10, 20, 30],
      values: [0.5, Number.NaN, -2],
    }
    store.commit([{ key: 'k', epoch, state, points: [points], samples: [], alerts: [], time: 1 }])
    const other = openDatabase(path)
    expect(other.rows('SELECT run, series, iteration, value FROM points')).toEqual([
      ['r', 'loss', 10, 0.5],
      ['r', 'loss', 20, 'NaN'],
      ['r', 'loss', 30, -2],
    ])
    other.close()
    store.close()
  })

  it('takes at most 24 bytes a value of full precision', () => {
    const path = newPath()
    const store = sqliteStore({ path, now: () => 0 })
    const epoch = store.claim(identity('k'))
    const iterations = Array.from({ length: 20_000 }, (_, i) => i)
    const points = Array.from({ length: 10 }, (_, series) => ({
      ...{ name: `s/${series}`, original: `s/${series}`, unit: '', attempt: 1, iterations },
      values: iterations.map((i) => Math.sin(i * (series + 1))),
    }))
    store.commit([{ key: 'k', epoch, state, points, samples: [], alerts: [], time: 1 }])
    store.close()
    const database = openDatabase(path)
    const [pages, size] = ['page_count', 'page_size'].map((name) => Number(database.rows(`PRAGMA ${name}`)[0]![0]))
    database.close()
    expect((pages! * size!) / 200_000).toBeLessThan(24)
  })

  it('that is damaged is set aside and made anew, with a word', () => {
    const path = newPath()
    sqliteStore({ path, now: () => 0 }).close()
    for (const ending of ['-wal', '-shm']) rmSync(path + ending, { force: true })
    writeFileSync(path, 'this is no database, but it is longer than the header of one would be. '.repeat(100))
    const said: string[] = []
    const store = sqliteStore({ path, now: () => 1700, say: (text) => said.push(text) })
    expect(store.runs()).toEqual([])
    store.close()
    expect(said).toEqual([expect.stringMatching(/was damaged .* it is now .*telltale\.db\.damaged-1700/)])
    expect(readdirSync(join(path, '..'))).toContain('telltale.db.damaged-1700')
  })

  it('that is damaged within is read as far as it goes, and what to do is said where it is not', () => {
    const path = newPath()
    const store = sqliteStore({ path, now: () => 0 })
    const epoch = store.claim(identity('k'))
    const values = Array.from({ length: 60_000 }, (_, i) => Math.sin(i))
    const points = { name: 'a', original: 'a', unit: '', attempt: 1, iterations: values.map((_, i) => i), values }
    store.commit([{ key: 'k', epoch, state, points: [points], samples: [], alerts: [], time: 1 }])
    store.close()
    const bytes = readFileSync(path)
    bytes.fill(0x5a, Math.floor(bytes.length / 2), bytes.length - 4096)
    writeFileSync(path, bytes)
    const said: string[] = []
    const again = sqliteStore({ path, now: () => 1700, say: (text) => said.push(text) })
    expect(said).toEqual([])
    expect(again.runs().map(({ key }) => key)).toEqual(['k'])
    expect(again.verify()).not.toEqual([])
    expect(() => again.points('k', 'a')).toThrow(
      /cannot be read: .*malformed; it is damaged: move it away, and say telltale rebuild PATH/,
    )
    again.close()
  })

  it('of a later version, or where none can be, is said', () => {
    const path = newPath()
    sqliteStore({ path, now: () => 0 }).close()
    const database = openDatabase(path)
    database.exec('PRAGMA user_version = 99')
    database.close()
    expect(() => sqliteStore({ path, now: () => 0 })).toThrow(/is of version 99, and this Telltale knows 3/)
    const file = join(place, 'a-file')
    writeFileSync(file, '')
    expect(() => sqliteStore({ path: join(file, 'x', 'telltale.db'), now: () => 0 })).toThrow(/cannot be made/)
    expect(() => sqliteStore({ path: '/proc/telltale.db', now: () => 0 })).toThrow(/cannot be (opened|made)/)
  })

  it('has after kill -9 whatever was acknowledged, and is sound', async () => {
    const built = new URL('../../dist/stores/sqlite.js', import.meta.url)
    if (!existsSync(built))
      execFileSync(process.execPath, [new URL('../../scripts/build.mjs', import.meta.url).pathname])
    const script = `
      import { sqliteStore } from ${JSON.stringify(built.href)}
      const store = sqliteStore({ path: process.argv[1], now: () => 0 })
      const epoch = store.claim(${JSON.stringify(identity('k'))})
      const state = ${JSON.stringify(state)}
      for (let i = 0; ; i++) {
        store.commit([{ key: 'k', epoch, state, points: [{ name: 'a', original: 'a', unit: '', attempt: 1, iterations: [i], values: [i] }], samples: [], alerts: [], time: i }])
        process.stdout.write(i + '\\n')
      }`
    for (let round = 0; round < 8; round++) {
      const path = newPath()
      const child = spawn(process.execPath, ['--input-type=module', '-e', script, path], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      let acknowledged = -1
      let text = ''
      child.stdout.on('data', (piece: Buffer) => {
        text += piece
        const lines = text.split('\n')
        acknowledged = Number(lines.at(-2) ?? -1)
        if (acknowledged >= 20 + 37 * round) child.kill('SIGKILL')
      })
      await new Promise((resolve) => child.on('close', resolve))
      const store = sqliteStore({ path, now: () => 0 })
      const { iterations } = store.points('k', 'a')
      expect(acknowledged).toBeGreaterThanOrEqual(20 + 37 * round)
      expect(iterations.slice(0, acknowledged + 1)).toEqual(Array.from({ length: acknowledged + 1 }, (_, i) => i))
      expect(iterations.length).toBeLessThanOrEqual(acknowledged + 1 + 50)
      expect(store.verify()).toEqual([])
      store.close()
    }
  })
})
