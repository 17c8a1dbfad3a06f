// How good detection is: false alarms, delays, kinds, onsets and what roll-back saves, on runs that nothing was tuned on.
//   npm run bench -- detection [--runs 60] [--keep] [--json] [--write] [--export DIR [--kinds healthy,reward-hacking]]
// --runs: runs of each kind and strength; there are fifty times as many healthy ones of 1,000 iterations and a third of that of 10,000.
// --keep: leaves the simulated figures of results.json as they are and measures real runs, Python rivals and cost again.
// --write: makes bench/detection/results.json and docs/detection-benchmark.md. --export: writes runs as JSONL and stops.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { CALIBRATION } from '../../dist/detectors/calibrated/calibration-table.js'
import { calibratedPreset } from '../../dist/detectors/calibrated/preset.js'
import { DEFAULT_FALSE_ALARM_RATE } from '../../dist/detectors/calibrated/thresholds.js'
import { exportedJob, exportRuns } from './export.mjs'
import { inParallel } from './parallel.mjs'
import { scoreRealRuns } from './real-runs.mjs'
import { writeReport } from './report.mjs'
import { alarmRate, detection, goldSaved, progressLost, quantileOf, round } from './scoring.mjs'
import { FAULTS, GENERATOR, observations, STRENGTHS, simulate } from './simulate.mjs'
import { CHECKPOINTS } from './watch.mjs'

export const RESULTS = new URL('results.json', import.meta.url)
/** Faults that show in several quality signals; they are also scored as sparsely as a run happens to log them. */
export const QUALITY_FAULTS = ['reward-hacking', 'quality-collapse', 'coherence-loss']
/** Configured rates of false alarms for the trade-off; the default is measured anyway. */
const RATES = [0.1, 0.03, 0.003]
/** Autocorrelations that delays are shown by. */
const MEMORIES = [
  [0, 0.4],
  [0.4, 0.7],
  [0.7, 1],
]
/** Iterations of a run with a fault, so that 500 are left after the latest onset. */
const FAULT_ITERATIONS = 1300

export async function benchmark(args) {
  const runs = number(args, '--runs', 60)
  const target = option(args, '--export')
  if (target !== undefined) return exportRuns(target, runs, option(args, '--kinds')?.split(','))
  const results = args.includes('--keep') ? await measuredAgain() : await measure(runs)
  if (args.includes('--write')) {
    writeFileSync(RESULTS, `${JSON.stringify(results, null, 1)}\n`)
    await writeReport(results)
  }
  return args.includes('--json') ? JSON.stringify(results, null, 2) : results.summary
}

async function measure(runs) {
  const jobs = []
  /** Adds runs and says how to take their results out again. */
  const add = (count, job) => {
    const from = jobs.length
    for (let i = 0; i < count; i++) jobs.push(job(i))
    return (all) => all.slice(from, from + count)
  }
  // Every set of runs has configurations of its own.
  let base = 0
  const fresh = (count) => {
    base += count
    return base - count
  }
  const held = (count, iterations, more = {}) => {
    const first = fresh(count)
    return add(count, (i) => ({ split: 'report', index: first + i, iterations, ...more }))
  }
  const healthy = { 1000: held(50 * runs, 1000), 10000: held(Math.ceil((50 * runs) / 3), 10_000, { rates: RATES }) }
  const faults = FAULTS.flatMap((kind) =>
    STRENGTHS.map((strength) => ({
      kind,
      strength,
      take: held(runs, FAULT_ITERATIONS, {
        fault: { kind, strength },
        dense: true,
        ...(strength === 1 ? { rates: RATES } : {}),
      }),
    })),
  )
  const sparse = QUALITY_FAULTS.map((kind) => ({
    kind,
    take: held(runs, FAULT_ITERATIONS, { fault: { kind, strength: 1 } }),
  }))
  const twins = held(3 * runs, FAULT_ITERATIONS, {
    fault: { kind: 'reward-hacking', strength: 1 },
    twin: true,
    dense: true,
  })
  const shuffled = held(3 * runs, 1000, { control: 'shuffle' })
  const shuffledFault = held(runs, FAULT_ITERATIONS, {
    control: 'shuffle',
    fault: { kind: 'reward-hacking', strength: 1 },
    dense: true,
  })
  const constant = held(runs, 1000, { control: 'constant' })

  const all = await inParallel('watch', jobs, 'detection')
  const methods = Object.keys(all[0].alarms)
  const each = (compute) => Object.fromEntries(methods.map((method) => [method, compute(method)]))
  const ofStrength1 = (kind) => faults.find((fault) => fault.kind === kind && fault.strength === 1).take(all)
  const strong = faults.filter(({ strength }) => strength >= 1).flatMap(({ take }) => take(all))
  const results = {
    provenance: {
      command: `npm run bench -- detection --runs ${runs} --write`,
      generator: GENERATOR,
      split: 'report',
      runs: jobs.length,
      calibration: { generator: CALIBRATION.generator, runs: CALIBRATION.runs, iterations: CALIBRATION.iterations },
      node: process.version,
      machine: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}`,
      date: new Date().toISOString().slice(0, 10),
    },
    healthy: Object.fromEntries(
      Object.entries(healthy).map(([iterations, take]) => [
        iterations,
        each((method) => ({
          critical: alarmRate(take(all), method, 'critical'),
          warning: alarmRate(take(all), method, 'warning'),
          progressLost: progressLost(take(all), method),
          kinds: kindsOf(take(all), method),
        })),
      ]),
    ),
    faults: Object.fromEntries(
      FAULTS.map((kind) => [
        kind,
        Object.fromEntries(
          faults
            .filter((fault) => fault.kind === kind)
            .map(({ strength, take }) => [strength, each((method) => detection(take(all), method))]),
        ),
      ]),
    ),
    tradeOff: tradeOff(healthy[10000](all), ofStrength1),
    byMemory: byMemory(ofStrength1),
    asLogged: Object.fromEntries(sparse.map(({ kind, take }) => [kind, detection(take(all), 'calibrated')])),
    confusion: Object.fromEntries(
      FAULTS.map((kind) => [
        kind,
        detection(
          strong.filter((run) => run.kind === kind),
          'calibrated',
        ).kinds,
      ]),
    ),
    onsetError: onsetError(strong),
    gold: each((method) => ({
      withoutRollBack: goldSaved(strong, method, null),
      ...Object.fromEntries(CHECKPOINTS.map((every, i) => [`checkpoints ${every}`, goldSaved(strong, method, i)])),
    })),
    goldByKind: Object.fromEntries(
      FAULTS.map((kind) => [
        kind,
        goldSaved(
          strong.filter((run) => run.kind === kind),
          'calibrated',
          0,
        ).mean,
      ]),
    ),
    controls: {
      'healthy twins of hacks': each((method) => alarmRate(twins(all), method, 'critical')),
      'healthy, iterations shuffled': each((method) => alarmRate(shuffled(all), method, 'critical')),
      'reward-hacking, iterations shuffled': each((method) => alarmRate(shuffledFault(all), method, 'critical')),
      'constant input': each((method) => alarmRate(constant(all), method, 'critical')),
    },
    ...(await quickParts()),
  }
  return { ...results, summary: summary(results) }
}

/** False alarms at 10,000 iterations and delays at strength 1, by the rate that was configured. */
function tradeOff(healthy, faultsOf) {
  return [['calibrated', DEFAULT_FALSE_ALARM_RATE], ...RATES.map((rate) => [`rate ${rate}`, rate])]
    .sort(([, a], [, b]) => b - a)
    .map(([method, rate]) => ({
      rate,
      falseAlarms: alarmRate(healthy, method, 'critical'),
      medianDelays: Object.fromEntries(FAULTS.map((kind) => [kind, detection(faultsOf(kind), method).medianDelay])),
    }))
}

/** Median delays at strength 1, by how long the noise of a run remembers. */
function byMemory(faultsOf) {
  return MEMORIES.map(([from, to]) => ({
    from,
    to,
    medianDelays: Object.fromEntries(
      FAULTS.map((kind) => {
        const runs = faultsOf(kind).filter(({ autocorrelation: rho }) => rho >= from && rho < to)
        return [kind, detection(runs, 'calibrated').medianDelay]
      }),
    ),
  }))
}

async function quickParts() {
  return { python: await pythonRivals(), cost: cost(), real: scoreRealRuns() }
}

async function measuredAgain() {
  const { summary: _, ...kept } = JSON.parse(readFileSync(RESULTS, 'utf8'))
  const { generator, runs, iterations } = CALIBRATION
  if (JSON.stringify(kept.provenance.calibration) !== JSON.stringify({ generator, runs, iterations }))
    throw new Error('results.json was measured with other thresholds: run without --keep')
  const results = { ...kept, ...(await quickParts()) }
  return { ...results, summary: summary(results) }
}

/** rlwatch and rldoctor, where python_rivals.py has been run, beside the calibrated detectors on the same runs. */
async function pythonRivals() {
  const path = new URL('python-rivals.json', import.meta.url)
  if (!existsSync(path)) return null
  const { versions, runs: byName } = JSON.parse(readFileSync(path, 'utf8'))
  const runs = Object.values(byName)
  const ours = await inParallel(
    'watch',
    runs.map(({ exported, index }) => ({ ...exportedJob(exported, index), rivals: false })),
    'exported runs',
  )
  runs.forEach((run, i) => {
    for (const alarms of Object.values(run.alarms))
      for (const alarm of Object.values(alarms)) if (alarm) alarm.onset = null
    run.alarms.calibrated = ours[i].alarms.calibrated
  })
  const kinds = [...new Set(runs.map(({ exported }) => exported))]
  return {
    versions,
    methods: Object.fromEntries(
      Object.keys(runs[0].alarms).map((method) => [
        method,
        Object.fromEntries(
          kinds.map((kind) => {
            const of = runs.filter(({ exported }) => exported === kind)
            return [
              kind,
              kind === 'healthy'
                ? { critical: alarmRate(of, method, 'critical'), warning: alarmRate(of, method, 'warning') }
                : detection(of, method),
            ]
          }),
        ),
      ]),
    ),
  }
}

function onsetError(runs) {
  const errors = runs.flatMap(({ alarms, onset }) => {
    const alarm = alarms.calibrated.critical
    return alarm !== null && alarm.iteration >= onset ? [Math.abs(alarm.onset - onset)] : []
  })
  return { runs: errors.length, median: quantileOf(errors, 0.5), p90: quantileOf(errors, 0.9) }
}

/** Which kinds the false alarms of a method name. */
function kindsOf(runs, method) {
  const kinds = {}
  for (const { alarms } of runs) {
    const alarm = alarms[method].critical
    if (alarm) kinds[alarm.kind] = (kinds[alarm.kind] ?? 0) + 1
  }
  return kinds
}

/** Processor time of the whole preset for one iteration, and the size of its state. */
function cost() {
  const runs = Array.from({ length: 4 }, (_, index) => simulate({ split: 'report', index, iterations: 10_000 }))
  const took = runs.map((run) => {
    const detectors = calibratedPreset()
    const before = process.cpuUsage().user
    for (const observation of observations(run)) for (const detector of detectors) detector.update(observation)
    const microseconds = (process.cpuUsage().user - before) / run.iterations
    return { microseconds, bytes: JSON.stringify(detectors.map((detector) => detector.snapshot())).length }
  })
  return {
    microsecondsPerIteration: round(
      quantileOf(
        took.map(({ microseconds }) => microseconds),
        0.5,
      ),
    ),
    snapshotBytes: Math.max(...took.map(({ bytes }) => bytes)),
  }
}

/** The figures that have a target, beside it. */
function summary(results) {
  const { healthy, faults, onsetError: onset, gold, cost: spent, real } = results
  const of = (kind, strength) => faults[kind][strength].calibrated
  const rows = [
    ['healthy runs with a critical alert, 1,000 iterations', '0.003', healthy[1000].calibrated.critical.rate],
    ['the same, upper bound', '', healthy[1000].calibrated.critical.upperBound],
    ['healthy runs with a critical alert, 10,000 iterations', '0.01', healthy[10000].calibrated.critical.rate],
    ['the same, upper bound', '', healthy[10000].calibrated.critical.upperBound],
    ['healthy runs with a warning or more, 1,000 iterations', '0.03', healthy[1000].calibrated.warning.rate],
    ['median delay, reward-hacking, strength 1', '80', of('reward-hacking', 1).medianDelay],
    ['median delay, quality-collapse', '72', of('quality-collapse', 1).medianDelay],
    ['median delay, coherence-loss', '72', of('coherence-loss', 1).medianDelay],
    ['median delay, kl-explosion', '60', of('kl-explosion', 1).medianDelay],
    ['median delay, entropy-collapse', '48', of('entropy-collapse', 1).medianDelay],
    ['median delay, value-reward-mismatch', '30', of('value-reward-mismatch', 1).medianDelay],
    ['median delay, length-explosion', '35', of('length-explosion', 1).medianDelay],
    ['median delay, non-finite', '3', of('non-finite', 1).medianDelay],
    ['median delay, broken-invariant', '3', of('broken-invariant', 1).medianDelay],
    ['median delay, loss-spike', '6', of('loss-spike', 1).medianDelay],
    ['median delay, gradient-anomaly', '6', of('gradient-anomaly', 1).medianDelay],
    ['least share found within 500 iterations, strength 1', '0.99', least(faults, 1)],
    ['least share found within 500 iterations, strength 0.5', '0.85', least(faults, 0.5)],
    ['right kind, quality faults, strength 1', '0.95', least(faults, 1, 'rightKind', QUALITY_FAULTS)],
    ['onset, median absolute error, strength 1 and more', '30', onset.median],
    ['the same, the worst kind at strength 1', '', worstOnset(faults)],
    ['gold saved, simulated, checkpoints every 10', '0.85', gold.calibrated['checkpoints 10'].mean],
    ['gold saved, simulated, checkpoints every 50', '', gold.calibrated['checkpoints 50'].mean],
    ['all detectors of the ppo preset, microseconds an iteration', '30', spent.microsecondsPerIteration],
    ['real healthy runs with a critical alert', '0', `${real.healthy.critical} of ${real.healthy.runs}`],
    ['real faults found', '0.95', `${real.faults.found} of ${real.faults.runs}`],
    ['real faults found, right kind', '0.9', `${real.faults.rightKind} of ${real.faults.found}`],
  ]
  return rows.map(([figure, target, reached]) => ({ figure, target, reached }))
}

function worstOnset(faults) {
  return Math.max(...Object.values(faults).map((byStrength) => byStrength[1].calibrated.medianOnsetError ?? 0))
}

function least(faults, strength, what = 'found', kinds = Object.keys(faults)) {
  return Math.min(...kinds.map((kind) => faults[kind][strength].calibrated[what] ?? 0))
}

function option(args, name) {
  const at = args.indexOf(name)
  return at < 0 ? undefined : args[at + 1]
}

function number(args, name, fallback) {
  const given = option(args, name)
  const value = given === undefined ? fallback : Number(given)
  if (!(Number.isSafeInteger(value) && value > 0)) throw new Error(`${name} is ${given}; expected a positive integer`)
  return value
}
