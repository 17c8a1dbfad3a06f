/**
 * A rule for what may fall, but not to nothing: a series against what it was in its first iterations.
 *
 * @module
 */
import { median } from '../../stats/median.ts'
import type { AlertKind, Detector, Evidence, Json, Observation, Severity } from '../detector.ts'

/** One such rule. */
export interface BelowStartRule {
  /** Kebab-case; the detector's name in alerts. */
  readonly name: string
  readonly kind: AlertKind
  readonly severity: Severity
  /** Canonical name. */
  readonly series: string
  /** Share of the start below which the series is gone; above 0, below 1. */
  readonly share: number
}

/** Values whose median is the start. */
const START = 10
/** Values in a row that must lie below the share. */
const IN_A_ROW = 10

interface State {
  readonly first: readonly number[]
  readonly start: number
  readonly count: number
  readonly since: number
  readonly open: Json
  readonly [key: string]: Json
}

/** A detector of one {@link BelowStartRule}; silent where the series does not start above 0. What is announced begins a new start. */
export function belowStart(rule: BelowStartRule): Detector<State> {
  let first: number[] = []
  let start = 0
  let count = 0
  let since = -1
  let open: Evidence | null = null

  function judge(value: number, iteration: number): Evidence | null {
    const limit = rule.share * start
    if (value >= limit) {
      count = 0
      return null
    }
    if (count++ === 0) since = iteration
    if (count < IN_A_ROW) return null
    return {
      kind: rule.kind,
      direction: 'down',
      severity: rule.severity,
      series: [rule.series],
      observed: value,
      expected: start,
      statistic: count,
      threshold: IN_A_ROW,
      onset: open?.onset ?? { estimate: since, interval: [since, since] },
    }
  }

  return {
    name: rule.name,
    kind: rule.kind,
    reads: [[rule.series]],
    update(observation: Observation) {
      if (observation.announced?.length) {
        first = []
        start = 0
        count = 0
        open = null
      }
      const value = observation.get(rule.series)
      if (value === undefined || !Number.isFinite(value)) return open ?? undefined
      if (first.length < START) {
        first.push(value)
        if (first.length === START) start = median(first)
        return undefined
      }
      if (start > 0) open = judge(value, observation.iteration)
      return open ?? undefined
    },
    snapshot: () => ({ first: [...first], start, count, since, open: open as unknown as Json }),
    restore(state) {
      first = [...state.first]
      start = state.start
      count = state.count
      since = state.since
      open = state.open as unknown as Evidence | null
    },
  }
}
