/**
 * The store of the data folder.
 *
 * @module
 */
import { chmodSync, existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { makeFolder } from '../make-folder.ts'
import { systemClock } from '../time.ts'
import { sqliteStore } from './sqlite.ts'
import type { RunStore } from './store.ts'

/** Where the store of a data folder is: `TELLTALE_DIR`, or `.telltale` of the current folder. */
export function storePath(env: NodeJS.ProcessEnv): string {
  return join(resolve(env.TELLTALE_DIR || '.telltale'), 'telltale.db')
}

/** Opens it, and makes it where it is not there; its folder is for its owner alone. @throws as {@link sqliteStore} does. */
export function openStore(env: NodeJS.ProcessEnv, say?: (text: string) => void): RunStore {
  const path = storePath(env)
  const isNew = !existsSync(dirname(path))
  const store = sqliteStore({ path, now: systemClock.unixSeconds, say })
  if (isNew) makePrivate(dirname(path))
  return store
}

/** The store of the data folder where there is one already; null otherwise. @throws as {@link sqliteStore} does. */
export function existingStore(env: NodeJS.ProcessEnv): RunStore | null {
  const path = storePath(env)
  return existsSync(path) ? sqliteStore({ path, now: systemClock.unixSeconds }) : null
}

function makePrivate(folder: string): void {
  try {
    makeFolder(folder)
    chmodSync(folder, 0o700)
  } catch {
    // A file system without such rights.
  }
}
