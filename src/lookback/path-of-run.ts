import { existsSync } from 'node:fs'
import type { RunStore } from '../stores/store.ts'
import { findStoredRun, fittingRuns } from './find-stored-run.ts'

/**
 * Where the run is that somebody means: a path that is there, or else the name of a stored run as {@link findStoredRun} takes it.
 *
 * @param open opens the store, or gives null where there is none yet.
 * @returns the text itself where it is neither, for whoever reads it to say so.
 * @throws TelltaleError `bad-usage` where several stored runs fit.
 */
export function pathOfRun(text: string, open: () => RunStore | null): string {
  if (text === '-' || existsSync(text)) return text
  const store = open()
  if (store === null) return text
  try {
    const runs = store.runs()
    return fittingRuns(runs, text).length === 0 ? text : findStoredRun(runs, text).path
  } finally {
    store.close()
  }
}
