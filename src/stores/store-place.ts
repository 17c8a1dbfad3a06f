/**
 * Where the store of a data folder is: in it, or in a folder of this machine where the data folder lies on a network file system.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { existsSync, lstatSync } from 'node:fs'
import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import { realPath } from '../real-path.ts'
import { type FileSystemOf, fileSystemOf } from './file-system.ts'

/** Where a store is. */
export interface StorePlace {
  /** Its file. */
  readonly path: string
  readonly dataFolder: string
  /** The network file system that the data folder lies on, or null. */
  readonly network: string | null
  /** Whether it is apart from the data folder, in a folder of this machine. */
  readonly apart: boolean
}

const NAME = 'telltale.db'
/** On every Linux, and emptied by no reboot. */
const SHARED_FOLDER = '/var/tmp'

/** @param env `TELLTALE_DIR` is the data folder, `.telltale` of the current folder by default; `XDG_CACHE_HOME` where caches are, `~/.cache` by default. */
export function storePlace(env: NodeJS.ProcessEnv, networkOf: FileSystemOf = fileSystemOf): StorePlace {
  const dataFolder = resolve(env.TELLTALE_DIR || '.telltale')
  const network = networkOf(dataFolder)
  const local = network === null ? null : localFolder(env, networkOf)
  const folder = local === null ? dataFolder : join(local, hashOf(realPath(dataFolder)))
  return { path: join(folder, NAME), dataFolder, network, apart: local !== null }
}

/** One line for the person who looks, where the store is not safe in its data folder; null where it is. */
export function placeWords({ path, dataFolder, network, apart }: StorePlace): string | null {
  if (network === null) return null
  const where = `the data folder ${dataFolder} is on ${network}, where several machines at once would damage a database`
  if (!apart)
    return `${where}, and so are the folders for caches: the store stays there; set XDG_CACHE_HOME to a folder of a local disk`
  const before = join(dataFolder, NAME)
  const left = existsSync(before)
    ? `; ${before} is left as it is, and telltale import or rebuild with the runs' paths fills the new one`
    : ''
  return `${where}: the store is ${path}, of this machine alone${left}`
}

/** The first folder for caches that is on no network file system; homes often are on one, too. */
function localFolder(env: NodeJS.ProcessEnv, networkOf: FileSystemOf): string | null {
  const named = env.XDG_CACHE_HOME
  const caches = named && isAbsolute(named) ? named : join(env.HOME || homedir(), '.cache')
  if (networkOf(caches) === null) return join(caches, 'telltale')
  const user = process.getuid?.()
  const shared = join(SHARED_FOLDER, `telltale-${user}`)
  if (user === undefined || !existsSync(SHARED_FOLDER) || networkOf(shared) !== null) return null
  return isOwn(shared, user) ? shared : null
}

/** Anybody may make a folder of that name there: one that is not ours alone is not used. */
function isOwn(folder: string, user: number): boolean {
  const stats = lstatSync(folder, { throwIfNoEntry: false })
  return stats === undefined || (stats.isDirectory() && stats.uid === user && (stats.mode & 0o077) === 0)
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 24)
}
