// Writes simulated runs in the wire format, for detectors that are no part of this repository.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { FAULTS, simulate } from './simulate.mjs'

/** The runs of a kind that are exported: of their own, beyond those that the figures are taken on. */
export function exportedJob(kind, index) {
  const fault = kind === 'healthy' ? null : { kind, strength: 1 }
  return { split: 'report', index: 1e6 + index, iterations: 1000, fault, dense: fault !== null }
}

/** `count` runs of each kind, `healthy` among them, of the split that nothing is tuned on; faults at strength 1. labels.json says what is what. */
export function exportRuns(dir, count, kinds = ['healthy', ...FAULTS]) {
  const unknown = kinds.find((kind) => kind !== 'healthy' && !FAULTS.includes(kind))
  if (unknown) throw new Error(`no kind ${unknown}; there are healthy, ${FAULTS.join(', ')}`)
  mkdirSync(dir, { recursive: true })
  const labels = {}
  for (const kind of kinds) {
    for (let index = 0; index < count; index++) {
      const run = simulate(exportedJob(kind, index))
      const name = `${kind}-${index}`
      writeFileSync(join(dir, `${name}.jsonl`), `${lines(run, name).join('\n')}\n`)
      labels[name] = { exported: kind, index, kind: run.kind, onset: run.onset, strength: run.strength }
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
