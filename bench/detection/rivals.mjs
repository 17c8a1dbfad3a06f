// What the calibrated detectors are compared with, on the same runs.
import { thresholdPreset } from '../../dist/detectors/presets.js'

/** Each series that a textbook chart would watch, with the direction that is bad and the failure that it stands for. */
const WATCHED = [
  { name: 'quality/heldout_reward', bad: -1, kind: 'reward-hacking' },
  { name: 'quality/judge', bad: -1, kind: 'reward-hacking' },
  { name: 'quality/ref_perplexity', bad: 1, kind: 'reward-hacking' },
  { name: 'kl_ref/token', bad: 1, kind: 'kl-explosion' },
  { name: 'entropy/token', bad: -1, kind: 'entropy-collapse' },
  { name: 'value/explained_variance', bad: -1, kind: 'value-reward-mismatch' },
  { name: 'length/mean', bad: 1, kind: 'length-explosion' },
  { name: 'grad/norm', bad: 1, kind: 'gradient-anomaly' },
  { name: 'loss/total', bad: 1, kind: 'loss-spike' },
]

/** Values that set level and standard deviation, as textbooks have it. */
const PHASE_ONE = 100

/** Page's CUSUM, one-sided, frozen baseline: k = 0.5, h = 5 standard deviations. */
function cusum(z, state) {
  state.sum = Math.max(0, state.sum + z - 0.5)
  return state.sum > 5
}

/** Page-Hinkley as in river and scikit-multiflow: delta = 0.005, lambda = 50, running mean; on standardised values. */
function pageHinkley(z, state) {
  state.n++
  state.mean += (z - state.mean) / state.n
  state.sum += z - state.mean - 0.005
  state.least = Math.min(state.least, state.sum)
  return state.sum - state.least > 50
}

function chart(rule) {
  const watched = WATCHED.map((series) => ({
    ...series,
    values: [],
    mean: 0,
    sd: 0,
    state: { sum: 0, n: 0, mean: 0, least: 0 },
  }))
  return (observation) => {
    for (const series of watched) {
      const value = observation.get(series.name)
      if (value === undefined || !Number.isFinite(value)) continue
      if (series.values.length < PHASE_ONE) {
        series.values.push(value)
        if (series.values.length === PHASE_ONE) {
          series.mean = series.values.reduce((a, b) => a + b, 0) / PHASE_ONE
          series.sd = Math.sqrt(series.values.reduce((a, b) => a + (b - series.mean) ** 2, 0) / (PHASE_ONE - 1))
        }
        continue
      }
      if (series.sd > 0 && rule((series.bad * (value - series.mean)) / series.sd, series.state)) {
        return { kind: series.kind, severity: 'critical', onset: null }
      }
    }
    return undefined
  }
}

/** Rules of the original plan, at its defaults. */
function fixedThresholds() {
  const detectors = thresholdPreset({ rewardHackThreshold: 0.3, klThreshold: 0.1, windowSize: 50 })
  return (observation) => {
    let found
    for (const detector of detectors) {
      const evidence = detector.update(observation)
      if (evidence && (found === undefined || evidence.severity === 'critical')) found = evidence
    }
    return found && { kind: found.kind, severity: found.severity, onset: found.onset.estimate }
  }
}

/** By name: a function that makes a watcher of one run. */
export const RIVALS = {
  'fixed thresholds': fixedThresholds,
  CUSUM: () => chart(cusum),
  'Page-Hinkley': () => chart(pageHinkley),
}
