import { median } from '../../stats/median.ts'
import { type RecentWindow, recentWindow } from '../../stats/recent-window.ts'
import type { Detector } from '../detector.ts'

/** Options of {@link coherenceRule}. */
export interface CoherenceOptions {
  /** How many times its level of the first iterations a signal may reach; 2 by default. */
  readonly coherenceRatio: number
  /** Iterations that the baseline is taken over, a fifth of the plan's window of 50: 10 by default. */
  readonly baselineIterations: number
}

interface State {
  readonly perplexity: readonly number[]
  readonly recent: ReturnType<RecentWindow['snapshot']>
  readonly since: number | null
  readonly [key: string]: never | State[keyof State]
}

/** Newest values whose median is compared with the baseline: one odd batch is not a loss of coherence. */
const RECENT = 5

/**
 * The plan's coherence check: the perplexity of the answers under the frozen reference model, as the median of five
 * iterations, reaches a multiple of what it was in the first iterations. A warning at the ratio, critical at its square.
 */
export function coherenceRule(options: CoherenceOptions): Detector<State> {
  let baseline: number[] = []
  const recent = recentWindow(RECENT)
  /** Median of the whole baseline. */
  let expected: number | null = null
  let since: number | null = null
  return {
    name: 'coherence-loss',
    kind: 'coherence-loss',
    reads: [['quality/ref_perplexity']],
    update(observation) {
      const perplexity = observation.get('quality/ref_perplexity')
      if (perplexity === undefined || !Number.isFinite(perplexity)) return undefined
      if (baseline.length < options.baselineIterations) {
        baseline.push(perplexity)
        return undefined
      }
      recent.push(observation.iteration, perplexity)
      if (recent.length < RECENT) return undefined
      expected ??= median(baseline)
      const observed = median(recent.values())
      const ratio = observed / expected
      if (!(ratio >= options.coherenceRatio)) {
        since = null
        return undefined
      }
      since ??= observation.iteration
      return {
        kind: 'coherence-loss',
        direction: 'up',
        severity: ratio >= options.coherenceRatio ** 2 ? 'critical' : 'warning',
        series: ['quality/ref_perplexity'],
        observed,
        expected,
        statistic: ratio,
        threshold: options.coherenceRatio,
        onset: { estimate: Math.max(0, since - RECENT + 1), interval: [Math.max(0, since - 2 * RECENT), since] },
      }
    },
    snapshot: () => ({ perplexity: [...baseline], recent: recent.snapshot(), since }),
    restore(state) {
      baseline = [...state.perplexity]
      expected = null
      recent.restore(state.recent)
      since = state.since
    },
  }
}
