/**
 * Rules that need no statistics: what is exactly wrong, or beyond a limit that its users agree on, for several iterations.
 *
 * @module
 */
import type { AlertKind, Detector, Evidence, Json, Observation, Severity } from '../detector.ts'

/** What a rule found wrong in one iteration. */
export interface Finding {
  readonly series: string
  readonly observed: number
  readonly expected: number
  readonly direction?: 'up' | 'down'
}

/** One rule. */
export interface SustainedRule {
  /** Kebab-case; the detector's name in alerts. */
  readonly name: string
  readonly kind: AlertKind
  readonly severity: Severity
  readonly reads: readonly (readonly string[])[]
  /** Iterations in a row in which the rule must find it wrong, of those that logged what it reads. */
  readonly iterations: number
  /** What is wrong; null where nothing is, undefined where this iteration says nothing about it. */
  readonly check: (observation: Observation) => Finding | null | undefined
  /** Called with the iterations in a row so far, each time the rule was asked and could say. */
  readonly seen?: (inARow: number) => void
}

interface State {
  readonly count: number
  readonly since: number
  readonly open: Json
  readonly [key: string]: Json
}

/** A detector of one {@link SustainedRule}. */
export function sustained(rule: SustainedRule): Detector<State> {
  let count = 0
  let since = -1
  let open: Evidence | null = null
  return {
    name: rule.name,
    kind: rule.kind,
    reads: rule.reads,
    update(observation) {
      const finding = rule.check(observation)
      if (finding === undefined) return open ?? undefined
      if (finding === null) {
        count = 0
        open = null
        rule.seen?.(0)
        return undefined
      }
      if (count++ === 0) since = observation.iteration
      rule.seen?.(count)
      if (count < rule.iterations) return undefined
      open = {
        kind: rule.kind,
        ...(finding.direction ? { direction: finding.direction } : {}),
        severity: rule.severity,
        series: [finding.series],
        observed: finding.observed,
        expected: finding.expected,
        statistic: count,
        threshold: rule.iterations,
        onset: { estimate: since, interval: [since, since] },
      }
      return open
    },
    snapshot: () => ({ count, since, open: open as unknown as Json }),
    restore(state) {
      count = state.count
      since = state.since
      open = state.open as unknown as Evidence | null
    },
  }
}
