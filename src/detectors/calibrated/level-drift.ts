/**
 * A detector that watches the level of one series: most failures are one of these with a transformation and a margin.
 *
 * @module
 */
import type { AlertKind, Detector, Evidence, Json, Observation, Severity } from '../detector.ts'
import { type Drift, type DriftOptions, type DriftState, driftWatch } from './drift.ts'
import { severityOf, type Thresholds } from './ladder.ts'
import { type RewardCredit, rewardCredit } from './reward-credit.ts'

/** What {@link levelDrift} watches, and how. */
export interface LevelDriftOptions extends DriftOptions {
  readonly name: string
  readonly kind: AlertKind
  /** Canonical names, the best first; the first one that is ever logged before any better one is followed. */
  readonly series: readonly string[]
  readonly direction: 'up' | 'down'
  readonly thresholds: Thresholds
  /** From the series' value to a signal that rises when things get worse; NaN where the value cannot be judged. */
  readonly signal: (value: number) => number
  /** Back from a signal to the value, for the evidence. */
  readonly value: (signal: number) => number
  /**
   * Levels beyond which the series is wrong wherever it was before, as signals, by the canonical names that they hold for. What began badly has no
   * better level to be compared with.
   */
  readonly limits?: Readonly<Record<string, number>>
  /** Levels below which nobody should be called or a run stopped, however fast they are reached, as signals, by the canonical names that they hold for. */
  readonly criticalFrom?: Readonly<Record<string, number>>
  /** How far the signal may rise for each standard deviation that the reward has risen by meanwhile; 0 where left out. */
  readonly perRewardRise?: number
}

interface State {
  readonly watch: DriftState
  readonly reward: Json
  readonly series: string | null
  readonly severity: Severity | null
  readonly open: Json
  readonly [key: string]: Json
}

/** Makes a detector of a {@link LevelDriftOptions}. */
export function levelDrift(options: LevelDriftOptions): Detector<State> {
  const { name, kind, direction, thresholds, series } = options
  const watch = driftWatch(options)
  const { perRewardRise = 0 } = options
  const reward: RewardCredit | null = perRewardRise > 0 ? rewardCredit() : null
  let followed: string | null = null
  let open: Evidence | null = null

  function judge(drift: Drift): Evidence | null {
    const said = severityOf(drift.statistic, thresholds, open?.severity ?? null)
    if (said === null) return null
    const severity =
      said === 'critical' && drift.level < (ofFollowed(options.criticalFrom) ?? -Infinity) ? 'warning' : said
    // While an alert is open its onset stays: later blocks would only move it.
    const onset = open?.onset ?? watch.onset(drift)
    return {
      kind,
      direction,
      severity,
      series: [followed ?? series[0]!],
      observed: options.value(drift.level),
      expected: options.value(drift.reference),
      statistic: drift.statistic,
      threshold: thresholds[severity],
      onset,
    }
  }

  function ofFollowed(levels: Readonly<Record<string, number>> | undefined): number | undefined {
    return followed !== null && levels && Object.hasOwn(levels, followed) ? levels[followed] : undefined
  }

  return {
    name,
    kind,
    reads: [series],
    update(observation: Observation) {
      if (observation.announced?.length) {
        watch.reanchor()
        reward?.reanchor()
        open = null
      }
      const value = read(observation)
      reward?.update(observation.get('reward/score') ?? observation.get('reward/total'))
      const signal = value === undefined ? Number.NaN : options.signal(value)
      const excuse = perRewardRise * (reward?.rise() ?? 0)
      const drift = watch.update(
        Number.isNaN(signal) ? undefined : signal,
        observation.iteration,
        excuse,
        ofFollowed(options.limits),
      )
      if (drift) open = judge(drift)
      return open ?? undefined
    },
    snapshot: () => ({
      watch: watch.snapshot(),
      reward: reward?.snapshot() ?? null,
      series: followed,
      severity: open?.severity ?? null,
      open: open as unknown as Json,
    }),
    restore(state) {
      watch.restore(state.watch)
      reward?.restore(state.reward)
      followed = state.series
      open = state.open as unknown as Evidence | null
    },
  }

  function read(observation: Observation): number | undefined {
    for (const candidate of series) {
      const value = observation.get(candidate)
      if (value === undefined) {
        if (candidate === followed) return undefined
        continue
      }
      if (candidate !== followed) {
        // A better series has come: values of two definitions are never mixed.
        if (followed !== null) watch.reanchor()
        followed = candidate
      }
      return value
    }
    return undefined
  }
}
