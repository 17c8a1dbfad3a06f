// Records real runs of the demo's world for the detection benchmark: what a detector would have seen of each iteration, and, in a
// file of its own that only the scorer reads, the judge's own reward.
//   npm run bench -- record [--resume] [--seeds 1-4] [--healthy-seeds 1-24] [--scenarios a,b] [--iterations 200] [--dir DIR]
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync } from 'node:zlib'
import { SCENARIOS } from '../dist/demo/scenarios.js'
import { trainScenario } from '../dist/demo/train-scenario.js'
import { SampleComparator, TrainingMonitor } from '../dist/index.js'
import { startBackend } from '../dist/trainer/index.js'
import { startingPoint } from './starting-point.mjs'

/** Where recorded runs are. */
export const RUNS = fileURLToPath(new URL('detection/runs/', import.meta.url))
const BATCH_SIZE = 32

/** Records what is asked for and not there yet. */
export async function record(args) {
  const asked = options(args)
  mkdirSync(asked.dir, { recursive: true })
  const jobs = asked.seeds.flatMap((seed) => asked.scenarios.map((scenario) => ({ seed, scenario })))
  for (const seed of asked.healthySeeds) {
    if (!jobs.some((job) => job.seed === seed && job.scenario === 'healthy')) jobs.push({ seed, scenario: 'healthy' })
  }
  const wanted = jobs.filter(({ seed, scenario }) => !(asked.resume && existsSync(fileOf(asked.dir, scenario, seed))))
  await startBackend()
  let start = null
  for (const [i, { seed, scenario }] of wanted.entries()) {
    if (start?.seed !== seed) start = { seed, ...(await startingPoint(seed)) }
    const began = Date.now()
    const run = await recordRun(start, scenario, asked.iterations)
    write(asked.dir, scenario, seed, run)
    console.log(
      `${i + 1} of ${wanted.length}: ${scenario}, seed ${seed}: ${run.seen.iterations.length} iterations, ${run.seen.status}, ${Math.round((Date.now() - began) / 1000)} s`,
    )
  }
  return { recorded: wanted.length, alreadyThere: jobs.length - wanted.length }
}

/** One run, as its detectors saw it (`seen`) and as the judge did (`gold`). */
export async function recordRun(start, scenario, iterations) {
  const monitor = new TrainingMonitor({ earlyStop: 'off', handleSignals: false })
  monitor.registerCallback(new SampleComparator({ sampleSize: 10, comparisonFrequency: 10 }))
  const observed = []
  monitor.registerCallback({
    name: 'recorder',
    onEvent(_event, { closed, store }) {
      if (!closed) return
      const values = {}
      for (const name of store.names()) {
        const value = closed.get(name)
        if (value !== undefined && !/^(time|throughput)\//.test(name)) values[name] = value
      }
      observed.push({ iteration: closed.iteration, values })
    },
  })
  let status = 'completed'
  try {
    await monitor.run(() =>
      trainScenario(start, { scenario, seed: start.seed, iterations, batchSize: BATCH_SIZE, monitor }),
    )
  } catch (error) {
    status = String(error.message).slice(0, 200)
  }
  const names = [...new Set(observed.flatMap(({ values }) => Object.keys(values)))].sort()
  const columns = (which) =>
    Object.fromEntries(
      names
        .filter(which)
        .map((name) => [name, observed.map(({ values }) => (name in values ? written(values[name]) : null))]),
    )
  const header = {
    scenario,
    seed: start.seed,
    batchSize: BATCH_SIZE,
    status,
    iterations: observed.map(({ iteration }) => iteration),
  }
  const isGold = (name) => name.startsWith('gold/')
  return {
    seen: { ...header, config: monitor.config, columns: columns((name) => !isGold(name)) },
    gold: { ...header, columns: columns(isGold) },
  }
}

/** The path of a recorded run. */
export function fileOf(dir, scenario, seed, part = 'run') {
  return join(dir, `${scenario}-${seed}.${part}.json.br`)
}

function write(dir, scenario, seed, { seen, gold }) {
  // The run last: where it is, the gold is too.
  for (const [part, data] of [
    ['gold', gold],
    ['run', seen],
  ]) {
    const path = fileOf(dir, scenario, seed, part)
    writeFileSync(`${path}.part`, brotliCompressSync(JSON.stringify(data)))
    renameSync(`${path}.part`, path)
  }
}

/** Seven digits: more than any detector needs, half the size. Non-finite values as the wire format writes them. */
function written(value) {
  return Number.isFinite(value) ? Number(value.toPrecision(7)) : String(value)
}

const FLAGS = ['--dir', '--scenarios', '--seeds', '--healthy-seeds', '--iterations', '--resume']
const USAGE = `usage: npm run bench -- record [--resume] [--seeds 1-4] [--healthy-seeds 1-24] [--scenarios a,b] [--iterations 200] [--dir DIR]
Records real runs of the demo's world, one to three minutes each; --resume leaves out those that are there.`

function options(args) {
  // A typing error must not cost hours of training.
  const stray = args.find((arg, i) => {
    const before = args[i - 1]
    const isValue = FLAGS.includes(before) && before !== '--resume'
    return arg.startsWith('--') ? !FLAGS.includes(arg) : !isValue
  })
  if (args.includes('--help') || stray !== undefined) {
    console.log(stray === undefined || stray === '--help' ? USAGE : `unknown option ${stray}\n${USAGE}`)
    process.exit(stray === undefined || stray === '--help' ? 0 : 2)
  }
  const value = (name, fallback) => {
    const at = args.indexOf(name)
    return at < 0 ? fallback : args[at + 1]
  }
  const range = (text) => {
    const match = /^(\d+)(?:-(\d+))?$/.exec(text ?? '')
    if (!match) throw new Error(`expected a range of seeds such as 1-24, got ${text}`)
    const [from, to] = [Number(match[1]), Number(match[2] ?? match[1])]
    return Array.from({ length: to - from + 1 }, (_, i) => from + i)
  }
  const iterations = Number(value('--iterations', '200'))
  if (!(Number.isSafeInteger(iterations) && iterations > 0))
    throw new Error('--iterations: expected a positive integer')
  const scenarios = value('--scenarios', SCENARIOS.join(',')).split(',')
  const unknown = scenarios.find((name) => !SCENARIOS.includes(name))
  if (unknown) throw new Error(`no scenario ${unknown}; there are ${SCENARIOS.join(', ')}`)
  return {
    dir: value('--dir', RUNS),
    resume: args.includes('--resume'),
    scenarios,
    seeds: range(value('--seeds', '1-4')),
    healthySeeds: range(value('--healthy-seeds', '1-24')),
    iterations,
  }
}
