/**
 * Keeps what is watched in the store, a few seconds behind.
 *
 * @module
 */
import { errorMessage, TelltaleError } from '../errors.ts'
import type { RunStatus } from '../events.ts'
import { isAlive } from '../log/process-info.ts'
import type { FoundRun } from '../sources/find-runs.ts'
import { identityOfRun } from '../stores/identity-of-run.ts'
import { lastHeardWords, markCrashed } from '../stores/mark-crashed.ts'
import { openStore } from '../stores/open-store.ts'
import { refill } from '../stores/refill.ts'
import { type RunRecorder, runRecorder } from '../stores/run-recorder.ts'
import type { RunStore } from '../stores/store.ts'
import { type Clock, systemClock } from '../time.ts'
import { mayPass, patientStore } from './patient-store.ts'
import type { LiveRun, WatchedRun, WatchedRunOptions } from './watched-run.ts'

/** Between two commits of all runs that have news. */
const COMMIT_INTERVAL_MS = 2000

/** Between two points of a run from which another process can go on. */
const RESUME_INTERVAL_MS = 30_000

/** For how long what was said of one run is not said of the next. */
const SAID_LATELY_MS = 60_000

/** Between two looks for runs whose process is gone. */
const CRASH_INTERVAL_MS = 10_000

/** What keeps runs. */
export interface RunKeeper {
  readonly onBegin: NonNullable<WatchedRunOptions['onBegin']>
  readonly resume: NonNullable<WatchedRunOptions['resume']>
  /** Stores what has come of the runs that are watched, if some time has passed since it did last. */
  round(watched: Iterable<WatchedRun>): void
  /** Stores what has come, now, so that no later process drops it to read it again. @returns whether all of it is on the disk. */
  flush(watched: Iterable<WatchedRun>): boolean
  /**
   * Stores what has come, and closes the store.
   *
   * @param end how runs ended that do not say so themselves, where that is known.
   */
  close(watched: Iterable<WatchedRun>, end?: RunStatus | 'crashed'): void
}

/** @param say takes a line for the person who watches. */
export function keepRuns(store: RunStore, clock: Clock, say: (text: string) => void): RunKeeper {
  /** By the key of the run's place. `behind`: something was stored since its newest point to go on from. */
  const places = new Map<
    string,
    { readonly recorders: Map<string, RunRecorder>; resumableMs: number; behind: boolean }
  >()
  /** What was said last of a run: a store that fails does so for all of them, which is one line. */
  let lately = { text: '', ms: Number.NEGATIVE_INFINITY }
  let committedMs = Number.NEGATIVE_INFINITY
  let lookedMs = Number.NEGATIVE_INFINITY

  function sayOf(name: string, text: string): void {
    if (text === lately.text && clock.monotonicMs() - lately.ms < SAID_LATELY_MS) return
    lately = { text, ms: clock.monotonicMs() }
    const recorders = [...places.values()].reduce((sum, place) => sum + place.recorders.size, 0)
    say(`${name}${recorders > 1 ? ' and other runs' : ''}: ${text}`)
  }

  /** @param resumable whether another process shall be able to go on from here, at whatever cost. */
  function commit(watched: Iterable<WatchedRun>, resumable: boolean): void {
    let broken: unknown = null
    const byKey = new Map([...watched].map((one) => [one.found.key, one]))
    for (const [key, place] of places) {
      const all = [...place.recorders.values()]
      const news = all.some(({ hasNews }) => hasNews)
      if (!news && !(resumable && place.behind)) continue
      const due = resumable || clock.monotonicMs() - place.resumableMs >= RESUME_INTERVAL_MS
      const state = due ? (byKey.get(key)?.save() ?? null) : null
      const gathered = all.map((recorder) => [recorder, recorder.gather(state !== null)] as const)
      const commits = gathered.flatMap(([, one]) => (one === null ? [] : [one]))
      if (commits.length === 0) continue
      if (broken !== null) {
        for (const [recorder, one] of gathered) if (one !== null) recorder.refused(broken)
        continue
      }
      // Where one of them cannot be stored, the others have no common point either.
      const point = state !== null && commits.length === all.length ? { place: key, state } : undefined
      try {
        store.commit(commits, point)
        place.behind = point === undefined
        if (point) place.resumableMs = clock.monotonicMs()
        for (const [recorder, one] of gathered) if (one !== null) recorder.committed()
      } catch (error) {
        for (const [recorder, one] of gathered) if (one !== null) recorder.refused(error)
        // A disk that is full, or a lock that somebody holds, is so for all: each would wait for it.
        if (isOfTheStore(error)) broken = error
      }
    }
  }

  /** A run of this machine whose process is gone, and that has said no end, will say none. */
  function lookForCrashed(): void {
    if (clock.monotonicMs() - lookedMs < CRASH_INTERVAL_MS) return
    lookedMs = clock.monotonicMs()
    try {
      for (const run of markCrashed(store, isAlive))
        say(
          `${run.name}: crashed: its process ${run.process.pid} is gone without an end of the run${lastHeardWords(run)}`,
        )
    } catch {
      // A store that cannot be asked has said so already.
    }
  }

  function markEnded(watched: Iterable<WatchedRun>, end: RunStatus | 'crashed'): void {
    try {
      for (const { found, runs } of watched)
        for (const run of runs) if (run.status === 'running') store.markEnded(identityOfRun(found, run).key, end)
    } catch {
      // A store that cannot be written has said so already.
    }
  }

  return {
    resume(found) {
      try {
        return store.resumePoint(found.key)
      } catch {
        // Then the run is read from its beginning.
        return null
      }
    },
    onBegin(run: LiveRun, found: FoundRun, resumed: boolean) {
      const identity = () => identityOfRun(found, run)
      const epoch = resumed ? store.resume(found.key, identity()) : undefined
      if (epoch === null) throw new TelltaleError('bad-usage', 'the store has no such point to go on from')
      if (resumed)
        refill(run.monitor.getMetricsStore(), store.everyPoint(identity().key), run.monitor.summary().attempts)
      const recorder = runRecorder({
        ...{ store, identity, epoch, followed: true },
        monitor: () => run.monitor,
        analyzer: () => run.analyzer,
        missingLines: () => run.missingLines,
        now: clock.unixSeconds,
        say: (text, isShared) => (isShared ? sayOf(run.name, text) : say(`${run.name}: ${text}`)),
      })
      const place = places.get(found.key) ?? { recorders: new Map(), resumableMs: clock.monotonicMs(), behind: false }
      places.set(found.key, place)
      place.recorders.set(run.id, recorder)
      return recorder.event
    },
    round(watched) {
      if (clock.monotonicMs() - committedMs < COMMIT_INTERVAL_MS) return
      commit(watched, false)
      committedMs = clock.monotonicMs()
      lookForCrashed()
    },
    flush(watched) {
      // With a point to go on from: what came after the newest one is dropped and read again by the next process, and would be gone for that time.
      commit(watched, true)
      return [...places.values()].every(({ recorders }) => [...recorders.values()].every(({ isStored }) => isStored))
    },
    close(watched, end) {
      const recorders = [...places.values()].flatMap((place) => [...place.recorders])
      for (const [, recorder] of recorders) recorder.tryNow()
      commit(watched, true)
      for (const [name, recorder] of recorders)
        if (recorder.isBehind) sayOf(name, 'what came last is not stored; telltale import reads it from its files')
      if (end) markEnded(watched, end)
      store.close()
    },
  }
}

/** Whether a commit failed for a reason that is not its run's. */
function isOfTheStore(error: unknown): boolean {
  return error instanceof TelltaleError && error.code === 'not-writable'
}

/**
 * Keeps runs in the data folder's store; null, with a line that says why, where there can be none: the watching goes on without. A store that cannot be
 * opened for now, since the disk is full or somebody holds it, is tried again.
 */
export function keeperOf(say: (text: string) => void): RunKeeper | null {
  const said = new Set<string>()
  const sayOnce = (text: string): void => {
    if (!said.has(text)) say(text)
    said.add(text)
  }
  const open = () => openStore(process.env, sayOnce)
  try {
    return keepRuns(open(), systemClock, say)
  } catch (error) {
    if (mayPass(error)) return keepRuns(patientStore(open, systemClock.unixSeconds), systemClock, say)
    say(`nothing is kept of these runs: ${errorMessage(error)}`)
    return null
  }
}
