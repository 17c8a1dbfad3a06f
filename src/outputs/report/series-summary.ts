import type { MetricsStore } from '../../metrics/store.ts'
import { metricTitle } from '../../vocabulary/canonical.ts'
import type { ReportMetric } from './report.ts'

/** One series over the whole newest attempt (not only the newest 10,000 values); null where it has no value. */
export function summariseSeries(store: MetricsStore, name: string): ReportMetric | null {
  const final = store.latest(name)
  const finalIteration = store.latestIteration(name)
  const buckets = store.history(name)?.buckets() ?? []
  if (final === undefined || finalIteration === undefined || buckets.length === 0) return null
  const info = store.info(name)
  const firstIteration = buckets[0]!.iteration
  const tenth = Math.max(1, (finalIteration + 1 - firstIteration) / 10)
  const all = level(buckets)
  let min = Number.POSITIVE_INFINITY
  let max = Number.NEGATIVE_INFINITY
  let nonFinite = 0
  for (const bucket of buckets) {
    if (bucket.min < min) min = bucket.min
    if (bucket.max > max) max = bucket.max
    nonFinite += bucket.nonFinite
  }
  const trend = store.computeTrend(name)
  return {
    title: metricTitle(info.canonical),
    original: info.original,
    unit: info.unit,
    final,
    finalIteration,
    mean: all.mean,
    min: all.count > 0 ? min : null,
    max: all.count > 0 ? max : null,
    firstTenth: level(buckets.filter(({ iteration }) => iteration < firstIteration + tenth)).mean,
    lastTenth: level(buckets.filter(({ lastIteration }) => lastIteration > finalIteration - tenth)).mean,
    count: all.count,
    nonFinite,
    trend,
    badDirection: info.badDirection,
    estimator: info.estimator ?? null,
    reliability: info.reliability,
    why: info.why ?? null,
  }
}

function level(buckets: readonly { readonly mean: number; readonly count: number }[]): {
  readonly mean: number | null
  readonly count: number
} {
  let mean = 0
  let count = 0
  for (const bucket of buckets) {
    if (bucket.count === 0) continue
    count += bucket.count
    mean += (bucket.mean - mean) * (bucket.count / count)
  }
  return { mean: count > 0 ? mean : null, count }
}
