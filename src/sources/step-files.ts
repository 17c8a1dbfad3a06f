/**
 * A folder with a file a step, each written as a whole: followed by its files' versions.
 *
 * @module
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { errorMessage, TelltaleError } from '../errors.ts'
import { fileVersion } from './growing-file.ts'
import type { Cut } from './line-cutter.ts'
import type { Json, Source, SourceName } from './source.ts'

/** Files that are read in one batch. */
const FILES_A_BATCH = 16

/** What {@link stepFiles} is told. */
export interface StepFilesOptions {
  readonly name: SourceName
  readonly folder: string
  /** From {@link SourceBatch.position}. */
  readonly position: Json | undefined
  /** What the files are called; the first group is the step. */
  readonly file: RegExp
  /** Reads one file, all of it; gives its bytes. @throws TelltaleError where it cannot be read. */
  readFile(step: number, path: string, cut: Cut): Promise<number>
}

export function stepFiles({ name, folder, position, file, readFile }: StepFilesOptions): Source {
  /** By step: a file of an earlier step that is written anew is another attempt's. */
  const versions = new Map<number, string>(parsePosition(position))
  /** Versions that were met once: a file counts as whole where a look later it is the same, or a later one is there. */
  const met = new Map<number, string>()

  /** One that cannot be read does not hold up the others. */
  async function tryFile(step: number, path: string, cut: Cut): Promise<number> {
    try {
      return await readFile(step, path, cut)
    } catch (error) {
      if (!(error instanceof TelltaleError)) throw error
      cut.damage.push({ path, offset: 0, problem: error.message })
      return 0
    }
  }

  return {
    name,
    async read({ finished = false, signal } = {}) {
      signal?.throwIfAborted()
      const cut: Cut = { records: [], damage: [] }
      const files = filesIn(folder, file)
      const newest = files.at(-1)?.step
      let bytes = 0
      let left = FILES_A_BATCH
      let more = false
      for (const { step, path } of files) {
        const version = fileVersion(path)
        if (version === null || versions.get(step) === version) continue
        if (left-- === 0) {
          more = true
          break
        }
        const whole = finished || step !== newest || met.get(step) === version
        met.set(step, version)
        if (!whole) continue
        met.delete(step)
        bytes += await tryFile(step, path, cut)
        versions.set(step, version)
      }
      return { ...cut, position: [...versions], bytes, more }
    },
    close() {},
  }
}

function filesIn(folder: string, file: RegExp): readonly { readonly step: number; readonly path: string }[] {
  try {
    return readdirSync(folder)
      .flatMap((name) => {
        const step = file.exec(name)?.[1]
        return step === undefined ? [] : [{ step: Number(step), path: join(folder, name) }]
      })
      .sort((a, b) => a.step - b.step)
  } catch (error) {
    throw new TelltaleError('not-readable', `${folder} cannot be read: ${errorMessage(error)}`)
  }
}

function parsePosition(position: Json | undefined): readonly (readonly [number, string])[] {
  if (!Array.isArray(position)) return []
  return position.flatMap((pair) =>
    Array.isArray(pair) && typeof pair[0] === 'number' ? [[pair[0], String(pair[1])] as const] : [],
  )
}
