/**
 * Puts recorded runs into the store, of any format, as a watch would have.
 *
 * @module
 */
import { type CheckedPath, type CheckPathOptions, checkPath } from '../check/check-path.ts'
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
  let place = path
  let first: { readonly path: string; readonly source: string } = { path, source: 'jsonl' }
  return checkPath(path, {
    ...options,
    onFound(found) {
      place = found.key
      const [part] = found.parts
      if (part) first = { path: part.path, source: part.format.name }
    },
    check: {
      ...options.check,
      onBegin(run, monitor, analyzer) {
        const key = `${place} ${run}`
        const recorder = runRecorder({
          ...{ store, now, say: (text: string) => say(`${run}: ${text}`) },
          identity: () => ({ key, run, name: run, ...first }),
          monitor: () => monitor,
          analyzer: () => analyzer,
        })
        monitor.registerCallback({ name: 'store', onEvent: recorder.event })
        recorders.set(run, recorder)
      },
    },
    async onRun({ run, path: numbers, source }) {
      first = { path: numbers, source }
      recorders.get(run)?.commit()
      recorders.delete(run)
    },
  })
}
