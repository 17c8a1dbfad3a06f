// From the first alarms of many runs to figures. Only the first alarm of a run counts, and there is no point adjustment: an alarm
// before the onset is a false one, whatever comes later.

/** Iterations within which a fault has to be found. */
export const WITHIN = 500

/** Upper end of the one-sided 95 % interval of Clopper and Pearson for k of n, by bisection. */
export function upperBound(k, n) {
  if (n === 0) return 1
  if (k >= n) return 1
  let low = k / n
  let high = 1
  for (let i = 0; i < 60; i++) {
    const p = (low + high) / 2
    if (binomialAtMost(k, n, p) > 0.05) low = p
    else high = p
  }
  return high
}

/** P(X <= k) for X binomial. */
function binomialAtMost(k, n, p) {
  let term = n * Math.log1p(-p)
  let sum = Math.exp(term)
  for (let i = 1; i <= k; i++) {
    term += Math.log((n - i + 1) / i) + Math.log(p) - Math.log1p(-p)
    sum += Math.exp(term)
  }
  return sum
}

/** Share of runs with an alarm, with its bound. */
export function alarmRate(runs, method, severity) {
  const k = runs.filter(({ alarms }) => alarms[method][severity] !== null).length
  return { runs: runs.length, alarms: k, rate: round(k / runs.length), upperBound: round(upperBound(k, runs.length)) }
}

/** Detection of one kind at one strength. */
export function detection(runs, method) {
  const delays = []
  const onsetErrors = []
  const kinds = {}
  let early = 0
  let right = 0
  for (const { alarms, onset, kind } of runs) {
    const alarm = alarms[method].critical
    if (alarm === null) continue
    if (alarm.iteration < onset) {
      early++
      continue
    }
    if (alarm.iteration > onset + WITHIN) continue
    // An alarm in the iteration of the onset has seen one of its values.
    delays.push(alarm.iteration - onset + 1)
    if (alarm.onset !== null) onsetErrors.push(Math.abs(alarm.onset - onset))
    kinds[alarm.kind] = (kinds[alarm.kind] ?? 0) + 1
    if (alarm.kind === kind) right++
  }
  return {
    runs: runs.length,
    found: round(delays.length / runs.length),
    early: round(early / runs.length),
    medianDelay: quantileOf(delays, 0.5),
    p90Delay: quantileOf(delays, 0.9),
    rightKind: delays.length > 0 ? round(right / delays.length) : null,
    kinds,
    medianOnsetError: quantileOf(onsetErrors, 0.5),
  }
}

/**
 * Share of the loss of gold that stopping saves: 0 for never stopping, 1 for stopping at the best moment. Of runs that lose gold. `checkpoint` is an
 * index into CHECKPOINTS, or null for a stop that returns to nothing.
 */
export function goldSaved(runs, method, checkpoint) {
  const saved = []
  for (const { gold } of runs) {
    const { best, end, returned, stopped } = gold[method]
    if (!(best - end > 1e-9)) continue
    const kept = checkpoint === null ? stopped : returned[checkpoint]
    saved.push(Math.max(-1, (kept - end) / (best - end)))
  }
  return { runs: saved.length, mean: round(mean(saved)), median: round(quantileOf(saved, 0.5)) }
}

/** Share of a healthy run's gain that wrong stops cost, over all runs. */
export function progressLost(runs, method) {
  return round(
    mean(
      runs.map(({ gold }) => {
        const { start, end, returned } = gold[method]
        return end - start > 1e-9 ? Math.max(0, Math.min(1, (end - returned[0]) / (end - start))) : 0
      }),
    ),
  )
}

export function quantileOf(values, q) {
  if (values.length === 0) return null
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]
}

export function mean(values) {
  return values.length === 0 ? Number.NaN : values.reduce((a, b) => a + b, 0) / values.length
}

/** Three significant digits. */
export function round(value) {
  return value === null || !Number.isFinite(value) ? null : Number(value.toPrecision(3))
}
