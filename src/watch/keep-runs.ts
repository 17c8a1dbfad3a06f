/**
 * Keeps what is watched in the store, a few seconds behind.
 *
 * @module
 */
import { errorMessage } from '../errors.ts'
import type { FoundRun } from '../sources/find-runs.ts'
import { NUMBERS_FROM } from '../sources/formats.ts'
import { openStore } from '../stores/open-store.ts'
import { type RunRecorder, runRecorder } from '../stores/run-recorder.ts'
import type { RunStore } from '../stores/store.ts'
import { type Clock, systemClock } from '../time.ts'
import type { LiveRun, WatchedRunOptions } from './watched-run.ts'

/** Between two commits of all runs that have news. */
const COMMIT_INTERVAL_MS = 2000

const rankOf = ({ format }: FoundRun['parts'][number]) => NUMBERS_FROM.indexOf(format.name)

/** What keeps runs. */
export interface RunKeeper {
  readonly onBegin: NonNullable<WatchedRunOptions['onBegin']>
  /** Stores what has come, if some time has passed since it did last. */
  round(): void
  /** Stores what has come, and closes the store. */
  close(): void
}

/** @param say takes a line for the person who watches. */
export function keepRuns(store: RunStore, clock: Clock, say: (text: string) => void): RunKeeper {
  const recorders = new Set<RunRecorder>()
  let committedMs = Number.NEGATIVE_INFINITY
  const commitAll = () => {
    for (const recorder of recorders) recorder.commit()
  }
  return {
    onBegin(run: LiveRun, found: FoundRun) {
      // Its numbers come from the part that says most.
      const [part] = found.parts.toSorted((a, b) => rankOf(a) - rankOf(b))
      const recorder = runRecorder({
        store,
        identity: () => ({
          key: `${found.key} ${run.id}`,
          run: run.id,
          name: run.name,
          path: part?.path ?? '-',
          source: part?.format.name ?? 'jsonl',
        }),
        monitor: () => run.monitor,
        analyzer: () => run.analyzer,
        now: clock.unixSeconds,
        say: (text) => say(`${run.name}: ${text}`),
      })
      recorders.add(recorder)
      return recorder.event
    },
    round() {
      if (clock.monotonicMs() - committedMs < COMMIT_INTERVAL_MS) return
      commitAll()
      committedMs = clock.monotonicMs()
    },
    close() {
      commitAll()
      store.close()
    },
  }
}

/** Keeps runs in the data folder's store; null, with a line that says why, where there can be none: the watching goes on without. */
export function keeperOf(say: (text: string) => void): RunKeeper | null {
  try {
    return keepRuns(openStore(process.env, say), systemClock, say)
  } catch (error) {
    say(`nothing is kept of these runs: ${errorMessage(error)}`)
    return null
  }
}
