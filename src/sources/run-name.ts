import { basename } from 'node:path'

/** The name of a run that has none: its file's without the ending, or `stdin`. */
export function nameOfFile(path: string): string {
  return path === '-' ? 'stdin' : basename(path).replace(/\.[A-Za-z0-9]+$/, '')
}

/** A name as a run id: letters, digits, `_` and `-`, at most 64 of them. */
export function runIdOf(name: string): string {
  return name.replace(/[^A-Za-z0-9_-]+/g, '-').slice(0, 64) || 'run'
}
