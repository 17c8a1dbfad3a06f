/**
 * MLflow's file store: a folder a run, in it a file a series under `metrics/` with lines of time, value and step, one of each parameter under
 * `params/`, and the run's state in `meta.yaml`.
 *
 * @module
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join, relative, sep } from 'node:path'
import { crc32 } from 'node:zlib'
import { errorMessage, TelltaleError } from '../errors.ts'
import { fileVersion } from './growing-file.ts'
import type { LineReader } from './line-cutter.ts'
import { lineSource } from './line-source.ts'
import { mergedSource } from './merged-source.ts'
import { endOfRun, mlflowValue, paramValue } from './mlflow-values.ts'
import { numberOf } from './python-dict.ts'
import type { Json, Source, SourceFormat, SourceRecord } from './source.ts'

const RUN_ID = /^[0-9a-f]{32}$/
const MAX_SERIES = 1000
const MAX_PARAMS = 2000
const MAX_FACT_BYTES = 64 * 1024
const MAX_DEPTH = 8

/** Folders of MLflow's file store. */
export const mlflowFilesFormat: SourceFormat = {
  name: 'mlflow',
  recognises: (path, _head, isFolder) =>
    isFolder && RUN_ID.test(basename(path)) && existsSync(join(path, 'meta.yaml')) && existsSync(join(path, 'metrics')),
  async runs(folder) {
    const meta = smallFile(join(folder, 'meta.yaml'))
    return yamlValue(meta, 'lifecycle_stage') === 'deleted'
      ? []
      : [{ id: '', name: yamlValue(meta, 'run_name') || basename(folder) }]
  },
  async open(folder, _id, position) {
    return mlflowFolder(folder, position)
  },
}

function mlflowFolder(folder: string, position: Json | undefined): Source {
  const saved = parsePosition(position)
  const metrics = join(folder, 'metrics')
  const series = mergedSource({
    name: 'mlflow',
    folder: metrics,
    position: saved.series,
    streams: () => seriesFiles(metrics).map((path) => [path]),
    open: (path, at) => mlflowSeries(path, nameOf(metrics, path), at),
    isBefore: isEarlier,
  })
  let { config, end } = saved
  let versions = ''

  /** Facts that are new: settings before the values, an end after them. */
  function facts(): { readonly before: readonly SourceRecord[]; readonly end: SourceRecord | null } {
    const now = `${fileVersion(join(folder, 'meta.yaml'))} ${folderVersion(join(folder, 'params'))}`
    if (now === versions) return { before: [], end: null }
    versions = now
    const meta = smallFile(join(folder, 'meta.yaml'))
    const said = configOf(folder, meta)
    const sum = crc32(JSON.stringify(said))
    const before = sum === config ? [] : [said]
    config = sum
    return { before, end: endOfRun(yamlValue(meta, 'status')) }
  }
  let due: SourceRecord | null = null

  return {
    name: 'mlflow',
    async read(how = {}) {
      const { before, end: said } = facts()
      const batch = await series.read(how)
      due = said ?? due
      const records = [...before, ...batch.records]
      if (batch.records.length > 0) end = ''
      if (due !== null && !batch.more) {
        const status = JSON.stringify(due)
        if (status !== end) records.push(due)
        end = status
        due = null
      }
      return { ...batch, records, position: { series: batch.position, config, end } }
    },
    close: () => series.close(),
  }
}

/** The values of one call have one time, whatever their series; those of one time are told apart by their steps. */
function isEarlier(one: SourceRecord, other: SourceRecord): boolean {
  if (one.type !== 'points' || other.type !== 'points') return one.type !== 'points'
  const apart = (one.time ?? 0) - (other.time ?? 0)
  return apart < 0 || (apart === 0 && one.step < other.step)
}

/** Follows the file of one series. */
export function mlflowSeries(path: string, name: string, position: Json | undefined): Source {
  return lineSource({ path, reader: () => valueReader(name), position })
}

/** A line of a series: milliseconds, value and step. */
function valueReader(name: string): LineReader {
  return {
    name: 'mlflow',
    take(text, torn, records) {
      const [timeMs, said = '', atStep = '0', ...more] = text.trim().split(' ')
      const value = numberOf(said)
      const step = Number(atStep)
      // A number without its last digits is a number, too.
      if (torn) return 'torn: the last line has no end'
      if (value === null || more.length > 0 || !Number.isSafeInteger(step) || step < 0)
        return 'no value: expected a time, a number and a step of at least 0'
      const time = Number(timeMs) / 1000
      const metrics: Record<string, number> = Object.create(null)
      metrics[name] = mlflowValue(value)
      records.push({ type: 'points', step, time: Number.isFinite(time) ? time : null, metrics })
      return null
    },
    anew: (records) => void records.push({ type: 'attempt' }),
    end() {},
    state: () => null,
  }
}

function nameOf(metrics: string, path: string): string {
  return relative(metrics, path).split(sep).join('/')
}

function seriesFiles(metrics: string): readonly string[] {
  const files: string[] = []
  const walk = (folder: string, depth: number): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (files.length >= MAX_SERIES) return
      if (entry.isFile()) files.push(join(folder, entry.name))
      else if (entry.isDirectory() && depth < MAX_DEPTH) walk(join(folder, entry.name), depth + 1)
    }
  }
  try {
    walk(metrics, 0)
  } catch (error) {
    throw new TelltaleError('not-readable', `${metrics} cannot be read: ${errorMessage(error)}`)
  }
  return files
}

function configOf(folder: string, meta: string): SourceRecord {
  const params = join(folder, 'params')
  const config: [string, unknown][] = []
  try {
    for (const path of seriesFiles(params).slice(0, MAX_PARAMS))
      config.push([nameOf(params, path), paramValue(smallFile(path))])
  } catch {
    // Without parameters there is no folder.
  }
  const name = yamlValue(meta, 'run_name')
  const project = yamlValue(smallFile(join(dirname(folder), 'meta.yaml')), 'name')
  const said = { ...(name ? { name } : {}), ...(project ? { project } : {}) }
  return { type: 'config', config: Object.fromEntries(config), ...said }
}

/** A value of the flat YAML that MLflow writes: a word, a number, or a text in quotes. */
function yamlValue(yaml: string, name: string): string {
  const line = yaml.split('\n').find((one) => one.startsWith(`${name}: `))
  const text = line?.slice(name.length + 2).trim() ?? ''
  if (text.startsWith("'")) return text.slice(1, -1).replaceAll("''", "'")
  if (!text.startsWith('"')) return text
  try {
    return String(JSON.parse(text))
  } catch {
    return text.slice(1, -1)
  }
}

function smallFile(path: string): string {
  try {
    return statSync(path).size <= MAX_FACT_BYTES ? readFileSync(path, 'utf8') : ''
  } catch {
    return ''
  }
}

function folderVersion(path: string): string {
  return `${statSync(path, { throwIfNoEntry: false })?.mtimeMs}`
}

function parsePosition(position: Json | undefined) {
  if (typeof position !== 'object' || position === null || Array.isArray(position))
    return { series: undefined, config: 0, end: '' }
  const { series, config, end } = position as { readonly [key: string]: Json }
  return { series, config: typeof config === 'number' ? config : 0, end: typeof end === 'string' ? end : '' }
}
