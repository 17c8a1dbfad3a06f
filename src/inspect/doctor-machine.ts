/**
 * Whether this machine has what Telltale needs, line by line, each with what to do where it has not.
 *
 * @module
 */
import { spawn } from 'node:child_process'
import { accessSync, constants, existsSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { errorMessage } from '../errors.ts'
import { showsUnicode, sizeOf, type TerminalStream, wantsColor } from '../outputs/terminal/terminal-traits.ts'
import type { FileSystemOf } from '../stores/file-system.ts'
import { type StorePlace, storePlace } from '../stores/store-place.ts'
import { plainText } from '../text/plain-text.ts'
import { type Clock, randomId } from '../time.ts'
import { TELLTALE_VERSION } from '../version.ts'

/** One thing that was looked at. */
export interface MachineCheck {
  readonly what: string
  /** `note`: works, but there is something to know. `problem`: something does not work. */
  readonly state: 'ok' | 'note' | 'problem'
  readonly said: string
  /** What to do about it. */
  readonly todo?: string
}

/** What the checks are given of the machine. */
export interface MachineOptions {
  readonly env: NodeJS.ProcessEnv
  readonly stream: TerminalStream
  readonly clock: Clock
  /** Asks the system by default. */
  readonly networkOf?: FileSystemOf
}

const OLDEST_NODE = [20, 19] as const
const LITTLE_SPACE_BYTES = 1e9
const MAX_SKEW_SECONDS = 2
const PYTHON_WAIT_MS = 10_000

export async function doctorMachine({
  env,
  stream,
  clock,
  networkOf,
}: MachineOptions): Promise<readonly MachineCheck[]> {
  return [
    node(),
    library('libsql', 'SQLite, for databases of trackio and MLflow'),
    library('@resvg/resvg-js', 'PNG, for plots'),
    terminal(stream, env),
    ...dataFolder(storePlace(env, networkOf), clock),
    await pythonClient(env.TELLTALE_PYTHON || 'python3', env),
  ]
}

function node(): MachineCheck {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const tooOld = major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1])
  const said = `${process.version}; Telltale ${TELLTALE_VERSION} works from ${OLDEST_NODE.join('.')} on`
  if (tooOld) return { what: 'Node', state: 'problem', said, todo: 'install a newer Node' }
  if (major === 20)
    return { what: 'Node', state: 'note', said, todo: 'Node 20 is past its end of life: 22 or later gets fixes' }
  return { what: 'Node', state: 'ok', said }
}

/** A library with native code may lack a build for a machine. */
function library(name: string, what: string): MachineCheck {
  try {
    createRequire(import.meta.url)(name)
    return { what: name, state: 'ok', said: what }
  } catch (error) {
    const said = `${what}: cannot be loaded (${plainText(errorMessage(error), 200)})`
    return { what: name, state: 'problem', said, todo: `npm install ${name}, on this machine and not on another` }
  }
}

function terminal(stream: TerminalStream, env: NodeJS.ProcessEnv): MachineCheck {
  const { columns, rows } = sizeOf(stream)
  if (!stream.isTTY) return { what: 'terminal', state: 'ok', said: 'none: what is printed is plain lines' }
  const said = `${columns} x ${rows}, ${wantsColor(stream, env) ? 'colours' : 'no colours'}, ${showsUnicode(env) ? 'Unicode' : 'ASCII'}`
  if (!showsUnicode(env))
    return {
      what: 'terminal',
      state: 'note',
      said,
      todo: 'set LANG to a UTF-8 locale, such as C.UTF-8, for finer charts',
    }
  if (columns < 60) return { what: 'terminal', state: 'note', said, todo: 'the live view wants 60 columns' }
  return { what: 'terminal', state: 'ok', said }
}

function dataFolder(store: StorePlace, clock: Clock): readonly MachineCheck[] {
  const { dataFolder: folder, network } = store
  const place = firstThere(folder)
  const what = 'data folder'
  const shown = plainText(folder, 200)
  let skew: number
  try {
    skew = skewOf(place, clock)
  } catch (error) {
    const said = `${shown} cannot be written: ${plainText(errorMessage(error), 200)}`
    return [{ what, state: 'problem', said, todo: 'set TELLTALE_DIR to a folder that can' }]
  }
  const { bavail, bsize } = statfsSync(place)
  const free = bavail * bsize
  return [
    network === null
      ? { what, state: 'ok', said: existsSync(folder) ? shown : `${shown}, made when it is needed` }
      : {
          what,
          state: 'note',
          said: `${shown}, on ${network}`,
          todo: 'files are followed there, but new lines may show later; a TELLTALE_DIR on a local disk keeps all in one place',
        },
    ...(network === null ? [] : [storeCheck(store, clock)]),
    {
      what: 'disk space',
      said: `${(free / 1e9).toFixed(1)} GB free there`,
      ...(free < LITTLE_SPACE_BYTES
        ? { state: 'note', todo: 'a full disk costs samples first, then scalars' }
        : { state: 'ok' }),
    },
    clockCheck(skew),
  ]
}

/** Where the store is when the data folder is on a network file system. */
function storeCheck(store: StorePlace, clock: Clock): MachineCheck {
  const what = 'store'
  const todo = 'set XDG_CACHE_HOME, or TELLTALE_DIR, to a folder of a local disk'
  if (!store.apart)
    return { what, state: 'note', said: 'in the data folder, since no folder for caches is on a local disk', todo }
  try {
    skewOf(firstThere(dirname(store.path)), clock)
  } catch (error) {
    const problem = `${plainText(store.path, 200)} cannot be written: ${plainText(errorMessage(error), 200)}`
    return { what, state: 'problem', said: problem, todo }
  }
  const said = `${plainText(store.path, 300)}, since several machines at once would damage one on ${store.network}`
  return { what, state: 'note', said, todo: 'other machines do not see it: telltale rebuild PATH makes one there, too' }
}

/** The path itself, or the first folder above it that is there. */
function firstThere(path: string): string {
  let place = path
  while (!existsSync(place) && dirname(place) !== place) place = dirname(place)
  return place
}

/**
 * Seconds by which the clock of a file system is ahead. Writes a file there: permissions alone promise too much, to root above all.
 *
 * @throws where none can be written.
 */
function skewOf(folder: string, clock: Clock): number {
  accessSync(folder, constants.W_OK | constants.X_OK)
  if (!statSync(folder).isDirectory()) throw new Error(`${plainText(folder, 200)} is no folder`)
  const path = join(folder, `.telltale-doctor-${randomId()}`)
  try {
    writeFileSync(path, '')
    return statSync(path).mtimeMs / 1000 - clock.unixSeconds()
  } finally {
    rmSync(path, { force: true })
  }
}

/** A file server with another time makes an old run look new. */
function clockCheck(skew: number): MachineCheck {
  const what = 'clock'
  if (Math.abs(skew) <= MAX_SKEW_SECONDS) return { what, state: 'ok', said: 'the same as the file system’s' }
  const said = `the file system's is ${Math.abs(skew).toFixed(1)} s ${skew < 0 ? 'behind' : 'ahead'}`
  return { what, state: 'note', said, todo: 'set the clocks by one time server: times of runs are off by that' }
}

async function pythonClient(python: string, env: NodeJS.ProcessEnv): Promise<MachineCheck> {
  const what = 'Python client'
  const code = 'import sys, telltale; print(telltale.__version__, ".".join(map(str, sys.version_info[:3])))'
  const [version = '', pythonVersion = ''] = (await outputOf(python, ['-c', code], env)).trim().split(' ')
  if (version !== '')
    return {
      what,
      state: 'ok',
      said: `telltale ${plainText(version, 40)} in ${plainText(python, 100)} ${plainText(pythonVersion, 40)}`,
    }
  return {
    what,
    state: 'note',
    said: `none in ${plainText(python, 100)}`,
    todo: 'needed only to log from Python: pip install telltale-monitor; TELLTALE_PYTHON names another Python',
  }
}

function outputOf(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  return new Promise((settle) => {
    const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'ignore'], timeout: PYTHON_WAIT_MS })
    let output = ''
    child.stdout.on('data', (piece: Buffer) => {
      output += piece.toString('utf8')
    })
    child.once('error', () => settle(''))
    child.once('close', (code) => settle(code === 0 ? output : ''))
  })
}
