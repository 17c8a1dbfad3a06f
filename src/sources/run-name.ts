import { basename, dirname, resolve } from 'node:path'

/** Names of files that say nothing of the run: its folder's does. */
const NO_NAMES =
  /^(metrics|log|logs|train|train_log|training|training_log|console|output|stdout|nohup|history|results?)$/i

/** The name of a run that has none: its file's without the ending, the folder's where that says nothing, or `stdin`. */
export function nameOfFile(path: string): string {
  if (path === '-') return 'stdin'
  const stem = basename(path).replace(/\.[A-Za-z0-9]+$/, '')
  return NO_NAMES.test(stem) ? basename(dirname(resolve(path))) || stem : stem
}

/** A name as a run id: letters, digits, `_` and `-`, at most 64 of them. */
export function runIdOf(name: string): string {
  return name.replace(/[^A-Za-z0-9_-]+/g, '-').slice(0, 64) || 'run'
}
