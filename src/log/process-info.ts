/**
 * Which process writes a run's log: what a person looks for afterwards, and what tells a run that ended without a word from one that goes on.
 *
 * @module
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import type { ProcessInfo } from '../run-summary.ts'
import { TELLTALE_VERSION } from '../version.ts'

/** Characters of a command that are kept. */
const MAX_COMMAND = 2000
/** How long git may take to say whether files were changed; a training does not wait longer to begin. */
const GIT_MS = 500

/** Whose numbers of processes are the same ones. */
type Place = Pick<ProcessInfo, 'host' | 'pidNamespace'>

let own: ProcessInfo | null = null

/** This process. Asked once: the answer does not change. */
export function ownProcess(): ProcessInfo {
  own ??= {
    ...here(),
    pid: process.pid,
    startTicks: startTicks(process.pid)?.ticks ?? null,
    command: withoutSecrets(process.argv).slice(0, MAX_COMMAND),
    git: git(),
    versions: { telltale: TELLTALE_VERSION, node: process.version },
  }
  return own
}

/**
 * Whether a process goes on. Null where that cannot be known from here: it is of another machine or container, or not all of it was said.
 *
 * @param from where it is asked; here by default.
 */
export function isAlive(info: ProcessInfo, from: Place = here()): boolean | null {
  if (info.host !== from.host || info.pidNamespace !== from.pidNamespace) return null
  try {
    process.kill(info.pid, 0)
  } catch (error) {
    // Somebody else's process is one that is there.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  const now = startTicks(info.pid)
  if (now === null) return true
  // The number may have been given to another process since.
  return now.state !== 'Z' && (info.startTicks === null || info.startTicks === now.ticks)
}

/** What a log says of its writer, checked: it comes from outside. Null where it says nothing that is of use. */
export function processFrom(value: unknown): ProcessInfo | null {
  if (typeof value !== 'object' || value === null) return null
  const said = value as Readonly<Record<string, unknown>>
  if (typeof said.host !== 'string' || !Number.isSafeInteger(said.pid) || (said.pid as number) <= 0) return null
  const text = (one: unknown, most: number) => (typeof one === 'string' ? one.slice(0, most) : null)
  const record = (one: unknown) => (typeof one === 'object' && one !== null ? (one as Record<string, unknown>) : {})
  const { commit, dirty } = record(said.git)
  return {
    host: said.host.slice(0, 255),
    pid: said.pid as number,
    pidNamespace: text(said.pidNamespace, 64),
    startTicks: text(said.startTicks, 32),
    command: text(said.command, MAX_COMMAND) ?? '',
    git:
      typeof commit === 'string'
        ? { commit: commit.slice(0, 64), dirty: typeof dirty === 'boolean' ? dirty : null }
        : null,
    versions: Object.fromEntries(
      Object.entries(record(said.versions))
        .filter(([name, version]) => name !== '__proto__' && typeof version === 'string')
        .slice(0, 20)
        .map(([name, version]) => [name.slice(0, 40), String(version).slice(0, 40)]),
    ),
  }
}

/** A command line in which nothing stands that opens a door: what follows a name such as `--api-key` is left out. */
export function withoutSecrets(argv: readonly string[]): string {
  const secret = /(key|token|secret|passw|credential)/i
  return argv
    .map((arg, i) => {
      const name = arg.slice(0, arg.indexOf('=') + 1)
      if (secret.test(name)) return `${name}***`
      const before = argv[i - 1] ?? ''
      if (before.startsWith('-') && !before.includes('=') && secret.test(before) && !arg.startsWith('-')) return '***'
      return /\s/.test(arg) ? JSON.stringify(arg) : arg
    })
    .join(' ')
}

function git(): ProcessInfo['git'] {
  const ask = (...args: readonly string[]): string =>
    // A folder's own settings must not make git start programs.
    execFileSync('git', ['-c', 'core.fsmonitor=false', '-c', 'core.hooksPath=/dev/null', ...args], {
      timeout: GIT_MS,
      stdio: ['ignore', 'pipe', 'ignore'],
      encoding: 'utf8',
    })
  try {
    const commit = ask('rev-parse', 'HEAD').trim()
    if (!/^[0-9a-f]{40,64}$/.test(commit)) return null
    try {
      return { commit, dirty: ask('status', '--porcelain', '--untracked-files=no').trim() !== '' }
    } catch {
      return { commit, dirty: null }
    }
  } catch {
    return null
  }
}

function here(): Place {
  return { host: hostname().slice(0, 255), pidNamespace: pidNamespace() }
}

function pidNamespace(): string | null {
  try {
    return readlinkSync('/proc/self/ns/pid')
  } catch {
    return null
  }
}

/** When a process began, in the kernel's own count, and its state; null where the kernel does not say. */
function startTicks(pid: number): { readonly ticks: string; readonly state: string } | null {
  try {
    // The name of the program stands in parentheses, and may hold anything.
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return { state: fields[0]!, ticks: fields[19]! }
  } catch {
    return null
  }
}
