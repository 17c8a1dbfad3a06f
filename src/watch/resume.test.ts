import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { QualityAnalyzer } from '../decision/quality-analyzer.ts'
import { TrainingMonitor } from '../monitor.ts'
import { type FoundRun, runFinder } from '../sources/find-runs.ts'
import { sqliteStore } from '../stores/sqlite.ts'
import type { RunStore } from '../stores/store.ts'
import { manualClock } from '../time.ts'
import { keepRuns } from './keep-runs.ts'
import { type WatchedRun, type WatchedRunOptions, watchRun } from './watched-run.ts'

const dir = mkdtempSync(join(tmpdir(), 'telltale-resume-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))
let count = 0

/** What a file of a run holds, in the pieces in which it grows. */
type Growth = readonly { readonly file: string; readonly bytes: Uint8Array }[]

/** A run of a loop of its own whose KL runs away, that falls back once, with values that are no numbers. */
function flatLines(): string {
  const line = (step: number, more: object = {}) =>
    JSON.stringify({
      step,
      reward: Math.sin(7 * step) + 0.002 * step,
      kl_div: step < 160 ? 0.02 + 0.004 * Math.sin(step * step) : 0.02 * 1.06 ** (step - 160),
      entropy: 2 + 0.1 * Math.cos(3 * step),
      loss: step % 50 === 7 ? 'NaN' : 0.3 + 0.05 * Math.sin(11 * step),
      ...more,
    })
  const steps = [...Array(140).keys(), ...Array.from({ length: 130 }, (_, i) => 120 + i)]
  return `${steps.map((step) => line(step)).join('\n')}\n`
}

/** A log of our own with answers, checkpoints and an announcement. */
async function ownLog(): Promise<string> {
  const folder = join(dir, `own-${count++}`)
  const clock = manualClock({ unixSeconds: 1_700_000_000 })
  const monitor = new TrainingMonitor({
    outputDir: folder,
    runId: 'own',
    clock,
    handleSignals: false,
    earlyStop: 'off',
  })
  const analyzer = new QualityAnalyzer({ monitor })
  monitor.registerCallback(analyzer)
  const words = ['tea', 'with', 'milk', 'and', 'a', 'slice', 'of', 'lemon', 'please', 'now']
  for (let iteration = 0; iteration < 220; iteration++) {
    clock.advanceMs(1000)
    if (iteration === 60) monitor.announce('prompt-mix')
    const rotten = Math.max(0, (iteration - 120) / 100)
    const responses = Array.from({ length: 8 }, (_, i) =>
      Array.from({ length: 12 }, (_, j) => words[j / 12 < rotten ? 0 : (3 * i + 7 * j + iteration) % 10]).join(' '),
    )
    monitor.onEvent({
      phase: 'response_generated',
      iteration,
      metadata: { prompts: Array.from({ length: 8 }, (_, i) => `question ${(i + iteration) % 12}`), responses },
    })
    monitor.onEvent({
      phase: 'iteration_end',
      iteration,
      metrics: { reward: 0.01 * iteration + 0.1 * Math.sin(5 * iteration), kl_div: 0.02, entropy: 2 - rotten },
    })
    if (iteration % 50 === 49) monitor.onEvent({ phase: 'checkpoint_saved', iteration })
  }
  await monitor.close()
  return readFileSync(join(folder, readdirSync(folder).find((name) => name.startsWith('events-'))!), 'utf8')
}

const cut = (file: string, text: string, shares: readonly number[]): Growth => {
  const bytes = Buffer.from(text)
  const ends = [...shares.map((share) => Math.floor(share * bytes.length)), bytes.length]
  return ends.map((end, i) => ({ file, bytes: bytes.subarray(i === 0 ? 0 : ends[i - 1]!, end) }))
}

interface Watching {
  readonly bytesRead: number
  readonly store: ReturnType<typeof contents>
  readonly alerts: readonly unknown[]
  readonly shown: unknown
}

/** Follows a growing run; with `restart` each piece is read by another process, as far as one can be told from another here. */
async function follow(
  growth: Growth,
  restart: 'never' | 'between' | 'crash',
  options: Partial<WatchedRunOptions> = {},
) {
  const root = join(dir, `root-${count++}`)
  const path = join(dir, `store-${count}.db`)
  const clock = manualClock({ unixSeconds: 1_700_000_000 })
  const begin = async () => {
    const store = sqliteStore({ path, now: () => 0 })
    const keeper = keepRuns(store, clock, (text) => {
      throw new Error(text)
    })
    const [found] = (await runFinder([root]).find()).runs
    const { onBegin, resume } = keeper
    const run = watchRun(found!, {
      ...{ analyzer: { klThreshold: 0.2 }, now: clock.unixSeconds, onBegin, resume },
      ...options,
    })
    return { keeper, run }
  }
  let one: Awaited<ReturnType<typeof begin>> | null = null
  for (const { file, bytes } of growth) {
    const target = join(root, file)
    mkdirSync(dirname(target), { recursive: true })
    appendFileSync(target, bytes)
    one ??= await begin()
    while ((await one.run.read()).more);
    clock.advanceMs(restart === 'crash' ? 2500 : 40_000)
    one.keeper.round([one.run])
    if (restart === 'never') continue
    if (restart === 'between') one.keeper.close([one.run])
    one.run.close()
    one = null
  }
  if (restart !== 'never') {
    one = await begin()
    while ((await one.run.read()).more);
  }
  const { run, keeper } = one!
  const watching: Watching = {
    bytesRead: run.bytesRead,
    alerts: run.runs.flatMap(({ alerts }) => alerts),
    shown: shown(run),
    store: contentsAfter(() => keeper.close([run]), path),
  }
  run.close()
  return watching
}

/** What a display and a report read of memory. */
function shown(run: WatchedRun): unknown {
  return run.runs.map(({ monitor, status, iterations, step, name }) => {
    const store = monitor.getMetricsStore()
    const { counters, elapsedMs, ...summary } = monitor.summary()
    const series = store.names().map((one) => {
      const buffer = store.get(one)!
      return [
        one,
        [...buffer.values()],
        [...buffer.iterations()],
        store.history(one)!.buckets(),
        store.history(one)!.superseded(),
      ]
    })
    return { status, iterations, step, name, summary, counters, elapsedMs, series, trend: store.computeTrend('reward') }
  })
}

function contentsAfter(close: () => void, path: string) {
  close()
  const store = sqliteStore({ path, now: () => 0 })
  const all = contents(store)
  store.close()
  return all
}

function contents(store: RunStore) {
  expect(store.verify()).toEqual([])
  return store.runs().map(({ key, path, seenUnixSeconds, ...run }) => ({
    ...run,
    series: store.series(key).map(({ name, count }) => [name, count, store.points(key, name)]),
    alerts: store.alerts(key),
    samples: store.samples(key),
  }))
}

const places = (watching: Watching): unknown =>
  JSON.parse(JSON.stringify(watching.store).replaceAll(/root-\d+/g, 'root'))

describe.each([
  ['flat lines', async () => ['run/log.jsonl', flatLines()] as const],
  ['our own log', async () => ['run/events-w.jsonl', await ownLog()] as const],
])('%s that were followed by several processes', (_, make) => {
  it.each([[[0.1, 0.5, 0.9]], [[0.62]], [[0.333, 0.3335, 0.71, 0.95, 0.999]]])(
    'come to the same as followed by one, cut at %j',
    async (shares) => {
      const [file, text] = await make()
      const growth = cut(file, text, shares)
      const whole = await follow(growth, 'never')
      const parted = await follow(growth, 'between')
      expect(whole.alerts.length).toBeGreaterThan(0)
      expect(parted.alerts).toEqual(whole.alerts)
      expect(parted.shown).toEqual(whole.shown)
      expect(places(parted)).toEqual(places(whole))
      // Nothing is read twice but the few bytes by which a file is known again.
      expect(parted.bytesRead).toBeLessThan(whole.bytesRead / 3)
    },
  )

  it('come to the same after a process that ended without a word', async () => {
    const [file, text] = await make()
    const growth = cut(file, text, [0.2, 0.25, 0.5, 0.8])
    const whole = await follow(growth, 'never')
    const parted = await follow(growth, 'crash')
    expect(parted.alerts).toEqual(whole.alerts)
    // Lines without a time have that of when they were read.
    const timeless = (one: Watching) =>
      JSON.stringify(places(one)).replaceAll(/"(started|newest)UnixSeconds":[\d.]+/g, '')
    expect(timeless(parted)).toEqual(timeless(whole))
  })
})

it('is read from the beginning with other options, with more files, and where its state is damaged', async () => {
  const growth = cut('run/log.jsonl', flatLines(), [0.9])
  const size = growth.reduce((sum, { bytes }) => sum + bytes.length, 0)
  const path = join(dir, 'options.db')
  const root = join(dir, 'options')
  mkdirSync(root)
  writeFileSync(join(root, 'log.jsonl'), growth[0]!.bytes)
  const clock = manualClock({ unixSeconds: 0 })
  const look = async (options: Partial<WatchedRunOptions>, damage = false): Promise<number> => {
    const store = sqliteStore({ path, now: () => 0 })
    const keeper = keepRuns(store, clock, () => {})
    const resume = (found: FoundRun): Uint8Array | null => {
      const state = keeper.resume(found)
      return damage && state ? state.subarray(0, state.length / 2) : state
    }
    const [found] = (await runFinder([root]).find()).runs
    const run = watchRun(found!, { analyzer: {}, now: () => 0, onBegin: keeper.onBegin, resume, ...options })
    while ((await run.read()).more);
    keeper.close([run])
    run.close()
    return run.bytesRead
  }
  expect(await look({})).toBeGreaterThan(size / 2)
  expect(await look({})).toBeLessThan(10_000)
  expect(await look({ analyzer: { klThreshold: 0.5 } })).toBeGreaterThan(size / 2)
  expect(await look({ analyzer: { klThreshold: 0.5 } }, true)).toBeGreaterThan(size / 2)
  appendFileSync(join(root, 'log.jsonl'), growth[1]!.bytes)
  expect(await look({ analyzer: { klThreshold: 0.5 } })).toBeLessThan(size / 2)
})

it('what flush has acknowledged stays in the store while another process reads on', async () => {
  const root = join(dir, `root-${count++}`)
  const path = join(dir, `store-${count}.db`)
  const file = join(root, 'log.jsonl')
  mkdirSync(root)
  const lines = flatLines().split('\n').slice(0, 100)
  const clock = manualClock({ unixSeconds: 1_700_000_000 })
  const begin = async () => {
    const keeper = keepRuns(sqliteStore({ path, now: () => 0 }), clock, () => {})
    const [found] = (await runFinder([root]).find()).runs
    const { onBegin, resume } = keeper
    return {
      keeper,
      run: watchRun(found!, { analyzer: {}, now: clock.unixSeconds, onBegin, resume }),
    }
  }
  const stored = () => {
    const store = sqliteStore({ path, now: () => 0 })
    const { iterations } = store.points(store.runs()[0]!.key, 'reward/score')
    store.close()
    return iterations
  }
  writeFileSync(file, `${lines.slice(0, 60).join('\n')}\n`)
  const first = await begin()
  await first.run.read()
  // Long enough for a point to go on from, which is older than what comes then.
  clock.advanceMs(31_000)
  first.keeper.round([first.run])
  appendFileSync(file, `${lines.slice(60).join('\n')}\n`)
  await first.run.read()
  expect(first.keeper.flush([first.run])).toBe(true)
  const acknowledged = stored()
  expect(acknowledged.at(-1)).toBeGreaterThanOrEqual(98)
  // The first process ends without a word; the next one has begun, and has stored nothing yet.
  const next = await begin()
  await next.run.read()
  expect(stored()).toEqual(acknowledged)
  next.keeper.close([next.run])
  expect(stored()).toEqual(acknowledged)
})
