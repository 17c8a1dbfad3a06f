/**
 * What a failure cost: how long a run went on after the onset of its alert.
 *
 * @module
 */
import type { Alert } from '../detectors/detector.ts'
import type { RunStore, StoredRun } from '../stores/store.ts'
import { gpusOfRun } from './gpus-of-run.ts'

/** How long a run went on after an onset. */
export interface AfterOnset {
  /** The onset's. */
  readonly iteration: number
  /** Hours that the run went on. */
  readonly hours: number
  /** Null where nobody says. */
  readonly gpus: number | null
  readonly gpuHours: number | null
  /** `logged`: each iteration's own time was logged. `interpolated`: as if all iterations had taken the same time. */
  readonly how: 'logged' | 'interpolated'
}

/** Share of the iterations whose time has to be logged. */
const LOGGED_SHARE = 0.9
/** Times of iterations that come to more than the run took are not in seconds. */
const MOST_OF_WALL = 1.05

/** The alert whose onset counts: the first critical one, or else the first; no muted one. */
export function decisiveAlert(all: readonly Alert[]): Alert | null {
  const alerts = all.filter(({ muted }) => !muted)
  return alerts.find(({ severity }) => severity === 'critical') ?? alerts[0] ?? null
}

/**
 * @param gpus how many the run had, where somebody says; its settings count otherwise.
 * @returns null where there is no alert, or nothing has a time.
 */
export function afterOnset(run: StoredRun, store: RunStore, gpus?: number | undefined): AfterOnset | null {
  const alert = decisiveAlert(store.alerts(run.key))
  const { lastIteration: last } = run
  if (alert === null || last === null) return null
  const iteration = alert.onset.estimate
  const wall = wallSeconds(run)
  const logged = loggedSeconds(store, run.key, iteration, last, wall)
  const seconds = logged ?? (wall === null ? null : wall * shareAfter(run, store, iteration, last))
  if (seconds === null) return null
  const hours = seconds / 3600
  const known = gpus ?? gpusOfRun(run.config)?.gpus ?? null
  return {
    ...{ iteration, hours, gpus: known, gpuHours: known === null ? null : hours * known },
    how: logged === null ? 'interpolated' : 'logged',
  }
}

/** Seconds that a run took; null where its log has no times. */
export function wallSeconds({ startedUnixSeconds, newestUnixSeconds }: StoredRun): number | null {
  // Flat lines have no time; an earlier version stored 0.
  if (!startedUnixSeconds || newestUnixSeconds === null || newestUnixSeconds < startedUnixSeconds) return null
  return newestUnixSeconds - startedUnixSeconds
}

/** What the iterations after an onset took, by their own times; null where too few are logged, or they cannot be seconds. */
function loggedSeconds(store: RunStore, key: string, onset: number, last: number, wall: number | null): number | null {
  const { iterations, values } = store.points(key, 'time/step', { from: Math.floor(onset) + 1, to: last })
  const times = new Map(iterations.map((iteration, i) => [iteration, values[i]!]))
  const logged = [...times.values()].filter((seconds) => Number.isFinite(seconds) && seconds >= 0)
  const after = last - Math.floor(onset)
  if (after <= 0 || logged.length < LOGGED_SHARE * after) return null
  const seconds = (logged.reduce((sum, one) => sum + one, 0) * after) / logged.length
  return wall !== null && seconds > MOST_OF_WALL * wall ? null : seconds
}

function shareAfter(run: StoredRun, store: RunStore, onset: number, last: number): number {
  const first = Math.min(last, ...store.series(run.key).map(({ firstIteration }) => firstIteration))
  return Math.min(1, Math.max(0, (last - onset) / (last - first + 1)))
}
