import { median } from '../../stats/median.ts'
import { type RecentWindow, recentWindow } from '../../stats/recent-window.ts'
import type { Detector } from '../detector.ts'

/** Options of {@link valueMismatchRule}. */
export interface ValueMismatchOptions {
  /** Explained variance at or under which the value head is no better than a constant; 0 by default. */
  readonly explainedVarianceFloor: number
  /** Iterations before the first judgement, since a fresh value head is bad for its first 10 to 20 updates; 20 by default. */
  readonly warmupIterations: number
  /** Iterations whose median is judged, a fifth of the plan's window of 50: 10 by default. */
  readonly windowSize: number
}

type State = {
  readonly seen: number
  readonly recent: ReturnType<RecentWindow['snapshot']>
  readonly since: number | null
}

/**
 * The plan's value check: the value head predicts the returns no better than a constant would (median explained
 * variance of the last iterations at or under 0), so that the advantages are noise. A warning: the policy may still learn.
 */
export function valueMismatchRule(options: ValueMismatchOptions): Detector<State> {
  let seen = 0
  const recent = recentWindow(options.windowSize)
  let since: number | null = null
  return {
    name: 'value-reward-mismatch',
    kind: 'value-reward-mismatch',
    reads: [['value/explained_variance']],
    update(observation) {
      const explained = observation.get('value/explained_variance')
      if (explained === undefined) return undefined
      seen++
      recent.push(observation.iteration, explained)
      if (seen <= options.warmupIterations || recent.length < options.windowSize) return undefined
      const observed = median(recent.values())
      if (observed > options.explainedVarianceFloor) {
        since = null
        return undefined
      }
      since ??= observation.iteration
      const first = recent.iterations()[0] ?? since
      return {
        kind: 'value-reward-mismatch',
        direction: 'down',
        severity: 'warning',
        series: ['value/explained_variance'],
        observed,
        expected: options.explainedVarianceFloor,
        statistic: -observed,
        threshold: 0 - options.explainedVarianceFloor,
        onset: { estimate: Math.min(first, since), interval: [Math.min(first, since), since] },
      }
    },
    snapshot: () => ({ seen, recent: recent.snapshot(), since }),
    restore(state) {
      seen = state.seen
      recent.restore(state.recent)
      since = state.since
    },
  }
}
