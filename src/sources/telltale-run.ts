/**
 * A run folder of our own: one `events-<writer>.jsonl` for each process that has written, in the order of their attempts.
 *
 * @module
 */
import { readdirSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { errorMessage, TelltaleError } from '../errors.ts'
import { logFiles } from '../log/read-run.ts'
import { jsonlReader } from './jsonl.ts'
import { lineSource } from './line-source.ts'
import type { Json, Source, SourceDamage, SourceFormat, SourceRecord } from './source.ts'

const LOG = /^events-[A-Za-z0-9_-]+\.jsonl$/

/** Run folders. */
export const telltaleFormat: SourceFormat = {
  name: 'telltale',
  recognises: (path) => LOG.test(basename(path)),
  belongsTo: dirname,
  home: (folder) => folder,
  async runs(folder) {
    return [{ id: '', name: basename(folder) }]
  },
  async open(folder, _id, position) {
    return runFolderSource(folder, position)
  },
}

function runFolderSource(folder: string, position: Json | undefined): Source {
  const saved = new Map<string, Json>(
    typeof position === 'object' && position !== null && !Array.isArray(position) ? Object.entries(position) : [],
  )
  const sources = new Map<string, Source>()
  /** Names in the folder at the last look: another one is another writer. */
  let seen = ''

  async function lookForWriters(): Promise<void> {
    const names = namesIn(folder)
    const now = names.join('/')
    if (now === seen) return
    if (names.length === 0 && sources.size > 0) return
    for (const path of await logFiles(folder)) {
      const name = basename(path)
      if (!sources.has(name)) sources.set(name, lineSource({ path, reader: jsonlReader, position: saved.get(name) }))
    }
    seen = now
    // A run of another id moves the logs of this one away.
    for (const name of sources.keys()) if (!names.includes(name)) sources.delete(name)
  }

  return {
    name: 'telltale',
    async read(options = {}) {
      options.signal?.throwIfAborted()
      await lookForWriters()
      const records: SourceRecord[] = []
      const damage: SourceDamage[] = []
      let bytes = 0
      let more = false
      for (const [name, source] of sources) {
        const batch = await source.read(options)
        records.push(...batch.records)
        damage.push(...batch.damage)
        bytes += batch.bytes
        saved.set(name, batch.position)
        more = batch.more
        // The files are attempts: one is read to its end before the next.
        if (more) break
      }
      return { records, damage, position: Object.fromEntries(saved), bytes, more }
    },
    close() {},
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => LOG.test(name))
      .sort()
  } catch (error) {
    throw new TelltaleError('not-readable', `The run folder ${folder} cannot be read: ${errorMessage(error)}`)
  }
}
