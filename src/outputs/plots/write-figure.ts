import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { errorMessage, TelltaleError } from '../../errors.ts'
import { randomId } from '../../time.ts'

/**
 * Writes a file by renaming a finished one into its place, so that a reader (or a crash) never sees half a picture.
 *
 * @returns the path.
 * @throws TelltaleError `not-writable`.
 */
export async function writeFigure(folder: string, name: string, content: string | Buffer): Promise<string> {
  const path = join(folder, name)
  const temporary = join(folder, `.${name}.${randomId()}.tmp`)
  try {
    await mkdir(folder, { recursive: true })
    await writeFile(temporary, content)
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined)
    throw new TelltaleError(
      'not-writable',
      `${path} cannot be written: ${errorMessage(error)}; choose an outputDir that is a folder in which you may write`,
      { cause: error },
    )
  }
  return path
}
