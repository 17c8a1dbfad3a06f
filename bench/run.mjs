// Measures what it costs to be watched. Builds on dist/: run `npm run build` first.
//   npm run bench -- [NAME...] [--json]

import { spawnSync } from 'node:child_process'
import { mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PPOMetricsTracker, QualityAnalyzer, SampleComparator, TrainingMonitor } from '../dist/index.js'

/** Quantiles of durations in microseconds. */
function quantiles(microseconds) {
  const sorted = [...microseconds].sort((a, b) => a - b)
  const at = (q) => Number(sorted[Math.floor(q * (sorted.length - 1))].toFixed(2))
  return { p50: at(0.5), p99: at(0.99), max: at(1) }
}

function timed(count, run) {
  const took = new Float64Array(count)
  for (let i = 0; i < count; i++) {
    const started = process.hrtime.bigint()
    run(i)
    took[i] = Number(process.hrtime.bigint() - started) / 1000
  }
  return quantiles(took)
}

const BENCHES = {
  /** `onEvent` with 20 metrics, log on, every callback of the library but the display; a bare write of the same bytes beside it. */
  events() {
    const dir = mkdtempSync(join(tmpdir(), 'telltale-bench-'))
    const monitor = new TrainingMonitor({ outputDir: dir, handleSignals: false, earlyStop: 'off' })
    for (const callback of [
      new SampleComparator(),
      new QualityAnalyzer({ monitor, klThreshold: 1e9 }),
      new PPOMetricsTracker({ verbosity: 'verbose' }),
    ]) {
      monitor.registerCallback(callback)
    }
    const names = [
      'reward',
      'kl_div',
      'loss',
      'value_loss',
      'clip_fraction',
      'gradient_norm',
      'explained_variance',
      'quality/ref_perplexity',
    ]
    while (names.length < 20) names.push(`metric/${names.length}`)
    const metrics = (i) => Object.fromEntries(names.map((name, k) => [name, Math.sin(i * (k + 1)) + 2]))
    const count = 20_000
    const inputs = Array.from({ length: count }, (_, i) => metrics(i))
    const policyUpdate = timed(count, (i) =>
      monitor.onEvent({ phase: 'policy_update', iteration: 0, metrics: inputs[i] }),
    )
    const iterationEnd = timed(count, (i) =>
      monitor.onEvent({ phase: 'iteration_end', iteration: i + 1, metrics: inputs[i] }),
    )
    const line = `${JSON.stringify({ v: 1, type: 'event', phase: 'policy_update', iteration: 0, metrics: inputs[0] })}\n`
    const file = openSync(join(dir, 'bare'), 'a')
    const bareWrite = timed(count, () => writeSync(file, line))
    rmSync(dir, { recursive: true })
    return { unit: 'microseconds an event', events: count, policyUpdate, iterationEnd, bareWrite }
  },

  /** Time to `import 'telltale'` over bare Node, median of 11 processes each, interleaved. */
  start() {
    const entry = fileURLToPath(new URL('../dist/index.js', import.meta.url))
    const run = (code) => {
      const started = process.hrtime.bigint()
      spawnSync(process.execPath, ['--input-type=module', '-e', code])
      return Number(process.hrtime.bigint() - started) / 1000
    }
    const [bare, telltale] = [[], []]
    for (let i = 0; i < 11; i++) {
      bare.push(run(''))
      telltale.push(run(`import ${JSON.stringify(entry)}`))
    }
    const [bareUs, telltaleUs] = [quantiles(bare).p50, quantiles(telltale).p50]
    return {
      unit: 'milliseconds',
      bareNode: bareUs / 1000,
      withTelltale: telltaleUs / 1000,
      difference: (telltaleUs - bareUs) / 1000,
    }
  },
}

const args = process.argv.slice(2)
const json = args.includes('--json')
const names = args.filter((arg) => !arg.startsWith('--'))
const unknown = names.filter((name) => !Object.hasOwn(BENCHES, name))
if (unknown.length > 0 || args.some((arg) => arg.startsWith('--') && arg !== '--json')) {
  console.error(`usage: npm run bench -- [${Object.keys(BENCHES).join('|')}] [--json]`)
  process.exit(2)
}
const results = {
  machine: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}`,
  node: process.version,
  date: new Date().toISOString(),
}
for (const name of names.length > 0 ? names : Object.keys(BENCHES)) {
  if (!json) process.stdout.write(`${name} ...\n`)
  results[name] = BENCHES[name]()
  if (!json) console.log(results[name])
}
if (json) console.log(JSON.stringify(results, null, 2))
