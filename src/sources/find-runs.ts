/**
 * Every run below some paths, of every format, and which files belong to one run. Looks again as often as asked: files that were looked into
 * before are not opened again unless they have grown since nothing was recognised in them.
 *
 * @module
 */
import { closeSync, constants, type Dirent, openSync, readSync, type Stats, statSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { basename, dirname, join, resolve, sep } from 'node:path'
import { errorMessage } from '../errors.ts'
import { realPath } from '../real-path.ts'
import { consoleFormat } from './console.ts'
import { SOURCE_FORMATS } from './formats.ts'
import { jsonlFormat } from './jsonl.ts'
import { nameOfFile, nameOfFolder } from './run-name.ts'
import type { SourceFormat } from './source.ts'

const HEAD_BYTES = 4096
const MAX_DEPTH = 16
const MAX_ENTRIES = 500_000
const MAX_PROBLEMS = 100
/** Folders that hold no run: other people's code, runs that were moved out of the way, and W&B's link to the newest of its folders. What `telltale run` has captured is named. */
const SKIPPED = new Set([
  'node_modules',
  '.git',
  '__pycache__',
  '.venv',
  'venv',
  'site-packages',
  'previous-runs',
  'latest-run',
])
/** Endings of files that are none of the formats, and are many or large. */
const OTHER_FILES =
  /\.(safetensors|bin|pt|pth|ckpt|npy|npz|arrow|gguf|h5|onnx|pkl|png|jpe?g|gif|svg|webp|mp4|gz|bz2|xz|zst|zip|tar|html?|css|js|mjs|ts|map|py|pyc|ipynb|md|ya?ml|toml|sh|c|h|cc|cpp|rs|so|lock)$/i

/** Endings of what programs print. */
const TEXT_FILES = /\.(log|out|err|txt)$/i

/** One file or folder of a run. */
export interface FoundPart {
  readonly format: SourceFormat
  /** What the format opens. */
  readonly path: string
  readonly id: string
}

/** A run that was found. */
export interface FoundRun {
  /** The same for the same run whenever it is found. */
  readonly key: string
  /** Its name, as far as its place tells it. */
  readonly name: string
  readonly parts: readonly FoundPart[]
  /** Key that it would have with more files: there where it is all that there is of a run in its folder, as far as anybody has looked. */
  readonly wholeKey?: string
}

/** What {@link RunFinder.find} found. */
export interface FoundRuns {
  readonly runs: readonly FoundRun[]
  /** What could not be looked into, at most 100 of them. */
  readonly unreadable: readonly { readonly path: string; readonly problem: string }[]
}

/** Finds the runs below paths, again and again. */
export interface RunFinder {
  /** @param signal ends the search; it throws what the signal was aborted with. */
  find(signal?: AbortSignal): Promise<FoundRuns>
}

interface Candidate {
  readonly format: SourceFormat
  readonly path: string
  /** Whether this very file was named, and nothing beside it looked at. */
  readonly named: boolean
  readonly runs: readonly { readonly id: string; readonly name: string }[]
}

/**
 * @param paths files and folders; a file that is named is read even where nothing is recognised in it.
 * @param leftOut files and folders that are not looked into unless they are named.
 */
export function runFinder(
  paths: readonly string[],
  formats: readonly SourceFormat[] = SOURCE_FORMATS,
  leftOut: (stats: Stats) => boolean = () => false,
): RunFinder {
  /** What a file or folder turned out to be; null with its size where it was nothing yet. */
  const known = new Map<string, { readonly format: SourceFormat | null; readonly size: number }>()

  function recognise(path: string, stats: Stats, named: boolean): SourceFormat | null {
    const before = known.get(path)
    if (before && (before.format !== null || before.size === stats.size)) return before.format
    const isFolder = stats.isDirectory()
    const looked = isFolder || (stats.isFile() && (named || !OTHER_FILES.test(path)))
    const head = looked && !isFolder ? headOf(path) : new Uint8Array()
    let format = looked ? (formats.find((one) => one.recognises(path, head, isFolder)) ?? null) : null
    // Of an empty one nothing can be said yet.
    if (format === null && named && stats.isFile() && stats.size > 0)
      format = TEXT_FILES.test(path) ? consoleFormat : jsonlFormat
    known.set(path, { format, size: stats.size })
    return format
  }

  async function find(signal?: AbortSignal): Promise<FoundRuns> {
    const unreadable: { path: string; problem: string }[] = []
    const refuse = (path: string, problem: string) => {
      if (unreadable.length < MAX_PROBLEMS) unreadable.push({ path, problem })
    }
    const candidates = new Map<string, { format: SourceFormat; path: string; named: boolean }>()
    /** Links are followed last: a run that is there by its own name, too, has that one, and not that of a link that will lead elsewhere. */
    const links: { readonly path: string; readonly depth: number }[] = []
    const visited = new Set<string>()
    let entries = 0

    function take(format: SourceFormat, path: string, named: boolean, isFile: boolean): void {
      // Of a file that is named only that file is meant.
      const root = (named ? ownPlace(format, path) : format.belongsTo?.(path)) ?? path
      const key = `${format.name} ${realPath(root)}`
      const before = candidates.get(key)
      if (before && resolve(before.path) !== resolve(root)) return
      candidates.set(key, { format, path: root, named: named && isFile })
    }

    /** @returns whether to look below. */
    function look(path: string, named: boolean): boolean {
      const stats = statOf(path, named ? refuse : null)
      if (stats === null || (!named && leftOut(stats))) return false
      const format = recognise(path, stats, named)
      if (format !== null) take(named && format.name === 'telltale' ? jsonlFormat : format, path, named, stats.isFile())
      if (!stats.isDirectory()) return false
      // A cycle of links, or a folder that two links lead to, is looked into once.
      const identity = `${stats.dev} ${stats.ino}`
      if (visited.has(identity)) return false
      visited.add(identity)
      return true
    }

    async function walk(folder: string, depth: number): Promise<void> {
      signal?.throwIfAborted()
      let entriesOf: readonly Dirent[]
      try {
        entriesOf = await readdir(folder, { withFileTypes: true })
      } catch (error) {
        refuse(folder, `${folder} cannot be read: ${errorMessage(error)}`)
        return
      }
      for (const entry of entriesOf.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
        const { name } = entry
        if (SKIPPED.has(name) || (name === 'captured' && basename(folder) === '.telltale')) continue
        if (++entries > MAX_ENTRIES) {
          if (entries === MAX_ENTRIES + 1)
            refuse(
              folder,
              `more than ${MAX_ENTRIES.toLocaleString('en')} files: the rest was not looked at; name the folders of the runs`,
            )
          return
        }
        const path = join(folder, name)
        if (entry.isSymbolicLink()) links.push({ path, depth })
        else await follow(path, depth)
      }
    }

    async function follow(path: string, depth: number): Promise<void> {
      if (look(path, false) && depth < MAX_DEPTH) await walk(path, depth + 1)
    }

    for (const path of paths) if (look(path, true)) await walk(path, 1)
    for (const { path, depth } of links) await follow(path, depth)
    const found: Candidate[] = []
    for (const { format, path, named } of candidates.values()) {
      signal?.throwIfAborted()
      try {
        const runs = await format.runs(path)
        // A file that is named is read, though nothing that is known stands in it yet.
        const isNamed = runs.length === 0 && paths.includes(path)
        found.push({ format, path, named, runs: isNamed ? [{ id: '', name: nameOfFile(path) }] : runs })
      } catch (error) {
        refuse(path, errorMessage(error))
      }
    }
    return { runs: groups(found.filter(({ runs }) => runs.length > 0)), unreadable }
  }

  return { find }
}

/** Joins what belongs to one run: parts of different formats with one home. */
function groups(candidates: readonly Candidate[]): readonly FoundRun[] {
  const homes = new Map<string, Candidate[]>()
  const alone: (Candidate & { readonly wholeKey?: string })[] = []
  for (const candidate of candidates) {
    const home = candidate.runs.length === 1 ? candidate.format.home?.(candidate.path) : undefined
    if (home === undefined) alone.push(candidate)
    else {
      const place = realPath(home)
      homes.set(place, [...(homes.get(place) ?? []), candidate])
    }
  }
  const runs: Placed[] = []
  for (const [home, members] of homes) {
    const kinds = new Set(members.map(kindOf))
    // Two of a kind in one folder are two runs, and nobody knows which of them the others belong to.
    if (kinds.size < members.length) alone.push(...members)
    else if (members.length === 1) alone.push(...members.map((one) => (one.named ? one : { ...one, wholeKey: home })))
    else
      runs.push({
        place: home,
        run: {
          key: home,
          name: nameOfFolder(home),
          parts: members.map(({ format, path, runs: [one] }) => ({ format, path, id: one!.id })),
        },
      })
  }
  for (const { format, path, runs: several, wholeKey } of alone) {
    for (const { id, name } of several) {
      const part = { format, path, id }
      runs.push({
        place: realPath(path),
        run: { key: keyOfPart(part), name, parts: [part], ...(wholeKey === undefined ? {} : { wholeKey }) },
      })
    }
  }
  return toldApart(runs.sort((a, b) => (a.run.key < b.run.key ? -1 : 1)))
}

/** The key of a run of which only this part is known. */
export function keyOfPart({ format, path, id }: FoundPart): string {
  return `${realPath(path)} ${format.name} ${id}`
}

/** The file or folder that a run is in, whatever the current folder; `-` for what is no file. */
export function placeOf({ key, parts }: FoundRun): string {
  const [first, ...others] = parts
  if (first === undefined || first.path === '-') return '-'
  return others.length > 0 ? key : realPath(first.path)
}

/** A run, and the file or folder that all of it is in. */
interface Placed {
  readonly place: string
  readonly run: FoundRun
}

/** What is opened of a file that is named: its folder where the format opens folders. */
function ownPlace(format: SourceFormat, path: string): string | undefined {
  return format.belongsTo === undefined ? undefined : dirname(path)
}

/** A file of lines and a table in one folder are two runs as two files of lines are. */
function kindOf({ format }: Candidate): string {
  return format.name === 'csv' ? 'jsonl' : format.name
}

/** Folders above a run that its name may come to hold. */
const MAX_FOLDERS_IN_NAME = 4

/** Runs of the same name are told apart by the folders that they are in, as few of them as it takes. */
function toldApart(runs: readonly Placed[]): readonly FoundRun[] {
  /** Places by name, and by as many folders above them, one and more, and name. */
  const places: Map<string, Set<string>>[] = []
  for (let folders = 0; folders <= MAX_FOLDERS_IN_NAME; folders++) {
    const byName = new Map<string, Set<string>>()
    for (const one of runs) {
      const name = nameWith(one, folders)
      const there = byName.get(name)
      if (there) there.add(one.place)
      else byName.set(name, new Set([one.place]))
    }
    places.push(byName)
    if ([...byName.values()].every(({ size }) => size === 1)) break
  }
  return runs.map((one) => {
    const isAlone = (byName: ReadonlyMap<string, ReadonlySet<string>>, folders: number) =>
      byName.get(nameWith(one, folders))!.size === 1
    const folders = places.findIndex(isAlone)
    return { ...one.run, name: nameWith(one, folders === -1 ? places.length - 1 : folders) }
  })
}

/** A run's name after those of so many folders above it. */
function nameWith({ run, place }: Placed, folders: number): string {
  if (folders === 0) return run.name
  const above = dirname(place).split(sep).slice(-folders).join('-')
  return `${above}-${run.name || nameOfFile(place)}`
}

function statOf(path: string, refuse: ((path: string, problem: string) => void) | null): Stats | null {
  try {
    return statSync(path)
  } catch (error) {
    // A link to nowhere, or a file that has just gone; one that was named is missed.
    refuse?.(path, `${path} cannot be read: ${errorMessage(error)}`)
    return null
  }
}

function headOf(path: string): Uint8Array {
  let descriptor: number | null = null
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    const head = new Uint8Array(HEAD_BYTES)
    return head.subarray(0, readSync(descriptor, head, 0, HEAD_BYTES, 0))
  } catch {
    // Whoever opens it says why it cannot be read.
    return new Uint8Array()
  } finally {
    if (descriptor !== null) closeSync(descriptor)
  }
}
