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

export function events() {
  const dir = mkdtempSync(join(tmpdir(), 'telltale-bench-'))
  const monitor = new TrainingMonitor({ outputDir: dir, handleSignals: false, earlyStop: 'off' })
  const terminal = new TerminalDisplay({
    verbosity: 'verbose',
    stream: { write: () => true, isTTY: true, columns: 120, rows: 40 },
  })
  const analyzer = new QualityAnalyzer({ monitor, klThreshold: 1e9 })
  const callbacks = [terminal, new SampleComparator(), analyzer, new PPOMetricsTracker({ verbosity: 'verbose' })]
  terminal.setMetricsStore(monitor.getMetricsStore())
  terminal.setAnalyzer(analyzer)
  const share = shares(callbacks, monitor)
  const count = 20_000
  const inputs = Array.from({ length: count }, (_, i) =>
    Object.fromEntries(NAMES.map((name, k) => [name, Math.sin(i * (k + 1)) + 2])),
  )
  const policyUpdate = timed(count, (i) =>
    monitor.onEvent({ phase: 'policy_update', iteration: 0, metrics: inputs[i] }),
  )
  const iterationEnd = timed(count, (i) =>
    monitor.onEvent({ phase: 'iteration_end', iteration: i + 1, metrics: inputs[i] }),
  )
  const all = [...policyUpdate, ...iterationEnd]
  const totalNs = all.reduce((a, b) => a + b, 0) * 1000
  const line = `${JSON.stringify({ v: 1, type: 'event', phase: 'policy_update', iteration: 0, metrics: inputs[0] })}\n`
  const file = openSync(join(dir, 'bare'), 'a')
  const bareWrite = timed(count, () => writeSync(file, line))
  rmSync(dir, { recursive: true })
  return {
    question: 'What does one event with 20 metrics cost, with the log and all callbacks, in microseconds?',
    goal: 'median 10 or less, p99 100 or less',
    reached: quantiles(all).p50 <= 10 && quantiles(all).p99 <= 100,
    all: quantiles(all),
    policyUpdate: quantiles(policyUpdate),
    iterationEnd: quantiles(iterationEnd),
    bareWriteOfTheSameLine: quantiles(bareWrite),
    callbacksPercent: share.percentOf(totalNs),
  }
}
