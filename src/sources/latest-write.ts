import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { FoundRun } from './find-runs.ts'

/** Files of a folder that are asked. */
const MAX_FILES = 2000

/** When a run's files were written last, in Unix seconds; 0 where they cannot be asked. */
export function latestWrite({ parts }: FoundRun): number {
  let newest = 0
  for (const { path } of parts) {
    try {
      const stats = statSync(path)
      newest = Math.max(newest, stats.mtimeMs)
      if (!stats.isDirectory()) continue
      for (const name of readdirSync(path).slice(0, MAX_FILES)) {
        const entry = statSync(join(path, name), { throwIfNoEntry: false })
        if (entry) newest = Math.max(newest, entry.mtimeMs)
      }
    } catch {
      // Whoever reads it says why it cannot be read.
    }
  }
  return newest / 1000
}
