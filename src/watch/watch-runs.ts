/**
 * Follows every run below some paths, also those that appear later, and tells what happens to whoever shows it or acts on it.
 *
 * @module
 */

import type { Stats } from 'node:fs'
import type { Alert } from '../detectors/detector.ts'
import { goesOn } from '../outputs/webhook/alert-changes.ts'
import { type FoundRun, type FoundRuns, runFinder } from '../sources/find-runs.ts'
import { SOURCE_FORMATS } from '../sources/formats.ts'
import { type Clock, sleep, yieldToEventLoop } from '../time.ts'
import type { PolledSource } from './polled-source.ts'
import { type LiveRun, type WatchedRun, type WatchedRunOptions, watchRun } from './watched-run.ts'

/** What happens while runs are watched. No handler may throw. */
export interface WatchEvents {
  /** A run was found, or is read again with more of its files. */
  onRun?(watched: WatchedRun): void
  /** A watched run is one with another that was found, or is to be left out. */
  onGone?(watched: WatchedRun): void
  /** An alert that was not told before. `live`: it was raised while the run was followed, not found in what was there already. */
  onAlert?(alert: Alert, run: LiveRun, watched: WatchedRun, live: boolean): void
  /** An alert that was told is over: it has passed, or was told again as the one that has replaced it. */
  onResolved?(alert: Alert, run: LiveRun, watched: WatchedRun): void
  /** Something new was read of a run that has caught up. */
  onNews?(watched: WatchedRun): void
  /** Something could not be looked into. */
  onProblem?(problem: string): void
  /** Everything was looked at once more. */
  onRound?(round: { readonly caughtUp: boolean; readonly searched: boolean }): void
}

/** What is watched, and how. */
export interface WatchOptions extends WatchedRunOptions, WatchEvents {
  /** Files and folders. */
  readonly paths: readonly string[]
  /** Standard input, where it is watched, too. */
  readonly stdin?: PolledSource | undefined
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Which of the found runs are watched; all by default. */
  readonly wanted?: ((found: FoundRun) => boolean) | undefined
  /** Files and folders below the paths that are not looked into; none by default. */
  readonly leftOut?: ((stats: Stats) => boolean) | undefined
  /** Asked before each round: whether to search at once, since there will not be another chance. Never by default. */
  readonly urgent?: (() => boolean) | undefined
  /** Asked after each round: whether there is nothing left to wait for. Never by default. */
  readonly done?: (() => boolean) | undefined
}

/** Between two looks at all runs: a new line is on the screen within a second, with the half second between two paints. */
const LOOK_INTERVAL_MS = 300
/** Rounds without news after which a run is looked at every second round only: with the paint that is still within a second. */
const CALM_ROUNDS = 20
/** Between two searches for runs, at the least; and how many times as long as a search takes. */
const SEARCH_INTERVAL_MS = 2000
const SEARCH_SHARE = 200
const MAX_SEARCH_INTERVAL_MS = 60_000

/** Watches until the signal is aborted, or `done` says so. Resolves then; throws only for what no run is to blame for. */
export async function watchRuns(options: WatchOptions): Promise<void> {
  const { clock, signal } = options
  const watched = new Map<string, WatchedRun>()
  const told = new Set<string>()
  const passed = new Set<string>()
  const problems = new Set<string>()
  const finder = options.paths.length > 0 ? runFinder(options.paths, SOURCE_FORMATS, options.leftOut) : null
  let searchAtMs = Number.NEGATIVE_INFINITY
  /** Rounds in a row in which nothing came of a run. */
  const calm = new WeakMap<WatchedRun, number>()
  let rounds = 0
  if (options.stdin) {
    const found: FoundRun = { key: '-', name: 'stdin', parts: [] }
    add(found, watchRun(found, options, { source: options.stdin, path: '-' }))
  }

  function add(found: FoundRun, run: WatchedRun): void {
    watched.set(found.key, run)
    options.onRun?.(run)
  }

  function drop(key: string): void {
    const run = watched.get(key)
    if (!run) return
    watched.delete(key)
    run.close()
    options.onGone?.(run)
  }

  function takeFound({ runs, unreadable }: FoundRuns): void {
    for (const { problem } of unreadable) {
      if (problems.has(problem) || problems.size > 1000) continue
      problems.add(problem)
      options.onProblem?.(problem)
    }
    for (const found of runs) {
      const before = watched.get(found.key)
      if (before ? before.found.parts.length >= found.parts.length : !(options.wanted?.(found) ?? true)) continue
      if ([...watched.values()].some((other) => holdsAll(other.found, found))) continue
      // A file that stood for itself may turn out to be one of a run's.
      for (const [key, other] of watched)
        if (key === found.key || other.found.parts.some((part) => hasPart(found, part))) drop(key)
      add(found, watchRun(found, options))
    }
  }

  async function search(): Promise<boolean> {
    if (finder === null) return false
    if (clock.monotonicMs() < searchAtMs && !options.urgent?.()) return false
    const startMs = clock.monotonicMs()
    takeFound(await finder.find(signal))
    const tookMs = clock.monotonicMs() - startMs
    searchAtMs = startMs + Math.min(MAX_SEARCH_INTERVAL_MS, Math.max(SEARCH_INTERVAL_MS, tookMs * SEARCH_SHARE))
    return true
  }

  function tellAlerts(run: WatchedRun, live: boolean): void {
    for (const one of run.runs) {
      // Where a run is read anew, another alert may have the id of one that was told.
      const idOf = ({ id, kind, severity, iteration }: Alert) =>
        `${run.path} ${one.id} ${id} ${kind} ${severity} ${iteration}`
      const isResolved = (alert: Alert) => alert.state === 'resolved' && !passed.has(idOf(alert))
      const fresh = one.alerts.filter((alert) => !told.has(idOf(alert)))
      // One that came and went between two looks is told once.
      const over = one.alerts.filter((alert) => told.has(idOf(alert)) && isResolved(alert))
      for (const alert of fresh) {
        told.add(idOf(alert))
        if (alert.state === 'resolved') passed.add(idOf(alert))
      }
      for (const alert of over) passed.add(idOf(alert))
      for (const alert of over) if (!goesOn(alert, one.alerts)) options.onResolved?.(alert, one, run)
      for (const alert of fresh) options.onAlert?.(alert, one, run, live)
      // Over, too, but told already, with what has replaced it.
      for (const alert of over) if (goesOn(alert, one.alerts)) options.onResolved?.(alert, one, run)
    }
  }

  /** Runs of which all that was there at first has been read; one that cannot be read yet is none. */
  const followed = new WeakSet<WatchedRun>()

  async function look(run: WatchedRun): Promise<boolean> {
    const live = run.caughtUp && followed.has(run)
    const { more, news } = await run.read(signal)
    if (!run.caughtUp) followed.delete(run)
    else if (run.problem === null) followed.add(run)
    calm.set(run, news || more ? 0 : (calm.get(run) ?? 0) + 1)
    if (news) tellAlerts(run, live)
    if (news && run.caughtUp && run.problem === null) options.onNews?.(run)
    return more
  }

  try {
    while (!signal.aborted) {
      const searched = await search()
      let more = false
      const urgent = options.urgent?.() ?? false
      const isOdd = rounds++ % 2 === 1
      for (const run of [...watched.values()]) {
        if (signal.aborted) break
        if (isOdd && !urgent && (calm.get(run) ?? 0) >= CALM_ROUNDS) continue
        if (await look(run)) {
          more = true
          await yieldToEventLoop()
        }
      }
      options.onRound?.({ caughtUp: [...watched.values()].every(({ caughtUp }) => caughtUp), searched })
      if (options.done?.()) break
      if (!more) await sleep(LOOK_INTERVAL_MS, signal)
    }
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    for (const run of watched.values()) run.close()
  }
}

/** Whether a watched run reads all of another one's files, and more: its folder has got a second run since, and nobody knows whose they are. */
function holdsAll(watched: FoundRun, found: FoundRun): boolean {
  return watched.parts.length > found.parts.length && found.parts.every((part) => hasPart(watched, part))
}

function hasPart(found: FoundRun, { format, path, id }: FoundRun['parts'][number]): boolean {
  return found.parts.some((part) => part.path === path && part.id === id && (part.format === format || id === ''))
}
