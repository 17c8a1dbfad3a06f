import type { MetricsStore } from '../../metrics/store.ts'
import type { TrendDirection } from './trend-arrow.ts'

/**
 * Newest values that mean and trend are taken over: the window of the plan's analyzer (50), over which a Theil-Sen fit takes a
 * tenth of a millisecond.
 */
export const SERIES_WINDOW = 50
/** Trends computed anew for one paint: a millisecond or two, well within a callback's budget of five. */
const REFRESHED = 8
const MAX_HISTORY = 256

/** What of a series takes time to compute. */
export interface SeriesParts {
  /** Mean of the newest {@link SERIES_WINDOW} values, or null where none is finite. */
  readonly mean: number | null
  readonly trend: TrendDirection
  /** The run so far, at most a few hundred values. */
  readonly history: readonly number[]
}

/** Keeps the parts of all shown series and renews them for each paint: means and histories all, trends in turn. */
export interface SeriesPartsCache {
  /** A paint begins; `all` renews everything for it. */
  begin(store: MetricsStore, all: boolean): void
  /** `always` renews the trend whosever turn it is. */
  partsOf(name: string, always: boolean): SeriesParts
}

/** An empty cache. */
export function createSeriesPartsCache(): SeriesPartsCache {
  let store: MetricsStore | null = null
  let known = new Map<string, { readonly place: number; version: number; trendVersion: number; parts: SeriesParts }>()
  let paint = 0
  let all = true
  return {
    begin(from, renewAll) {
      if (from !== store) known = new Map()
      store = from
      all = renewAll
      paint++
    },
    partsOf(name, always) {
      const version = store?.get(name)?.version ?? -1
      const entry = known.get(name)
      if (!entry || !store) {
        const parts = store ? { ...levelOf(store, name), trend: trendOf(store, name) } : NOTHING
        known.set(name, { place: known.size, version, trendVersion: version, parts })
        return parts
      }
      // An old mean beside a new value would look like a fact; an old trend is still the trend of a moment ago.
      const rounds = Math.ceil(known.size / REFRESHED)
      const due = all || always || entry.place % rounds === paint % rounds
      const trend = due && entry.trendVersion !== version ? trendOf(store, name) : entry.parts.trend
      if (due) entry.trendVersion = version
      if (entry.version !== version || trend !== entry.parts.trend) {
        entry.parts = { ...(entry.version === version ? entry.parts : levelOf(store, name)), trend }
        entry.version = version
      }
      return entry.parts
    },
  }
}

const NOTHING: SeriesParts = { mean: null, trend: null, history: [] }

/** Mean of the finite values, or null where there are none. Summed as a running mean, which huge values cannot overflow. */
function finiteMean(values: Float64Array | undefined): number | null {
  let mean = 0
  let count = 0
  for (const value of values ?? []) if (Number.isFinite(value)) mean += value / ++count - mean / count
  return count > 0 ? mean : null
}

function levelOf(store: MetricsStore, name: string): Omit<SeriesParts, 'trend'> {
  return {
    mean: finiteMean(store.get(name)?.newest(SERIES_WINDOW).values),
    history: store.runSoFar(name, MAX_HISTORY),
  }
}

function trendOf(store: MetricsStore, name: string): TrendDirection {
  return store.computeTrend(name, { window: SERIES_WINDOW })?.direction ?? null
}
