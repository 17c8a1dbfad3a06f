// What one event costs: `onEvent` with 20 metrics, log on, every callback in threshold mode; a bare write of a line beside it.
import { mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  PPOMetricsTracker,
  QualityAnalyzer,
  SampleComparator,
  TerminalDisplay,
  TrainingMonitor,
} from '../dist/index.js'
import { quantiles, shares, timed } from './measure.mjs'

const NAMES = [
  'reward',
  'kl_div',
  'loss',
  'value_loss',
  'clip_fraction',
  'gradient_norm',
  'explained_variance',
  'quality/ref_perplexity',
]
while (NAMES.length < 20) NAMES.push(`metric/${NAMES.length}`)

const COUNT = 20_000

export function events() {
  const inputs = Array.from({ length: COUNT }, (_, i) =>
    Object.fromEntries(NAMES.map((name, k) => [name, Math.sin(i * (k + 1)) + 2])),
  )
  const { policyUpdate, iterationEnd } = measured(inputs, {})
  // Timing each callback takes time itself, so the whole is timed in a run without it.
  const { share, ...each } = measured(inputs, { ofEach: true })
  const all = quantiles([...policyUpdate, ...iterationEnd])
  const totalNs = 1000 * [...each.policyUpdate, ...each.iterationEnd].reduce((a, b) => a + b, 0)
  return {
    question: 'What does one event with 20 metrics cost, with the log and all callbacks, in microseconds?',
    goal: 'median 10 or less, p99 100 or less',
    reached: all.p50 <= 10 && all.p99 <= 100,
    limits:
      'Half of the time of an event is its line in the log: the digits of 20 numbers that have to come back bit for bit, and the ' +
      'system call that makes it survive the process.',
    all,
    policyUpdate: quantiles(policyUpdate),
    iterationEnd: quantiles(iterationEnd),
    bareWriteOfTheSameLine: quantiles(bareWrites(inputs[0])),
    callbacksPercent: share.percentOf(totalNs),
  }
}

/** Half of the events are updates, half close an iteration. */
function measured(inputs, { ofEach = false }) {
  const dir = mkdtempSync(join(tmpdir(), 'telltale-bench-'))
  const monitor = new TrainingMonitor({ outputDir: dir, handleSignals: false, earlyStop: 'off' })
  const terminal = new TerminalDisplay({
    verbosity: 'verbose',
    stream: { write: () => true, isTTY: true, columns: 120, rows: 40 },
  })
  const analyzer = new QualityAnalyzer({ monitor, klThreshold: 1e9 })
  const callbacks = [terminal, new SampleComparator(), analyzer, new PPOMetricsTracker({ verbosity: 'verbose' })]
  const share = ofEach ? shares(callbacks, monitor) : null
  if (!ofEach) for (const callback of callbacks) monitor.registerCallback(callback)
  terminal.setMetricsStore(monitor.getMetricsStore())
  terminal.setAnalyzer(analyzer)
  const policyUpdate = timed(COUNT, (i) =>
    monitor.onEvent({ phase: 'policy_update', iteration: 0, metrics: inputs[i] }),
  )
  const iterationEnd = timed(COUNT, (i) =>
    monitor.onEvent({ phase: 'iteration_end', iteration: i + 1, metrics: inputs[i] }),
  )
  rmSync(dir, { recursive: true })
  return { policyUpdate, iterationEnd, share }
}

function bareWrites(metrics) {
  const dir = mkdtempSync(join(tmpdir(), 'telltale-bench-'))
  const line = `${JSON.stringify({ v: 1, type: 'event', phase: 'policy_update', iteration: 0, metrics })}\n`
  const file = openSync(join(dir, 'bare'), 'a')
  const writes = timed(COUNT, () => writeSync(file, line))
  rmSync(dir, { recursive: true })
  return writes
}
