/**
 * TensorBoard event files: a run is a folder with its files, and with those of its sub-folders (`add_scalars`, Keras's `train` and `validation`),
 * whose tags get the sub-folder's name before them. The streams of the sub-folders are merged by step.
 *
 * @module
 */
import { readdirSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { errorMessage, TelltaleError } from '../errors.ts'
import { mergedSource } from './merged-source.ts'
import type { Json, Source, SourceFormat, SourceRecord } from './source.ts'
import { tfeventsFileSource } from './tfevents-file.ts'

const FILE = /(^|\.)tfevents\.\d/
/** Sub-runs that stand beside each other in a folder that has no events of its own. */
const HALVES = /^(train|training|validation|val|eval|test)$/
const MAX_UP = 8
const MAX_DOWN = 4
const MAX_FILES = 1000
/** Read at once of each of many files. */
const SMALL_PIECE_BYTES = 64 * 1024

/** Folders of event files. */
export const tfeventsFormat: SourceFormat = {
  name: 'tfevents',
  recognises: (path, _head, isFolder) => !isFolder && FILE.test(basename(path)),
  belongsTo: topOf,
  /** transformers put their files into `<output folder>/runs/<time>_<host>`. */
  home: (folder) => (basename(dirname(folder)) === 'runs' ? dirname(dirname(folder)) : folder),
  async runs(folder) {
    return [{ id: '', name: basename(folder) }]
  },
  async open(folder, _id, position) {
    return tfeventsSource(folder, position)
  },
}

function topOf(path: string): string {
  let top = dirname(path)
  if (HALVES.test(basename(top))) top = dirname(top)
  let folder = top
  for (let up = 0; up < MAX_UP && dirname(folder) !== folder; up++) {
    folder = dirname(folder)
    if (eventFiles(folder).length > 0) top = folder
  }
  return top
}

function tfeventsSource(folder: string, position: Json | undefined): Source {
  return mergedSource({
    name: 'tfevents',
    folder,
    position,
    /** A list a sub-folder, oldest first. */
    streams() {
      const paths = below(folder, MAX_DOWN, true).slice(0, MAX_FILES)
      if (paths.length === 0)
        throw new TelltaleError('not-readable', `${folder} cannot be read: no event file is there`)
      return [...groupBy(paths, dirname).values()]
    },
    open: (path, at, isOneOfMany) => tfeventsFileSource(path, at, isOneOfMany ? SMALL_PIECE_BYTES : undefined),
    isBefore: (one, other) => stepOf(one) < stepOf(other),
    understand(records, path) {
      const sub = relative(folder, dirname(path))
      return sub === '' ? records : records.map((record) => prefixed(record, `${sub}/`))
    },
  })
}

function stepOf(record: SourceRecord): number {
  return 'step' in record ? record.step : -1
}

function groupBy(paths: readonly string[], keyOf: (path: string) => string): ReadonlyMap<string, string[]> {
  const groups = new Map<string, string[]>()
  for (const path of paths) {
    const group = groups.get(keyOf(path))
    if (group) group.push(path)
    else groups.set(keyOf(path), [path])
  }
  return groups
}

function prefixed(record: SourceRecord, prefix: string): SourceRecord {
  if (record.type !== 'points') return record
  const metrics = Object.entries(record.metrics).map(([tag, value]) => [prefix + tag, value])
  return { ...record, metrics: Object.fromEntries(metrics) }
}

function eventFiles(folder: string): readonly string[] {
  try {
    return readdirSync(folder).filter((name) => FILE.test(name))
  } catch {
    return []
  }
}

function below(folder: string, depth: number, isTop: boolean): readonly string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
    const own = entries.filter((one) => !one.isDirectory() && FILE.test(one.name)).map(({ name }) => join(folder, name))
    const folders = depth === 0 ? [] : entries.filter((one) => one.isDirectory())
    const halves = isTop && own.length === 0 ? folders.filter(({ name }) => HALVES.test(name)) : folders
    return [...own, ...halves.flatMap(({ name }) => below(join(folder, name), depth - 1, false))]
  } catch (error) {
    if (!isTop) return []
    throw new TelltaleError('not-readable', `${folder} cannot be read: ${errorMessage(error)}`)
  }
}
