import { appendFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkPath } from '../check/check-path.ts'
import { runFinder } from '../sources/find-runs.ts'
import { sqliteStore } from '../stores/sqlite.ts'
import type { RunStore } from '../stores/store.ts'
import { manualClock } from '../time.ts'
import { keepRuns } from '../watch/keep-runs.ts'
import { watchRun } from '../watch/watched-run.ts'
import { answerChanges } from './answer-changes.ts'
import { askStore } from './ask-store.ts'
import { changesText } from './changes-text.ts'
import { compareRuns } from './compare-runs.ts'
import { compareText } from './compare-text.ts'
import { exportRun } from './export-run.ts'
import { findStoredRun } from './find-stored-run.ts'
import { importRuns } from './import-runs.ts'
import { listText } from './list-text.ts'
import { chooseSamples, samplesText } from './samples-text.ts'
import { showText } from './show-text.ts'

const place = mkdtempSync(join(tmpdir(), 'telltale-lookback-'))
afterAll(() => rmSync(place, { recursive: true, force: true }))
const trl = new URL('../../test/fixtures/text-sources/trl-grpo', import.meta.url).pathname
const file = join(place, 'telltale.db')
const how = { stdin: Readable.from([]), check: {} }
const stream = (columns: number) => ({ isTTY: false, columns, write: () => true })
const env = { LANG: 'C.UTF-8' }
const lines = (from: number, to: number, kl = 0.02) =>
  Array.from(
    { length: to - from },
    (_, i) => `${JSON.stringify({ step: from + i, reward: Math.sin(i), frac_reward_zero_std: 0, loss: 0.1, kl })}\n`,
  ).join('')

let store: RunStore
const said: string[] = []
beforeAll(async () => {
  store = sqliteStore({ path: file, now: () => 0 })
  mkdirSync(join(place, 'runs', 'alpha'), { recursive: true })
  mkdirSync(join(place, 'runs', 'alps'), { recursive: true })
  writeFileSync(join(place, 'runs', 'alpha', 'alpha.jsonl'), lines(0, 60))
  writeFileSync(join(place, 'runs', 'alps', 'alps\u001b[31m.jsonl'), lines(0, 60) + lines(60, 80, 0.9))
  const options = { ...how, store, say: (text: string) => said.push(text) }
  await importRuns(trl, { ...options, now: () => 100 })
  await importRuns(join(place, 'runs'), { ...options, now: () => 200, check: { mode: 'threshold' } })
})
afterAll(() => store.close())

describe('what was imported', () => {
  it('is there with what a check says of it', async () => {
    expect(said).toEqual([])
    expect(store.runs()).toHaveLength(3)
    const { runs } = await checkPath(trl, how)
    const stored = findStoredRun(store.runs(), 'trl-grpo')
    expect(stored).toMatchObject({ trainer: 'trl-grpo', status: 'completed', iterations: 12, lastIteration: 12 })
    expect(store.alerts(stored.key)).toEqual(runs[0]!.alerts)
    expect(stored.coverage).toEqual(runs[0]!.coverage)
    const alps = store.runs().find(({ alerts }) => alerts > 0)!
    expect(store.alerts(alps.key)[0]).toMatchObject({ kind: 'kl-explosion', iteration: 60 })
    expect(store.points(alps.key, 'kl_ref/token').iterations).toHaveLength(80)
  })

  it('is stored once, however often it is imported', async () => {
    await importRuns(trl, { ...how, store, now: () => 300, say: (text) => said.push(text) })
    expect(store.runs()).toHaveLength(3)
    expect(store.runs()[0]!.name).toBe('trl-grpo')
    expect(store.verify()).toEqual([])
  })

  it('is the same run when more of its files are there, or another one has its name', async () => {
    const own = sqliteStore({ path: ':memory:', now: () => 0 })
    const folder = join(place, 'growing')
    const run = async () => {
      await importRuns(relative('', folder), { ...how, store: own, now: () => 0, say: (text) => said.push(text) })
      return own.runs().map(({ name, path, source, tags }) => [name, path, source, tags])
    }
    cpSync(join(trl, 'console.log'), join(folder, 'out', 'console.log'), { recursive: true })
    expect(await run()).toEqual([['out', join(folder, 'out', 'console.log'), 'console', []]])
    own.tag(own.runs()[0]!.key, ['good'], [])
    cpSync(join(trl, 'checkpoint-4'), join(folder, 'out', 'checkpoint-4'), { recursive: true })
    expect(await run()).toEqual([['out', join(folder, 'out'), 'trainer-state', ['good']]])
    cpSync(trl, join(folder, 'second', 'out'), { recursive: true })
    expect(await run()).toEqual([
      ['second-out', join(folder, 'second', 'out'), 'trainer-state', []],
      ['growing-out', join(folder, 'out'), 'trainer-state', ['good']],
    ])
    own.close()
  })

  it('is said to have holes where lines of its log never came, and what happened to it is kept', async () => {
    const folder = join(place, 'holes')
    mkdirSync(folder)
    const wire = (seq: number, more: object) =>
      JSON.stringify({ v: 1, run: 'holes', writer: 'w', seq, time: 100 + seq, ...more })
    const event = (seq: number, phase: string, iteration: number, more: object = {}) =>
      wire(seq, { type: 'event', phase, iteration, ...more })
    const log = [
      wire(1, { type: 'run' }),
      event(2, 'training_start', 0, { metadata: { config: { lr: 1 }, totalIterations: 9 } }),
      event(3, 'iteration_end', 0, { metrics: { reward: 1 } }),
      event(7, 'iteration_end', 4, { metrics: { reward: 1 } }),
      event(8, 'checkpoint_saved', 4, { metadata: { path: '/runs/4', blob: 'x'.repeat(5000) } }),
    ]
    writeFileSync(join(folder, 'events-w.jsonl'), `${log.join('\n')}\n`)
    const own = sqliteStore({ path: ':memory:', now: () => 0 })
    await importRuns(folder, { ...how, store: own, now: () => 0, say: (text) => said.push(text) })
    const [run] = own.runs()
    expect(run).toMatchObject({ run: 'holes', missingLines: 3 })
    expect(own.events(run!.key)).toEqual([
      { unixSeconds: 102, iteration: 0, phase: 'training_start', metadata: { totalIterations: 9 } },
      { unixSeconds: 108, iteration: 4, phase: 'checkpoint_saved', metadata: { path: '/runs/4' } },
    ])
    const shown = showText(run!, own, 210, stream(100), env).join(' ')
    expect(shown).toContain('3 lines of its log never came')
    own.close()
  })

  it('is the same run when its files are fewer again, when others come to lie beside its own log, and by a link', async () => {
    const own = sqliteStore({ path: ':memory:', now: () => 0 })
    const folder = join(place, 'shrinking')
    const [flat, ours] = [join(folder, 'flat'), join(folder, 'ours')]
    const keep = async (path: string) => {
      await importRuns(path, { ...how, store: own, now: () => 0, say: (text) => said.push(text) })
      return own.runs().map(({ path: at, tags }) => `${relative(folder, at)} ${tags}`)
    }
    mkdirSync(flat, { recursive: true })
    mkdirSync(ours)
    writeFileSync(join(flat, 'train.jsonl'), lines(0, 20))
    cpSync(join(trl, 'console.log'), join(flat, 'console.log'))
    const wire = {
      v: 1,
      type: 'event',
      run: 'mine',
      writer: 'w',
      time: 1,
      phase: 'iteration_end',
      metrics: { loss: 1 },
    }
    for (let i = 0; i < 3; i++)
      appendFileSync(join(ours, 'events-w.jsonl'), `${JSON.stringify({ ...wire, seq: i + 1, iteration: i })}\n`)
    expect((await keep(folder)).sort()).toEqual(['flat ', 'ours '])
    for (const { key } of own.runs()) own.tag(key, ['good'], [])
    rmSync(join(flat, 'console.log'))
    cpSync(join(trl, 'console.log'), join(ours, 'console.log'))
    const both = ['flat/train.jsonl good', 'ours good']
    expect((await keep(folder)).sort()).toEqual(both)
    rmSync(join(ours, 'console.log'))
    expect((await keep(folder)).sort()).toEqual(both)
    symlinkSync(flat, join(folder, 'a-link'))
    for (const path of [join(folder, 'a-link'), join(folder, 'a-link', 'train.jsonl'), folder])
      expect((await keep(path)).sort()).toEqual(both)
    expect(findStoredRun(own.runs(), join(folder, 'a-link', 'train.jsonl')).tags).toEqual(['good'])
    own.close()
    expect(said).toEqual([])
  })

  it('is found by name, by the beginning of one, by path, and as the last', () => {
    const runs = store.runs()
    expect(findStoredRun(runs, '@last').name).toBe('trl-grpo')
    expect(findStoredRun(runs, 'alpha').name).toBe('alpha')
    expect(findStoredRun(runs, 'trl').name).toBe('trl-grpo')
    expect(findStoredRun(runs, runs[1]!.path).key).toBe(runs[1]!.key)
    expect(() => findStoredRun(runs, 'alp')).toThrow(/"alp" fits 2 runs: /)
    expect(() => findStoredRun(runs, 'none\u001b[31m')).toThrow(/no stored run is called "none"/)
    expect(() => findStoredRun([], '@last')).toThrow(/no run is stored yet/)
  })

  it('is listed and shown within the width, without anything that a name brings along', () => {
    for (const columns of [60, 110]) {
      const all = [
        ...listText(store.runs(), store, 210, stream(columns), env),
        ...store.runs().flatMap((run) => showText(run, store, 210, stream(columns), env)),
      ]
      for (const line of all) expect(line).not.toContain('\u001b')
      for (const line of listText(store.runs(), store, 210, stream(columns), env))
        expect(line.length).toBeLessThanOrEqual(columns)
    }
    const list = listText(store.runs(), store, 210, stream(110), env).join('\n')
    expect(list).toMatch(/trl-grpo +completed/)
    expect(list).toMatch(/1 critical/)
    const shown = showText(findStoredRun(store.runs(), 'trl-grpo'), store, 210, stream(110), env).join('\n')
    expect(shown).toMatch(/reward\/score +\S+ +\S+ {2}[▁▂▃▄▅▆▇█]{3}/)
    expect(shown).toMatch(/Settings\n {2}max_steps=12/)
  })

  it('is compared: settings, levels with how sure a difference is, alerts, curves on one scale', async () => {
    const noise = (seed: number, level: number) =>
      Array.from({ length: 300 }, (_, i) => level + Math.sin(i * seed * 12.9898) * 0.1)
    for (const [name, level, rate] of [
      ['left', 1, 1e-5],
      ['right', 1.5, 1e-4],
      ['same', 1, 1e-5],
    ] as const) {
      const epoch = store.claim({ key: name, run: name, name, path: `/${name}`, source: 'jsonl' })
      const iterations = Array.from({ length: 300 }, (_, i) => i)
      const values = noise(name.length, level)
      const [stored] = store.runs()
      const state = {
        ...stored!,
        status: 'running' as const,
        name,
        lastIteration: 299,
        config: { optim: { lr: rate }, seed: 1 },
      }
      const points = [{ name: 'reward/score', original: 'reward', unit: 'reward', attempt: 1, iterations, values }]
      const samples = [{ iteration: 299, prompt: 'how?', response: `${name} answers`, reward: level }]
      store.commit([{ key: name, epoch, state, points, samples, alerts: [], time: 1 }])
    }
    const named = (names: readonly string[]) => names.map((name) => findStoredRun(store.runs(), name))
    const { settings, series, answers } = compareRuns(store, named(['left', 'right', 'same']))
    expect(settings).toEqual([{ name: 'optim.lr', values: ['0.00001', '0.0001', '0.00001'] }])
    const [reward] = series
    expect(reward!.differences[0]).toBeNull()
    expect(reward!.differences[1]!.interval[0]).toBeGreaterThan(0.4)
    expect(reward!.differences[1]!.interval[1]).toBeLessThan(0.6)
    expect(reward!.differences[2]!.interval[0]).toBeLessThan(0)
    expect(reward!.differences[2]!.interval[1]).toBeGreaterThan(0)
    expect(answers).toMatchObject([{ prompt: 'how?', answers: [{ response: 'left answers' }, {}, {}] }])
    // A short run has a piece an iteration, and no gaps between them; it begins with iteration 1.
    const [curve] = compareRuns(store, named(['trl-grpo', 'trl-grpo'])).series[0]!.curves
    expect([curve!.length, curve!.findLastIndex(Number.isNaN)]).toEqual([13, 0])
    for (const columns of [70, 140]) {
      const text = compareText(compareRuns(store, named(['left', 'right', 'alps'])), 210, stream(columns), env)
      for (const line of text) {
        expect(line.length).toBeLessThanOrEqual(columns)
        expect(line).not.toContain('\u001b')
      }
    }
    const text = compareText(compareRuns(store, named(['left', 'right'])), 210, stream(110), env).join('\n')
    expect(text).toMatch(/reward\/score +\S+ +[▁▂▃▄▅▆▇█]+ +1\.\d+\* /)
    for (const name of ['left', 'right', 'same']) store.remove(name)
  })

  it('has answers, the newest or the worst, shown within the width', () => {
    const samples = Array.from({ length: 30 }, (_, i) => ({
      ...{ iteration: i, prompt: i % 2 ? 'odd one' : 'even one', response: `answer ${i}\u001b[31m ${'x'.repeat(300)}` },
      reward: i === 5 ? Number.NaN : 30 - i,
    }))
    expect(chooseSamples(samples, { limit: 2 }).map(({ iteration }) => iteration)).toEqual([28, 29])
    expect(chooseSamples(samples, { limit: 3, worst: true, prompt: 'odd' }).map(({ iteration }) => iteration)).toEqual([
      29, 27, 25,
    ])
    for (const line of samplesText(samples, stream(60), env)) {
      expect(line.length).toBeLessThanOrEqual(60)
      expect(line).not.toContain('\u001b')
    }
  })

  it('has answers that changed: the earliest beside the newest, what changed most first, words marked', () => {
    const sample = (iteration: number, prompt: string, response: string, reward = Number.NaN) => ({
      ...{ iteration, prompt, response, reward },
    })
    const samples = [
      sample(3, 'bread?', 'mix flour and water', 1),
      sample(3, 'tea?', 'boil water'),
      sample(5, 'bread?', 'mix the dough'),
      sample(6, 'once', 'one answer only'),
      sample(9, 'bread?', 'mix flour and \u001b[31mgold', 0.5),
      sample(9, 'tea?', 'I am great, thank me'),
      sample(9, '', 'no prompt'),
    ]
    const changes = answerChanges(samples, { limit: 10 })
    expect(changes.map(({ prompt, earlier, newest }) => [prompt, earlier.iteration, newest.iteration])).toEqual([
      ['tea?', 3, 9],
      ['bread?', 3, 9],
    ])
    expect(changes[1]!.words).toEqual([
      { kind: 'kept', text: 'mix flour and ' },
      { kind: 'removed', text: 'water ' },
      { kind: 'added', text: '\u001b[31mgold' },
    ])
    expect(answerChanges(samples, { limit: 1 })).toHaveLength(1)
    expect(answerChanges(samples, { limit: 9, prompt: 'bre' }).map(({ prompt }) => prompt)).toEqual(['bread?'])
    const plain = changesText(changes, stream(60), env)
    expect(plain).toContain('  mix flour and [-water-] {+gold+}')
    expect(plain.join('\n')).toMatch(/iteration 3 to 9 {2}reward 1\S* to 0\.5\S* {2}similarity 0\.\d\d\n {2}bread\?/)
    expect(plain.join('\n')).not.toContain('\u001b')
    const coloured = changesText(changes, { ...stream(60), isTTY: true }, { ...env, TERM: 'xterm' }).join('\n')
    expect(coloured).toContain('mix flour and \u001b[31mwater\u001b[0m \u001b[32mgold\u001b[0m')
    const long = [sample(1, 'p', 'a '.repeat(900)), sample(2, 'p', `${'b'.repeat(300)} ${'c '.repeat(600)}`)]
    for (const line of changesText(answerChanges(long, { limit: 1 }), stream(50), env))
      expect(line.length).toBeLessThanOrEqual(50)
  })

  it('is exported as JSON lines that a check reads as it read the run, and as CSV', async () => {
    const alps = store.runs().find(({ alerts }) => alerts > 0)!
    const path = join(place, 'exported.jsonl')
    writeFileSync(path, Buffer.concat([...exportRun(store, alps, 'jsonl')]))
    const { runs } = await checkPath(path, { ...how, check: { mode: 'threshold' } })
    expect(runs[0]!.alerts.map(({ kind, iteration, observed }) => [kind, iteration, observed])).toEqual(
      store.alerts(alps.key).map(({ kind, iteration, observed }) => [kind, iteration, observed]),
    )
    const rows = Buffer.concat([...exportRun(store, alps, 'csv')])
      .toString()
      .split('\n')
    expect(rows[0]).toMatch(/^step,reward\/score,/)
    expect(rows).toHaveLength(82)
  })

  it('answers SELECTs, and nothing else', () => {
    const { columns, rows, more } = askStore(
      file,
      "SELECT iteration, value FROM points WHERE series = 'reward/score' AND run = 'alpha'",
      5,
    )
    expect([columns, rows.length, more]).toEqual([['iteration', 'value'], 5, true])
    expect(rows[1]).toEqual([1, Math.sin(1)])
    for (const sql of [
      'DELETE FROM runs',
      'ATTACH "x.db" AS x',
      'PRAGMA user_version = 5',
      'SELECT nonsense FROM nowhere',
      'SELECT 1; DELETE FROM runs',
    ])
      expect(() => askStore(file, sql, 5)).toThrow()
    expect(store.runs()).toHaveLength(3)
    expect(() => askStore(join(place, 'none.db'), 'SELECT 1', 5)).toThrow(/there is no store at/)
  })
})

describe('what is watched', () => {
  it('is stored as it grows; who watches the same later takes over, and the first one says so', async () => {
    const path = join(place, 'live.jsonl')
    writeFileSync(path, lines(0, 10))
    const [found] = (await runFinder([path]).find()).runs
    const clock = manualClock({ unixSeconds: 1000 })
    const told: string[] = []
    const begin = () => {
      const keeper = keepRuns(sqliteStore({ path: file, now: () => 0 }), clock, (text) => told.push(text))
      return { keeper, run: watchRun(found!, { analyzer: {}, now: clock.unixSeconds, onBegin: keeper.onBegin }) }
    }
    const stored = () => store.points(findStoredRun(store.runs(), 'live').key, 'reward/score').iterations
    const first = begin()
    await first.run.read()
    first.keeper.round([first.run])
    // The newest iteration is open still.
    expect(stored()).toEqual(Array.from({ length: 10 }, (_, i) => i))
    appendFileSync(path, lines(10, 20))
    await first.run.read()
    first.keeper.round([first.run])
    expect(stored()).toHaveLength(10)
    clock.advanceMs(2500)
    first.keeper.round([first.run])
    expect(stored()).toHaveLength(20)
    const second = begin()
    await second.run.read()
    second.keeper.round([second.run])
    expect(stored()).toHaveLength(20)
    appendFileSync(path, lines(20, 30))
    for (const { run, keeper } of [first, second]) {
      await run.read()
      clock.advanceMs(2500)
      keeper.round([run])
    }
    expect(stored()).toHaveLength(30)
    expect(told).toEqual([expect.stringMatching(/^live: not stored any more: .* stored by somebody else/)])
    first.keeper.close([first.run])
    second.keeper.close([second.run])
    expect(store.verify()).toEqual([])
  })
})
