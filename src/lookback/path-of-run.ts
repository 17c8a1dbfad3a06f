import { existsSync } from 'node:fs'
import type { RunStore, StoredRun } from '../stores/store.ts'
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
    return fittingRuns(runs, text).length === 0 ? text : placeOf(findStoredRun(runs, text))
  } finally {
    store.close()
  }
}

/**
 * The file or folder by which a run was found, which may hold more than the one file with its numbers, and does not depend on the folder in which a
 * command is said; the path of its numbers where it is gone.
 */
export function placeOf({ key, run, path, source }: StoredRun): string {
  // A key is the place and the id; of what stands alone, the place, its format, its name there, and the id.
  const found = key.endsWith(` ${run}`) ? key.slice(0, -run.length - 1) : key
  const format = found.lastIndexOf(` ${source} `)
  const places = [found, ...(format > 0 ? [found.slice(0, format)] : [])]
  return places.find((place) => existsSync(place)) ?? path
}
