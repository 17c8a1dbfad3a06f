// What the store takes: how fast runs are indexed, what a value costs on the disk, how soon any range of a long run is there.
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { RunIndexer, TrainingMonitor } from '../dist/index.js'
import { importRuns } from '../dist/lookback/import-runs.js'
import { runFinder } from '../dist/sources/find-runs.js'
import { sqliteStore } from '../dist/stores/sqlite.js'
import { systemClock } from '../dist/time.js'
import { keepRuns } from '../dist/watch/keep-runs.js'
import { watchRun } from '../dist/watch/watched-run.js'
import { quantiles } from './measure.mjs'

const SERIES = 10
/** Iterations of the run of ten million values, and of one commit. */
const ITERATIONS = 1_000_000
const PER_COMMIT = 2000
const ZOOMS = 100
const LOG_LINES = 30_000
/** Events of the log that RunIndexer catches up with. */
const EVENTS_TO_INDEX = 100_000

export async function store() {
  const folder = mkdtempSync(join(tmpdir(), 'telltale-bench-'))
  try {
    const long = longRun(join(folder, 'long.db'))
    const log = await indexLog(folder)
    const events = await indexEvents(folder)
    const onEvent = await eventsWithStore(folder)
    const restart = await restarts(folder)
    return {
      question:
        'How fast are runs stored, what does a value take on the disk, and how soon is any range of ten million values there?',
      goal: '500,000 values a second, stored and indexed from a log; 24 bytes a value; 1,000 buckets of any range in 20 ms at the median; onEvent at most 1.2 times as long',
      reached:
        long.perSecond >= 500_000 && events >= 500_000 && long.bytes <= 24 && long.zoom.p50 < 20 && onEvent <= 1.2,
      limits:
        'one thread reads the log, checks each line, runs the detectors and stores: the store is a seventh of that, the detectors a quarter, the rest is spread over reading, the monitor and the assembling',
      'values stored per second': Math.round(long.perSecond),
      'bytes per value of full precision': Number(long.bytes.toFixed(1)),
      'any range in 1,000 buckets, ms': long.zoom,
      'values per second from the events of a log, in the thread of RunIndexer, detectors included': Math.round(events),
      'values per second from flat lines, detectors included': Math.round(log),
      'onEvent of 10 metrics with RunIndexer, as a multiple of without, median of pairs': onEvent,
      'a watch that is started again, as a multiple of the reading of the whole log': restart,
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function longRun(path) {
  const opened = sqliteStore({ path, now: () => 0 })
  const epoch = opened.claim({ key: 'k', run: 'r', name: 'r', path: '/r', source: 'jsonl' })
  const state = {
    ...{
      name: 'r',
      project: '',
      trainer: 'own-loop',
      status: 'running',
      preset: null,
      iterations: 0,
      lastIteration: null,
    },
    ...{
      totalIterations: null,
      startedUnixSeconds: null,
      newestUnixSeconds: null,
      config: {},
      checkpoints: [],
      attempts: [],
      coverage: [],
      process: null,
      missingLines: 0,
    },
  }
  let spentMs = 0
  for (let from = 0; from < ITERATIONS; from += PER_COMMIT) {
    const iterations = Array.from({ length: PER_COMMIT }, (_, i) => from + i)
    const points = Array.from({ length: SERIES }, (_, series) => ({
      ...{ name: `s/${series}`, original: `s/${series}`, unit: '', attempt: 1, iterations },
      values: iterations.map((i) => Math.sin(i * (series + 1))),
    }))
    const started = performance.now()
    opened.commit([{ key: 'k', epoch, state, points, samples: [], alerts: [], time: from }])
    spentMs += performance.now() - started
  }
  opened.close()
  const bytes = statSync(path).size / (ITERATIONS * SERIES)
  const again = sqliteStore({ path, now: () => 0 })
  const took = []
  // Ranges of every length, anywhere, from a fixed sequence.
  for (let i = 0; i < ZOOMS; i++) {
    const length = Math.floor(ITERATIONS * (((i * 7919) % 100) + 1) * 0.01)
    const from = Math.floor((ITERATIONS - length) * (((i * 104_729) % 97) / 97))
    const started = performance.now()
    const buckets = again.zoom('k', `s/${i % SERIES}`, { from, to: from + length, buckets: 1000 })
    took.push(performance.now() - started)
    if (buckets.length === 0 || buckets.length > 1000) throw new Error(`${buckets.length} buckets`)
  }
  again.close()
  return { perSecond: (1000 * ITERATIONS * SERIES) / spentMs, bytes, zoom: quantiles(took) }
}

/** The same events into two monitors, with and without the store, in turns. */
async function eventsWithStore(folder) {
  const BLOCKS = 41
  const EVENTS = 500
  const monitors = [false, true].map((kept) => {
    const outputDir = join(folder, `events-${kept}`)
    const monitor = new TrainingMonitor({ outputDir, handleSignals: false, earlyStop: 'off' })
    if (kept) monitor.registerCallback(new RunIndexer({ path: join(folder, 'events.db') }))
    return { monitor, iteration: 0 }
  })
  const block = (one) => {
    const took = []
    for (let i = 0; i < EVENTS; i++) {
      const iteration = one.iteration++
      const metrics = Object.fromEntries(NAMES.map((name, k) => [name, 0.5 + 0.1 * Math.sin(iteration * (k + 1))]))
      const started = process.hrtime.bigint()
      one.monitor.onEvent({ phase: 'iteration_end', iteration, metrics })
      took.push(Number(process.hrtime.bigint() - started))
    }
    return quantiles(took).p50
  }
  const ratios = []
  for (let i = 0; i < BLOCKS; i++) {
    const order = i % 2 === 0 ? [0, 1] : [1, 0]
    const [a, b] = order.map((which) => [which, block(monitors[which])]).sort(([x], [y]) => x - y)
    ratios.push(b[1] / a[1])
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  for (const { monitor } of monitors) await monitor.close()
  return Number(quantiles(ratios).p50.toFixed(2))
}

/** How long a watch takes to be where it was, against the first time. */
async function restarts(folder) {
  const path = join(folder, 'log.jsonl')
  const follow = async () => {
    const keeper = keepRuns(sqliteStore({ path: join(folder, 'restart.db'), now: () => 0 }), systemClock, () => {})
    const started = performance.now()
    const [found] = (await runFinder([path]).find()).runs
    const { onBegin, resume } = keeper
    const run = watchRun(found, { analyzer: {}, now: () => 0, onBegin, resume })
    while ((await run.read()).more);
    const tookMs = performance.now() - started
    const { iterations } = run.runs[0]
    keeper.close([run])
    run.close()
    if (iterations < LOG_LINES - 1) throw new Error(`${iterations} iterations`)
    return tookMs
  }
  const first = await follow()
  const again = [await follow(), await follow(), await follow()].sort((a, b) => a - b)[1]
  return Number((again / first).toFixed(3))
}

const NAMES = [
  'reward',
  'kl_div',
  'loss',
  'policy_loss',
  'value_loss',
  'entropy',
  'clip_fraction',
  'gradient_norm',
  'a',
  'b',
]

/** How soon RunIndexer has a log of our own in the store that an earlier process has left: from the start of its thread to the acknowledgement. */
async function indexEvents(folder) {
  const outputDir = join(folder, 'indexed')
  const monitorOf = () => new TrainingMonitor({ outputDir, runId: 'indexed', handleSignals: false, earlyStop: 'off' })
  const first = monitorOf()
  for (let iteration = 0; iteration < EVENTS_TO_INDEX; iteration++)
    first.onEvent({
      phase: 'iteration_end',
      iteration,
      metrics: Object.fromEntries(NAMES.map((name, i) => [name, 0.5 + 0.1 * Math.sin(iteration * (i + 1))])),
    })
  await first.close()
  const path = join(folder, 'indexed.db')
  const monitor = monitorOf()
  const indexer = new RunIndexer({ path })
  const started = performance.now()
  monitor.registerCallback(indexer)
  await indexer.flush()
  const rate = (1000 * EVENTS_TO_INDEX * NAMES.length) / (performance.now() - started)
  await monitor.close()
  const opened = sqliteStore({ path, now: () => 0 })
  const [run] = opened.runs()
  opened.close()
  if (run.iterations !== EVENTS_TO_INDEX) throw new Error(`stored ${run.iterations} of ${EVENTS_TO_INDEX} iterations`)
  return rate
}

/** A trainer's log of ten metrics a line, read, judged and stored. */
async function indexLog(folder) {
  const path = join(folder, 'log.jsonl')
  const names = NAMES
  const lines = Array.from({ length: LOG_LINES }, (_, step) =>
    JSON.stringify({
      step,
      ...Object.fromEntries(names.map((name, i) => [name, 0.5 + 0.1 * Math.sin(step * (i + 1))])),
    }),
  )
  writeFileSync(path, `${lines.join('\n')}\n`)
  const opened = sqliteStore({ path: join(folder, 'log.db'), now: () => 0 })
  const started = performance.now()
  await importRuns(path, { store: opened, now: () => 0, say: () => {}, stdin: Readable.from([]), check: {} })
  const rate = (1000 * LOG_LINES * names.length) / (performance.now() - started)
  const [run] = opened.runs()
  if (run.iterations !== LOG_LINES) throw new Error(`stored ${run.iterations} of ${LOG_LINES} iterations`)
  opened.close()
  return rate
}
