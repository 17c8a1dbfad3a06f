// The recorded real runs, replayed through the calibrated detectors.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { brotliDecompressSync } from 'node:zlib'
import { mean, quantileOf, round, upperBound } from './scoring.mjs'
import { calibrated, firstAlarms, goldOf } from './watch.mjs'

const RUNS = fileURLToPath(new URL('runs/', import.meta.url))

/** Kinds that are right for a scenario: what is wrong, or what that does to the answers. */
export const RIGHT_KINDS = {
  'reward-hacking': ['reward-hacking', 'coherence-loss'],
  'kl-explosion': ['kl-explosion', 'gradient-anomaly', 'quality-collapse', 'coherence-loss'],
  'value-failure': ['value-reward-mismatch', 'broken-invariant'],
  'frozen-value-head': ['broken-invariant', 'value-reward-mismatch'],
  'entropy-collapse': ['entropy-collapse'],
  'length-explosion': ['length-explosion'],
  'sign-flip': ['broken-invariant', 'quality-collapse'],
  'stale-logprobs': ['broken-invariant'],
}

/** Recorded runs, oldest name first. `gold` is read by the scorer alone. */
export function realRuns() {
  if (!existsSync(RUNS)) return []
  return readdirSync(RUNS)
    .filter((name) => name.endsWith('.run.json.br'))
    .sort()
    .map((name) => {
      const read = (part) =>
        JSON.parse(brotliDecompressSync(readFileSync(`${RUNS}${name.replace('.run.', `.${part}.`)}`)).toString())
      return { ...read('run'), gold: () => read('gold').columns['gold/total'].map(number) }
    })
}

/** The iterations of a recorded run as a detector gets them. */
export function* recordedObservations({ iterations, columns }) {
  for (let i = 0; i < iterations.length; i++) {
    yield {
      iteration: iterations[i],
      time: i,
      get(name) {
        const value = columns[name]?.[i]
        return value === null || value === undefined ? undefined : number(value)
      },
    }
  }
}

/** First alarms of each recorded run, and figures. */
export function scoreRealRuns() {
  const runs = realRuns().map((run) => {
    const { calibrated: alarms } = firstAlarms(recordedObservations(run), { calibrated: calibrated() })
    // The judge's reward is noisy: what is kept and lost are means of 20 iterations.
    const gold = smooth(run.gold())
    return { scenario: run.scenario, seed: run.seed, status: run.status, alarms, gold: goldOf(gold, alarms.critical) }
  })
  const healthy = runs.filter(({ scenario }) => scenario === 'healthy')
  const faulty = runs.filter(({ scenario }) => scenario !== 'healthy')
  const found = faulty.filter(({ alarms }) => alarms.critical !== null)
  const right = found.filter(({ scenario, alarms }) => RIGHT_KINDS[scenario].includes(alarms.critical.kind))
  const critical = healthy.filter(({ alarms }) => alarms.critical !== null).length
  const saved = faulty.flatMap(({ gold: { best, end, returned } }) =>
    best - end > 0.1 ? [Math.max(-1, (returned[0] - end) / (best - end))] : [],
  )
  return {
    healthy: {
      runs: healthy.length,
      critical,
      warning: healthy.filter(({ alarms }) => alarms.warning !== null).length,
      upperBound: round(upperBound(critical, healthy.length)),
    },
    faults: { runs: faulty.length, found: found.length, rightKind: right.length },
    goldSaved: { runs: saved.length, mean: round(mean(saved)), median: round(quantileOf(saved, 0.5)) },
    runs: runs.map(({ scenario, seed, status, alarms }) => ({ scenario, seed, status, ...alarms })),
  }
}

function smooth(values) {
  return values.map((_, i) => mean(values.slice(Math.max(0, i - 10), i + 10)))
}

/** Non-finite values are written as the wire format has them. */
function number(value) {
  return typeof value === 'string' ? Number(value) : value
}
