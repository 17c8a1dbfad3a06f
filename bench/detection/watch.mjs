// One run, watched by the calibrated preset and its rivals: the first alarm of each, and what it would have saved.
import { calibratedPreset } from '../../dist/detectors/calibrated/preset.js'
import { randomStream } from '../../dist/trainer/index.js'
import { RIVALS } from './rivals.mjs'
import { observations, simulate } from './simulate.mjs'

/** Iterations between two checkpoints that are scored. */
export const CHECKPOINTS = [10, 50]

/** The preset as a watcher like those of rivals.mjs. */
export function calibrated(options) {
  const detectors = calibratedPreset(options)
  return (observation) => {
    let found
    for (const detector of detectors) {
      const evidence = detector.update(observation)
      if (evidence && (found === undefined || rank(evidence) > rank(found))) found = evidence
    }
    return found && { kind: found.kind, severity: found.severity, onset: found.onset.estimate }
  }
}

function rank({ severity }) {
  return severity === 'critical' ? 2 : severity === 'warning' ? 1 : 0
}

/** First alarm of at least a severity of each watcher. */
export function firstAlarms(observed, watchers) {
  const found = Object.fromEntries(Object.keys(watchers).map((name) => [name, { warning: null, critical: null }]))
  const waiting = new Set(Object.keys(watchers))
  for (const observation of observed) {
    for (const name of waiting) {
      const alarm = watchers[name](observation)
      if (!alarm || alarm.severity === 'info') continue
      const first = { iteration: observation.iteration, kind: alarm.kind, onset: alarm.onset }
      found[name].warning ??= first
      if (alarm.severity !== 'critical') continue
      found[name].critical = first
      waiting.delete(name)
    }
    if (waiting.size === 0) break
  }
  return found
}

/**
 * A simulated run with all that its scoring needs. `control` spoils it on purpose: `shuffle` or `constant`. For each of `rates` the calibrated
 * detectors watch it once more, set to that rate.
 */
export function watched({ control = null, rivals = true, falseAlarmRate, rates = [], ...job }) {
  const run = simulate(job)
  if (control === 'shuffle') shuffle(run, job.index)
  if (control === 'constant') for (const column of Object.values(run.columns)) column.fill(column[0])
  const makers = rivals ? RIVALS : {}
  const watchers = Object.fromEntries(Object.entries(makers).map(([name, make]) => [name, make()]))
  watchers.calibrated = calibrated({ ...(falseAlarmRate === undefined ? {} : { falseAlarmRate }) })
  for (const rate of rates) watchers[`rate ${rate}`] = calibrated({ falseAlarmRate: rate })
  const alarms = firstAlarms(observations(run), watchers)
  return {
    onset: run.onset,
    kind: run.kind,
    strength: run.strength,
    autocorrelation: run.config.autocorrelation,
    alarms,
    gold: Object.fromEntries(Object.entries(alarms).map(([name, { critical }]) => [name, goldOf(run.gold, critical)])),
  }
}

/** The gold reward at the start, at the end, at its best, where an alarm stops, and at the checkpoint that it returns to. */
export function goldOf(gold, alarm) {
  const last = gold.length - 1
  const returned = CHECKPOINTS.map((every) => {
    if (alarm === null) return gold[last]
    const before = Math.max(0, Math.min(alarm.iteration, alarm.onset ?? alarm.iteration))
    return gold[Math.floor(before / every) * every]
  })
  let best = gold[0]
  for (const value of gold) best = Math.max(best, value)
  return {
    start: gold[0],
    end: gold[last],
    best,
    stopped: alarm === null ? gold[last] : gold[alarm.iteration],
    returned,
  }
}

/** The iterations of a run in random order: what depends on time is gone, the values are the same. */
function shuffle(run, seed) {
  const order = randomStream(seed, 'shuffle').permutation(run.iterations)
  for (const [name, column] of Object.entries(run.columns)) {
    run.columns[name] = Float64Array.from(order, (at) => column[at])
  }
  run.announcements = []
}
