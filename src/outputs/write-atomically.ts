import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { errorMessage, TelltaleError } from '../errors.ts'
import { makeFolder } from '../make-folder.ts'
import { randomId } from '../time.ts'

/**
 * Writes a file by renaming a finished one into its place, so that a reader (or a crash) never sees half of it.
 *
 * @returns the path.
 * @throws TelltaleError `not-writable`.
 */
export function writeAtomically(folder: string, name: string, content: string | Uint8Array): string {
  const path = join(folder, name)
  const temporary = join(folder, `.${name}.${randomId()}.tmp`)
  try {
    makeFolder(folder)
    writeFileSync(temporary, content)
    renameSync(temporary, path)
  } catch (error) {
    removeQuietly(temporary)
    throw new TelltaleError(
      'not-writable',
      `${path} cannot be written: ${errorMessage(error)}; choose an outputDir, or a file, in a folder in which you may write`,
      { cause: error },
    )
  }
  return path
}

function removeQuietly(path: string): void {
  try {
    rmSync(path, { force: true })
  } catch {
    // Where nothing could be made there is nothing to remove; the first error is the one to tell.
  }
}
