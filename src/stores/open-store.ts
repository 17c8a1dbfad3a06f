/**
 * The store of the data folder.
 *
 * @module
 */
import { existsSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { makeFolder } from '../make-folder.ts'
import { systemClock } from '../time.ts'
import type { FileSystemOf } from './file-system.ts'
import { sqliteStore } from './sqlite.ts'
import type { RunStore } from './store.ts'
import { placeWords, type StorePlace, storePlace } from './store-place.ts'

/** Takes a line for the person who looks. */
type Say = (text: string) => void

/** File of the store, for who only reads it. @param say told where it is, if that is not the data folder. */
export function storePath(env: NodeJS.ProcessEnv, say?: Say, networkOf?: FileSystemOf): string {
  const place = storePlace(env, networkOf)
  sayPlace(place, say)
  return place.path
}

/** File of the store, for who opens it: its folder is made, for its owner alone. What cannot be made is said by who opens it. */
export function preparedStorePath(env: NodeJS.ProcessEnv, say?: Say, networkOf?: FileSystemOf): string {
  const place = storePlace(env, networkOf)
  sayPlace(place, say)
  const folder = dirname(place.path)
  try {
    if (place.apart) makePrivate(dirname(folder))
    makePrivate(folder)
  } catch {
    // Where somebody else has made the folder in the meantime, it is not used. All else is tried again, and said, where the file is opened.
    return storePlace(env, networkOf).path
  }
  return place.path
}

/** Opens it, and makes it where it is not there; its folder is for its owner alone. @throws as {@link sqliteStore} does. */
export function openStore(env: NodeJS.ProcessEnv, say?: Say, networkOf?: FileSystemOf): RunStore {
  return sqliteStore({ path: preparedStorePath(env, say, networkOf), now: systemClock.unixSeconds, say })
}

/** The store of the data folder where there is one already; null otherwise. @throws as {@link sqliteStore} does. */
export function existingStore(env: NodeJS.ProcessEnv, say?: Say, networkOf?: FileSystemOf): RunStore | null {
  const place = storePlace(env, networkOf)
  if (!existsSync(place.path)) return null
  sayPlace(place, say)
  return sqliteStore({ path: place.path, now: systemClock.unixSeconds, say })
}

function sayPlace(place: StorePlace, say: Say | undefined): void {
  const words = placeWords(place)
  if (words !== null) say?.(words)
}

/** A folder that is there keeps the rights that it has. */
function makePrivate(folder: string): void {
  if (existsSync(folder)) return
  makeFolder(dirname(folder))
  mkdirSync(folder, { mode: 0o700 })
}
