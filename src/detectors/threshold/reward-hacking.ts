import { median } from '../../stats/median.ts'
import { type RecentWindow, recentWindow } from '../../stats/recent-window.ts'
import { theilSen, trendCanBe } from '../../stats/theil-sen.ts'
import type { Detector } from '../detector.ts'
import { firstLogged, QUALITY_SIGNALS, type QualitySignal } from '../signals.ts'

/** Options of {@link rewardHackingRule}. */
export interface RewardHackingOptions {
  /**
   * Standardised rise of the reward minus the standardised change of quality over the window, above which the alarm is
   * raised; the plan's default is 0.3.
   */
  readonly rewardHackThreshold: number
  /** Iterations looked back; the plan's default is 50. */
  readonly windowSize: number
}

interface State {
  readonly reward: ReturnType<RecentWindow['snapshot']>
  readonly quality: ReturnType<RecentWindow['snapshot']>
  readonly signal: string | null
  readonly onset: readonly [number, number] | null
  readonly [key: string]: never | State[keyof State]
}

/** Points of a window below which no trend is told. */
const MIN_POINTS = 20
/** Points of a long window that its trend is computed from: the time goes with their square. */
const MAX_POINTS = 100
/** Values at each end of the window whose median is its level there. */
const ENDS = 5

/**
 * The plan's check for reward hacking: over the window the reward's trend goes up while the trend of the best quality
 * signal there is goes the bad way, both beyond their 95 % intervals; quality has changed by more than its margin, and together
 * they part by more than the threshold.
 * A standardised change is the Theil-Sen slope times the window's span over the robust standard deviation around the trend.
 */
export function rewardHackingRule(options: RewardHackingOptions): Detector<State> {
  const reward = recentWindow(options.windowSize)
  const quality = recentWindow(options.windowSize)
  let signal: QualitySignal | null = null
  /** First iteration of the window that raised the evidence now open, and the iteration that did. */
  let onset: readonly [number, number] | null = null
  return {
    name: 'reward-hacking',
    kind: 'reward-hacking',
    reads: [['reward/score'], QUALITY_SIGNALS.map(({ name }) => name)],
    update(observation) {
      if (observation.announced?.length) {
        // What was announced explains a step in either series; the window begins anew behind it.
        reward.clear()
        quality.clear()
        onset = null
      }
      const rewardValue = observation.get('reward/score')
      if (rewardValue !== undefined) reward.push(observation.iteration, rewardValue)
      const logged = firstLogged(observation, QUALITY_SIGNALS)
      if (logged && better(logged.signal, signal)) {
        signal = logged.signal
        quality.clear()
      }
      if (logged && logged.signal === signal) quality.push(observation.iteration, logged.value)
      if (signal === null || rewardValue === undefined) return undefined
      const worse = signal.badDirection === 'up' ? 1 : -1
      const expected = median(quality.values().slice(0, ENDS))
      const observed = median(quality.values().slice(-ENDS))
      const fell = worse * (observed - expected)
      // The cheap question first: in a healthy run it is answered with no, and no trend has to be computed.
      const matters = quality.length >= MIN_POINTS && fell > 0 && fell >= (signal.margin ?? 0) * Math.abs(expected)
      const fall = matters ? standardisedChange(quality, worse) : null
      const rise = fall ? standardisedChange(reward, 1) : null
      const divergence = rise !== null && fall !== null ? rise + worse * fall : 0
      if (rise === null || divergence <= options.rewardHackThreshold) {
        onset = null
        return undefined
      }
      onset ??= [quality.iterations()[0] ?? observation.iteration, observation.iteration]
      return {
        kind: 'reward-hacking',
        direction: signal.badDirection,
        severity: 'critical',
        series: [signal.name, 'reward/score'],
        observed,
        expected,
        statistic: divergence,
        threshold: options.rewardHackThreshold,
        onset: { estimate: Math.round((onset[0] + onset[1]) / 2), interval: onset },
      }
    },
    snapshot: () => ({ reward: reward.snapshot(), quality: quality.snapshot(), signal: signal?.name ?? null, onset }),
    restore(state) {
      reward.restore(state.reward)
      quality.restore(state.quality)
      signal = QUALITY_SIGNALS.find(({ name }) => name === state.signal) ?? null
      onset = state.onset
    },
  }
}

function better(candidate: QualitySignal, current: QualitySignal | null): boolean {
  return current === null || QUALITY_SIGNALS.indexOf(candidate) < QUALITY_SIGNALS.indexOf(current)
}

/** The standardised change of a window whose trend goes the way of `side` beyond its interval, or null. */
function standardisedChange(window: RecentWindow, side: 1 | -1): number | null {
  if (window.length < MIN_POINTS) return null
  const step = Math.ceil(window.length / MAX_POINTS)
  const thinned = (values: readonly number[]) => (step === 1 ? values : values.filter((_, i) => i % step === 0))
  const x = thinned(window.iterations())
  const y = thinned(window.values())
  const fit = trendCanBe(side, x, y) ? theilSen(x, y) : null
  if (!fit || (side === 1 ? !(fit.interval[0] > 0) : !(fit.interval[1] < 0))) return null
  const distances = new Float64Array(y).map((value, i) => Math.abs(value - (fit.intercept + fit.slope * x[i]!)))
  const sd = 1.4826 * median(distances)
  const change = fit.slope * (x[x.length - 1]! - x[0]!)
  // Without any noise around the trend every change is beyond doubt; it still has to have a size.
  return sd > 0 ? change / sd : Math.sign(change) * (change === 0 ? 0 : Number.MAX_VALUE)
}
