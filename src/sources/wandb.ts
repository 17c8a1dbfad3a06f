/**
 * The `.wandb` file that W&B's client writes on the training machine, online and offline: settings, history, what was printed, exit code. A summary repeats the
 * history's last values, and adds those that were never logged: they come at the end, as facts of the run.
 *
 * @module
 */
import { basename, dirname } from 'node:path'
import { parseJsonLine } from '../log/flat-line.ts'
import { isWandbHead, logReader } from './leveldb-log.ts'
import type { Cut } from './line-cutter.ts'
import { fileSource } from './line-source.ts'
import {
  BadWire,
  BYTES,
  eachField,
  FIXED64,
  readDouble,
  readEnd,
  readSigned,
  readText,
  readVarint,
  skipField,
  VARINT,
  type Wire,
  wireOf,
} from './protobuf.ts'
import { type RecordReader, recordCutter } from './record-cutter.ts'
import { nameOfFile } from './run-name.ts'
import type { Json, Source, SourceFormat, SourceRecord } from './source.ts'
import { trainerStep } from './trainer-step.ts'
import { wandbConsole } from './wandb-console.ts'

/** Names in a log of which the texts are kept. */
const MAX_NAMES = 4000
/** Names in a summary that is waiting for the end. */
const MAX_SUMMARY = 2000
const MAX_CONFIG_CHARACTERS = 1024 * 1024

/** Files of W&B's client. */
export const wandbFormat: SourceFormat = {
  name: 'wandb',
  recognises: (path, head, isFolder) => !isFolder && (path.endsWith('.wandb') || isWandbHead(head)),
  /** `<output folder>/wandb/run-…/run-….wandb`. */
  home(path) {
    const run = dirname(path)
    return basename(dirname(run)) === 'wandb' ? dirname(dirname(run)) : run
  },
  async runs(path) {
    return [{ id: '', name: nameOfFile(path) }]
  },
  async open(path, _id, position) {
    return wandbSource(path, position)
  },
}

function wandbSource(path: string, position: Json | undefined): Source {
  return fileSource({
    path,
    position,
    begin(saved) {
      const reader = wandbReader(path, saved?.state)
      return { reader, cutter: recordCutter(reader, saved?.consumed) }
    },
  })
}

interface State {
  /** The step of the newest history, for what a record does not say. */
  step: number
  /** Values of the summary that were never in the history. */
  summary: Record<string, number>
  logged: Set<string>
}

function wandbReader(path: string, saved: Json | undefined): RecordReader {
  const state = parseState(saved)
  let printed = wandbConsole(isObject(saved) ? saved.printed : undefined)
  const log = logReader(path, isObject(saved) ? saved.passing : undefined, takeRecord)
  const names = nameCache()

  function takeRecord(bytes: Buffer, offset: number, cut: Cut): void {
    const before = cut.records.length
    const wire = wireOf(bytes)
    try {
      while (wire.at < wire.end) {
        const key = readVarint(wire)
        if ((key & 7) !== BYTES) {
          skipField(wire, key & 7)
          continue
        }
        const end = readEnd(wire)
        const outer = wire.end
        wire.end = end
        const problem = takeField(wire, key >>> 3, cut.records)
        if (problem !== null) cut.damage.push({ path, offset, problem })
        wire.at = end
        wire.end = outer
      }
    } catch (error) {
      if (!(error instanceof BadWire)) throw error
      cut.records.length = before
      cut.damage.push({ path, offset, problem: `a record that is none: ${error.message}` })
    }
  }

  function takeField(wire: Wire, field: number, records: SourceRecord[]): string | null {
    if (field === 2) return takeHistory(wire, records)
    if (field === 3) takeSummary(wire)
    else if (field === 4 || field === 13) takeOutput(wire, records)
    else if (field === 5) takeConfig(wire, {}, records)
    else if (field === 17) takeRun(wire, records)
    else if (field === 18) takeExit(wire, records)
    return null
  }

  function takeHistory(wire: Wire, records: SourceRecord[]): string | null {
    const metrics: Record<string, number> = Object.create(null)
    let step = -1
    let itemStep = -1
    let time: number | null = null
    let some = false
    let odd: string | null = null
    while (wire.at < wire.end) {
      const key = readVarint(wire)
      if (key === 8 + BYTES) {
        const end = readEnd(wire)
        const outer = wire.end
        wire.end = end
        const name = readItem(wire, names)
        wire.end = outer
        const value = item.value
        if (item.isNumber) {
          if (name === '_timestamp') time = Number.isFinite(value) ? value : null
          else if (name === '_step') itemStep = value
          else if (name !== '_runtime' && name !== '_wandb.runtime') {
            metrics[name] = value
            some = true
          }
        } else if (item.json !== '') {
          for (const [inner, innerValue] of numbersIn(item.json, name)) {
            metrics[inner] = innerValue
            some = true
          }
        }
      } else if (key === 16 + BYTES) {
        eachField(wire, readEnd(wire), (number, kind) => {
          if (number !== 1 || kind !== VARINT) return false
          step = readSigned(wire)
          return true
        })
      } else skipField(wire, key & 7)
    }
    if (itemStep >= 0) step = itemStep
    if (step < 0) step = state.step + 1
    if (!Number.isSafeInteger(step)) odd = `the step ${step}: expected a whole number`
    if (odd !== null) return odd
    state.step = step
    for (const name in metrics) if (state.logged.size < MAX_NAMES) state.logged.add(name)
    if (some) printed.logged()
    // W&B only counts calls where a trainer logs its own step.
    if (some) records.push({ type: 'points', step: trainerStep(metrics) ?? step, time, metrics })
    return null
  }

  /** A piece of what was printed: which stream, when, and the text. */
  function takeOutput(wire: Wire, records: SourceRecord[]): void {
    let stream: 'stderr' | 'stdout' = 'stderr'
    let time: number | null = null
    let text = ''
    eachField(wire, wire.end, (number, kind) => {
      if (number === 1 && kind === VARINT) stream = readVarint(wire) === 1 ? 'stdout' : 'stderr'
      else if (number === 2 && kind === BYTES)
        eachField(wire, readEnd(wire), (inner, innerKind) => {
          if (inner !== 1 || innerKind !== VARINT) return false
          time = readSigned(wire)
          return true
        })
      else if (number === 3 && kind === BYTES) text = readText(wire)
      else return false
      return true
    })
    printed.take(stream, text, time)
    records.push(...printed.give(false))
  }

  function takeSummary(wire: Wire): void {
    eachField(wire, wire.end, (number, kind) => {
      if (number !== 1 || kind !== BYTES) return false
      const end = readEnd(wire)
      const outer = wire.end
      wire.end = end
      const name = readItem(wire, names)
      wire.end = outer
      if (
        item.isNumber &&
        !/^_(timestamp|step|runtime|wandb)/.test(name) &&
        Object.keys(state.summary).length < MAX_SUMMARY
      )
        Object.defineProperty(state.summary, name, {
          value: item.value,
          enumerable: true,
          writable: true,
          configurable: true,
        })
      return true
    })
  }

  function takeRun(wire: Wire, records: SourceRecord[]): void {
    let project: string | undefined
    let name: string | undefined
    let configFrom = wire.end
    let configEnd = wire.end
    eachField(wire, wire.end, (number, kind) => {
      if (kind !== BYTES) return false
      if (number === 3) project = readText(wire)
      else if (number === 8) name = readText(wire)
      else if (number === 4) {
        const end = readEnd(wire)
        configFrom = wire.at
        configEnd = end
        wire.at = end
      } else return false
      return true
    })
    wire.at = configFrom
    wire.end = configEnd
    takeConfig(wire, { ...(name ? { name } : {}), ...(project ? { project } : {}) }, records)
  }

  function takeConfig(wire: Wire, said: { name?: string; project?: string }, records: SourceRecord[]): void {
    const config: Record<string, unknown> = {}
    eachField(wire, wire.end, (number, kind) => {
      if (number !== 1 || kind !== BYTES) return false
      const end = readEnd(wire)
      let name = ''
      let json = ''
      eachField(wire, end, (inner, innerKind) => {
        if (innerKind !== BYTES) return false
        if (inner === 1) name = readText(wire)
        else if (inner === 2) name = name === '' ? readText(wire) : `${name}.${readText(wire)}`
        else if (inner === 16) json = readText(wire)
        else return false
        return true
      })
      if (name === '' || name === '_wandb' || json.length > MAX_CONFIG_CHARACTERS) return true
      const parsed = parseJsonLine(json)
      if ('value' in parsed)
        Object.defineProperty(config, name, {
          value: parsed.value,
          enumerable: true,
          writable: true,
          configurable: true,
        })
      return true
    })
    if (Object.keys(config).length > 0 || said.name !== undefined || said.project !== undefined)
      records.push({ type: 'config', config, ...said })
  }

  function takeExit(wire: Wire, records: SourceRecord[]): void {
    let code = 0
    eachField(wire, wire.end, (number, kind) => {
      if (number !== 1 || kind !== VARINT) return false
      code = readSigned(wire)
      return true
    })
    records.push(...printed.give(true))
    const left = Object.entries(state.summary).filter(([name]) => !state.logged.has(name))
    // The step that they belong to is not said, and must not be guessed.
    if (left.length > 0) records.push({ type: 'config', config: { summary: Object.fromEntries(left) } })
    state.summary = {}
    // 128 + 2 and 128 + 15: somebody ended it.
    const status = code === 0 ? 'completed' : code === 130 || code === 143 || code === 255 ? 'stopped' : 'failed'
    records.push({ type: 'end', status })
  }

  return {
    name: 'wandb',
    get wanted() {
      return log.wanted
    },
    take: (bytes, offset, finished, cut) => log.take(bytes, offset, finished, cut),
    anew(records) {
      log.anew()
      state.step = -1
      state.summary = {}
      state.logged.clear()
      printed = wandbConsole(undefined)
      records.push({ type: 'attempt' })
    },
    state: () => ({
      step: state.step,
      summary: Object.fromEntries(Object.entries(state.summary).map(([name, value]) => [name, String(value)])),
      logged: [...state.logged],
      passing: log.state(),
      printed: printed.state(),
    }),
  }
}

/** What the newest call of {@link readItem} has read: one for all, since an object a value would take longer than the value. */
const item = { value: 0, isNumber: false, json: '' }

/** Reads name and value of one item; the wire ends with it. Parts of nested names are joined by a point, as W&B's own page shows them. */
function readItem(wire: Wire, names: NameCache): string {
  let name = ''
  item.isNumber = false
  item.json = ''
  while (wire.at < wire.end) {
    const key = readVarint(wire)
    if (key === 8 + BYTES || key === 16 + BYTES) {
      const end = readEnd(wire)
      const part = names(wire.bytes, wire.at, end)
      wire.at = end
      name = name === '' ? part : `${name}.${part}`
    } else if (key === 128 + BYTES || key === 64 + BYTES) {
      const end = readEnd(wire)
      takeJson(wire.bytes, wire.at, end)
      wire.at = end
    } else if (key === 32 + VARINT || key === 40 + VARINT) setNumber(readSigned(wire))
    else if (key === 48 + FIXED64) setNumber(readDouble(wire))
    else skipField(wire, key & 7)
  }
  return name
}

function setNumber(value: number): void {
  item.value = value
  item.isNumber = true
}

/** A number, `NaN`, `Infinity` or `-Infinity`, those with or without quotes; an object waits for {@link numbersIn}. */
function takeJson(bytes: Buffer, from: number, to: number): void {
  const first = bytes[from]!
  if ((first >= 48 && first <= 57) || first === 45 || first === 78 || first === 73) {
    const text = bytes.toString('latin1', from, to)
    const value = Number(text)
    if (!Number.isNaN(value) || text === 'NaN') setNumber(value)
  } else if (first === 123) {
    if (to - from <= MAX_CONFIG_CHARACTERS) item.json = bytes.toString('utf8', from, to)
  } else if (first === 34 && to - from <= 12) {
    const text = bytes.toString('latin1', from + 1, to - 1)
    if (text === 'NaN' || text === 'Infinity' || text === '-Infinity') setNumber(Number(text))
  } else if (first === 116 || first === 102) setNumber(first === 116 ? 1 : 0)
}

/** Numbers of an object that older clients write as one value; what W&B marks by `_type` (a table, a picture) has none. */
function numbersIn(json: string, name: string): readonly (readonly [string, number])[] {
  const parsed = parseJsonLine(json)
  if (!('value' in parsed)) return []
  const found: (readonly [string, number])[] = []
  const walk = (value: unknown, path: string, depth: number) => {
    if (typeof value === 'number') found.push([path, value])
    else if (typeof value === 'object' && value !== null && !Array.isArray(value) && depth < 16 && !('_type' in value))
      for (const [key, inner] of Object.entries(value))
        if (found.length < MAX_NAMES) walk(inner, `${path}.${key}`, depth + 1)
  }
  walk(parsed.value, name, 0)
  return found
}

type NameCache = (bytes: Buffer, from: number, to: number) => string

/** Texts of names by their bytes. */
function nameCache(): NameCache {
  const known = new Map<number, { readonly bytes: Buffer; readonly name: string }>()
  return (bytes, from, to) => {
    let hash = 0
    for (let at = from; at < to; at++) hash = (Math.imul(hash, 31) + bytes[at]!) | 0
    const found = known.get(hash)
    if (
      found !== undefined &&
      found.bytes.length === to - from &&
      bytes.compare(found.bytes, 0, to - from, from, to) === 0
    )
      return found.name
    const name = bytes.toString('utf8', from, to)
    if (found === undefined && known.size < MAX_NAMES && to - from < 1000)
      known.set(hash, { bytes: Buffer.from(bytes.subarray(from, to)), name })
    return name
  }
}

function isObject(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function parseState(saved: Json | undefined): State {
  if (!isObject(saved)) return { step: -1, summary: {}, logged: new Set() }
  const { step, summary, logged } = saved
  return {
    step: typeof step === 'number' && Number.isSafeInteger(step) ? step : -1,
    summary: isObject(summary)
      ? Object.fromEntries(Object.entries(summary).map(([name, value]) => [name, Number(value)]))
      : {},
    logged: new Set(Array.isArray(logged) ? logged.map(String) : []),
  }
}
