import { realpathSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'

/** The one path of a place, whatever links lead to it; it need not be there yet, or any more. */
export function realPath(path: string): string {
  const whole = resolve(path)
  try {
    return realpathSync.native(whole)
  } catch {
    return dirname(whole) === whole ? whole : join(realPath(dirname(whole)), basename(whole))
  }
}
