/**
 * Puts recorded runs into the store, of any format, as a watch would have.
 *
 * @module
 */
import { type CheckedPath, type CheckPathOptions, checkPath } from '../check/check-path.ts'
import type { FoundRun } from '../sources/find-runs.ts'
import { identityOfRun } from '../stores/identity-of-run.ts'
import { type RunRecorder, runRecorder } from '../stores/run-recorder.ts'
import type { RunStore } from '../stores/store.ts'

/** How runs are put in. */
export interface ImportOptions extends CheckPathOptions {
  readonly store: RunStore
  /** Unix seconds. */
  readonly now: () => number
  readonly say: (text: string) => void
}

/** @throws TelltaleError `not-readable` where there is no run. */
export async function importRuns(path: string, options: ImportOptions): Promise<CheckedPath> {
  const { store, now, say } = options
  const recorders = new Map<string, RunRecorder>()
  /** Where the numbers of the run that was read came from. */
  let numbersFrom: string | undefined
  /** Lines that the logs of the current place lack, by run. */
  const missing = new Map<string, number>()
  /** What comes on standard input is no file. */
  let current: FoundRun = { key: path, name: 'stdin', parts: [] }
  return checkPath(path, {
    ...options,
    onFound(found) {
      current = found
      numbersFrom = undefined
      missing.clear()
    },
    onMissing: (run, lines) => missing.set(run, (missing.get(run) ?? 0) + lines),
    check: {
      ...options.check,
      onBegin(run, monitor, analyzer) {
        const found = current
        const recorder = runRecorder({
          ...{ store, now, followed: false, say: (text: string) => say(`${run}: ${text}`) },
          identity: () => identityOfRun(found, { id: run, name: run, source: numbersFrom }),
          monitor: () => monitor,
          analyzer: () => analyzer,
          missingLines: () => missing.get(run) ?? 0,
        })
        monitor.registerCallback({ name: 'store', onEvent: recorder.event })
        recorders.set(run, recorder)
      },
    },
    async onRun({ run, source }) {
      numbersFrom = source
      recorders.get(run)?.commit()
      recorders.delete(run)
    },
  })
}
