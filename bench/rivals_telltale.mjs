// Telltale's side of bench/rivals.mjs; the commands are those of rivals_peers.py.
import { readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { quantiles, timed } from './measure.mjs'

// Loading the library is part of the start, as it is with the others.
const loading = performance.now()
const { QualityAnalyzer, TELLTALE_VERSION, TrainingMonitor } = await import('../dist/index.js')
const loadSeconds = (performance.now() - loading) / 1000

const CENTERS = JSON.parse(readFileSync(new URL('rivals-rows.json', import.meta.url), 'utf8'))
const NAMES = Object.keys(CENTERS)
const ROWS = Array.from({ length: 4096 }, (_, i) =>
  Object.fromEntries(NAMES.map((name, k) => [name, CENTERS[name] * (1 + 0.01 * Math.sin(i * (k + 1)))])),
)

function monitorOf(tool, folder) {
  const monitor = new TrainingMonitor({ outputDir: join(folder, 'runs', 'r'), handleSignals: false, earlyStop: 'off' })
  if (tool === 'telltale-detectors')
    monitor.registerCallback(new QualityAnalyzer({ monitor, mode: 'calibrated', preset: 'ppo' }))
  return monitor
}

function logStep(monitor, step) {
  monitor.onEvent({ phase: 'iteration_end', iteration: step, metrics: ROWS[step % ROWS.length] })
}

function log(tool, folder, steps) {
  const started = performance.now()
  const monitor = monitorOf(tool, folder)
  const ready = performance.now()
  const took = timed(steps, (step) => logStep(monitor, step))
  monitor.onEvent({ phase: 'training_end', iteration: steps - 1 })
  return {
    startSeconds: loadSeconds + (ready - started) / 1000,
    seconds: (performance.now() - ready) / 1000,
    ...quantiles(took),
  }
}

async function crash(tool, folder, rate) {
  const monitor = monitorOf(tool, folder)
  const began = performance.now()
  for (let step = 0; ; ) {
    logStep(monitor, step)
    writeSync(1, '.')
    step++
    // Timers wait whole milliseconds: what was slept too long is made up for.
    const wait = began + (1000 * step) / rate - performance.now()
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
  }
}

async function read(folder) {
  const { newReadReport } = await import('../dist/log/read-report.js')
  const { readRun } = await import('../dist/log/read-run.js')
  let steps = 0
  for await (const line of readRun(join(folder, 'runs', 'r'), newReadReport()))
    if (line.type === 'event' && NAMES.every((name) => line.metrics?.[name] !== undefined)) steps++
  return { steps }
}

const [what, tool, folder, count] = process.argv.slice(2)
if (what === 'crash') await crash(tool, folder, Number(count))
let answer = { version: TELLTALE_VERSION }
if (what === 'read') answer = await read(folder)
if (what === 'log') answer = log(tool, folder, Number(count))
console.log(JSON.stringify(answer))
