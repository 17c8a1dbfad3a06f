/**
 * All numbers of a run, by name, in bounded memory: the newest values exactly, the whole run in buckets.
 *
 * @module
 */
import { median } from '../stats/median.ts'
import { theilSen } from '../stats/theil-sen.ts'
import type { SeriesInfo } from '../vocabulary/series.ts'
import { seriesInfo, type TrainerName } from '../vocabulary/vocabulary.ts'
import { MetricsBuffer } from './buffer.ts'
import { type HistoryBucket, SeriesHistory } from './history.ts'

/** Names that a run may have, from the wire format. */
export const MAX_METRIC_NAMES = 2000
/** UTF-8 bytes that a name may have, from the wire format. */
export const MAX_NAME_BYTES = 250
/** Values over which a trend is computed where nothing else is said: long enough to see past a burst, short enough to be fast. */
export const DEFAULT_TREND_WINDOW = 200
/** Attempts whose superseded points are kept for plots; older ones are forgotten. */
const MAX_SUPERSEDED_ATTEMPTS = 8

/** Summary of a series over its newest values (at most 10,000). */
export interface SeriesStatistics {
  /** Finite values. */
  readonly count: number
  /** Mean of the finite values, in the unit of the series. */
  readonly mean: number
  /** Sample standard deviation (n - 1); 0 for one value. */
  readonly std: number
  /** Smallest finite value. */
  readonly min: number
  /** Largest finite value. */
  readonly max: number
  /** Median of the finite values. */
  readonly median: number
  /** NaN and infinite values among the newest. */
  readonly nonFinite: number
}

/** Which way a series goes, and how sure that is. */
export interface Trend {
  /** Theil-Sen slope: change per iteration in the unit of the series. */
  readonly slope: number
  /** 95 % interval of the slope, widened for autocorrelation. */
  readonly interval: readonly [number, number]
  /** `up` or `down` only where the interval excludes 0. */
  readonly direction: 'up' | 'down' | 'flat'
}

interface Series {
  readonly info: SeriesInfo
  readonly buffer: MetricsBuffer
  readonly history: SeriesHistory
  readonly superseded: { readonly attempt: number; readonly buckets: readonly HistoryBucket[] }[]
  trend: { readonly version: number; readonly window: number; readonly value: Trend | null } | null
}

/**
 * The metrics of one run. A name may be the trainer's own or the canonical one.
 *
 * @example
 * ```ts
 * import { MetricsStore } from 'telltale'
 * const store = new MetricsStore()
 * for (let i = 0; i < 50; i++) store.add('reward', 0.1 * i, i)
 * console.log(store.latest('reward/score'), store.computeTrend('reward')?.direction) // 4.9 up
 * ```
 */
export class MetricsStore {
  /** Table that names are looked up in. */
  readonly trainer: TrainerName
  readonly #series = new Map<string, Series>()
  /** Every name that was used, original or canonical, to its series. */
  readonly #byName = new Map<string, Series>()
  readonly #dropped = new Set<string>()

  /** @param options.trainer table of names; `own-loop` by default. */
  constructor(options: { readonly trainer?: TrainerName } = {}) {
    this.trainer = options.trainer ?? 'own-loop'
  }

  /** Canonical names in order of first appearance. */
  names(): readonly string[] {
    return [...this.#series.keys()]
  }

  /** Distinct names that were left out because the run had too many or they were too long (counted up to 10,000). */
  get droppedNames(): number {
    return this.#dropped.size
  }

  /** What a series means; for a name that was never logged, what it would mean. */
  info(name: string): SeriesInfo {
    return this.#find(name)?.info ?? seriesInfo(name, this.trainer)
  }

  /**
   * Adds a value of an iteration. NaN and Infinity are values. Beyond 2,000 names, or for a name of more than 250 bytes,
   * the value is left out and the name counted.
   *
   * @returns the canonical name, or undefined where it was left out.
   */
  add(name: string, value: number, iteration: number): string | undefined {
    const series = this.#byName.get(name) ?? this.#open(name)
    if (!series) return undefined
    series.buffer.push(value, iteration)
    series.history.add(value, iteration)
    return series.info.canonical
  }

  /** Stores a value of an iteration that is over: it is in the history at its place, not among the newest values. */
  addLate(name: string, value: number, iteration: number): void {
    const series = this.#byName.get(name) ?? this.#open(name)
    series?.history.add(value, iteration)
  }

  /** The newest values of a series, or undefined where nothing was logged. */
  get(name: string): MetricsBuffer | undefined {
    return this.#find(name)?.buffer
  }

  /** The newest value, or undefined where nothing was logged. */
  latest(name: string): number | undefined {
    return this.#find(name)?.buffer.latest()
  }

  /** Iteration of the newest value, or undefined where nothing was logged. */
  latestIteration(name: string): number | undefined {
    return this.#find(name)?.buffer.latestIteration()
  }

  /** Summary of the newest values (all held, or the last `window`), or null where no finite one was logged. */
  statistics(name: string, options: { readonly window?: number } = {}): SeriesStatistics | null {
    const buffer = this.#find(name)?.buffer
    if (!buffer) return null
    const { values } = buffer.newest(options.window ?? buffer.length)
    const finite = values.filter(Number.isFinite)
    if (finite.length === 0) return null
    let mean = 0
    let squares = 0
    let min = Number.POSITIVE_INFINITY
    let max = Number.NEGATIVE_INFINITY
    for (let i = 0; i < finite.length; i++) {
      const value = finite[i]!
      const delta = value - mean
      mean += delta / (i + 1)
      squares += delta * (value - mean)
      if (value < min) min = value
      if (value > max) max = value
    }
    return {
      count: finite.length,
      mean,
      std: finite.length > 1 ? Math.sqrt(squares / (finite.length - 1)) : 0,
      min,
      max,
      median: median(finite),
      nonFinite: values.length - finite.length,
    }
  }

  /**
   * Mean of each of the newest values with the `window - 1` before it; NaN where all of them are non-finite.
   *
   * @param window values, at least 1.
   */
  movingAverage(name: string, window: number): Float64Array {
    const values = this.#find(name)?.buffer.values() ?? new Float64Array(0)
    const width = Math.max(1, Math.floor(window))
    const averages = new Float64Array(values.length)
    for (let i = 0; i < values.length; i++) {
      // Summed afresh for each value: a running sum would never recover from one spike of 1e300.
      let sum = 0
      let count = 0
      for (let j = Math.max(0, i - width + 1); j <= i; j++) {
        const value = values[j]!
        if (!Number.isFinite(value)) continue
        sum += value
        count++
      }
      averages[i] = count > 0 ? sum / count : Number.NaN
    }
    return averages
  }

  /**
   * The Theil-Sen trend over the last `window` values (200 by default), or null where there are too few.
   */
  computeTrend(name: string, options: { readonly window?: number } = {}): Trend | null {
    const series = this.#find(name)
    if (!series) return null
    const window = options.window ?? DEFAULT_TREND_WINDOW
    const version = series.buffer.version
    if (series.trend?.version === version && series.trend.window === window) return series.trend.value
    const { iterations, values } = series.buffer.newest(window)
    const fit = theilSen(iterations, values)
    const value: Trend | null = fit && {
      slope: fit.slope,
      interval: fit.interval,
      direction: fit.interval[0] > 0 ? 'up' : fit.interval[1] < 0 ? 'down' : 'flat',
    }
    series.trend = { version, window, value }
    return value
  }

  /** The whole run of a series, with what a resumed run superseded; undefined where nothing was logged. */
  history(name: string):
    | {
        buckets(): readonly HistoryBucket[]
        superseded(): readonly { readonly attempt: number; readonly buckets: readonly HistoryBucket[] }[]
      }
    | undefined {
    const series = this.#find(name)
    return series && { buckets: () => series.history.buckets(), superseded: () => series.superseded }
  }

  /**
   * The whole run of a series in at most `size` values, oldest first: means of the finite values of equal spans of
   * iterations, NaN where there was none. Empty where nothing was logged.
   */
  runSoFar(name: string, size: number): readonly number[] {
    return this.#find(name)?.history.means(size) ?? []
  }

  /** The run has fallen back to `iteration`: what lies at or after it is kept as superseded by `attempt`. */
  beginAttempt(attempt: number, iteration: number): void {
    for (const series of this.#series.values()) {
      series.buffer.dropFrom(iteration)
      const buckets = series.history.cutFrom(iteration)
      if (buckets.length === 0) continue
      series.superseded.push({ attempt: attempt - 1, buckets })
      if (series.superseded.length > MAX_SUPERSEDED_ATTEMPTS) series.superseded.shift()
    }
  }

  #find(name: string): Series | undefined {
    return (
      this.#byName.get(name) ?? this.#series.get(name) ?? this.#series.get(seriesInfo(name, this.trainer).canonical)
    )
  }

  #open(name: string): Series | undefined {
    const info = seriesInfo(name, this.trainer)
    const taken = this.#series.get(info.canonical)
    // A second original name for a canonical one that another original already feeds is a series of its own: values of
    // two definitions are never mixed.
    const own = taken && taken.info.original !== name && name !== info.canonical
    const canonical = own ? name : info.canonical
    const known = this.#series.get(canonical)
    if (known) {
      this.#byName.set(name, known)
      return known
    }
    if (
      this.#series.size >= MAX_METRIC_NAMES ||
      name.length > MAX_NAME_BYTES ||
      Buffer.byteLength(name) > MAX_NAME_BYTES
    ) {
      if (this.#dropped.size < 10_000) this.#dropped.add(name.slice(0, MAX_NAME_BYTES))
      return undefined
    }
    const series: Series = {
      info: own ? { ...info, canonical } : info,
      buffer: new MetricsBuffer(),
      history: new SeriesHistory(),
      superseded: [],
      trend: null,
    }
    this.#series.set(canonical, series)
    this.#byName.set(name, series)
    return series
  }
}
