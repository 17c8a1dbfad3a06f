import { basename, dirname, resolve } from 'node:path'

/** Names of files and folders that say nothing of the run: that of the folder above does. */
const NO_NAMES =
  /^(metrics|log|logs|train|train_log|training|training_log|console|outputs?|stdout|nohup|history|results?)$/i

/** The name of a run that has none: its file's without the ending, the folder's where that says nothing, or `stdin`. */
export function nameOfFile(path: string): string {
  if (path === '-') return 'stdin'
  const stem = basename(path).replace(/\.[A-Za-z0-9]+$/, '')
  return NO_NAMES.test(stem) ? basename(dirname(resolve(path))) || stem : stem
}

/** The name of a run that has none and is a folder. */
export function nameOfFolder(path: string): string {
  const name = basename(path)
  return NO_NAMES.test(name) ? basename(dirname(path)) || name : name
}

/** A name as a run id: letters, digits, `_` and `-`, at most 64 of them. */
export function runIdOf(name: string): string {
  return name.replace(/[^A-Za-z0-9_-]+/g, '-').slice(0, 64) || 'run'
}

/** Runs of one file whose names are the same, told apart by their ids. */
export function namedApart<Run extends { readonly id: string; readonly name: string }>(
  runs: readonly Run[],
): readonly Run[] {
  const counts = new Map<string, number>()
  for (const { name } of runs) counts.set(name, (counts.get(name) ?? 0) + 1)
  return runs.map((run) => (counts.get(run.name) === 1 ? run : { ...run, name: `${run.name}-${run.id.slice(0, 8)}` }))
}
