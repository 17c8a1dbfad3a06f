// Writes simulated runs in the wire format, for detectors that are no part of this repository.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { FAULTS, simulate } from './simulate.mjs'

/** `count` healthy runs and `count` of each fault at strength 1, of the split that nothing is tuned on; labels.json says what is what. */
export function exportRuns(dir, count) {
  mkdirSync(dir, { recursive: true })
  const labels = {}
  for (const kind of ['healthy', ...FAULTS]) {
    for (let index = 0; index < count; index++) {
      const fault = kind === 'healthy' ? null : { kind, strength: 1 }
      // Of their own, beyond those that the figures are taken on.
      const run = simulate({ split: 'report', index: 1e6 + index, iterations: 1000, fault, dense: fault !== null })
      const name = `${kind}-${index}`
      writeFileSync(join(dir, `${name}.jsonl`), `${lines(run, name).join('\n')}\n`)
      labels[name] = { kind: run.kind, onset: run.onset, strength: run.strength }
    }
  }
  writeFileSync(join(dir, 'labels.json'), `${JSON.stringify(labels, null, 1)}\n`)
  return { dir, runs: Object.keys(labels).length }
}

function lines(run, name) {
  const head = { v: 1, run: name, writer: 'simulate' }
  const out = [{ ...head, type: 'run', project: 'detection-benchmark', name }]
  const spoilt = new Map(run.nonFinite.map((value) => [`${value.name} ${value.iteration}`, String(value.value)]))
  for (let iteration = 0; iteration < run.iterations; iteration++) {
    for (const { what } of run.announcements.filter((entry) => entry.iteration === iteration))
      out.push({ ...head, type: 'announce', iteration, what })
    const metrics = {}
    for (const [metric, column] of Object.entries(run.columns)) {
      const value = spoilt.get(`${metric} ${iteration}`) ?? column[iteration]
      if (!Number.isNaN(value)) metrics[metric] = value
    }
    out.push({ ...head, type: 'event', phase: 'iteration_end', iteration, metrics })
  }
  out.push({ ...head, type: 'end', status: 'completed' })
  return out.map((line, i) => JSON.stringify({ ...line, seq: i + 1, time: i }))
}
