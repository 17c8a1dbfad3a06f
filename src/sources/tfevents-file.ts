/**
 * One TensorBoard event file: records with checksums, an event in each. A record that is damaged is passed over and said; where a length is
 * damaged the next record is looked for.
 *
 * @module
 */
import { parseJsonLine } from '../log/flat-line.ts'
import { maskedCrc32c } from './crc32c.ts'
import type { Cut } from './line-cutter.ts'
import { fileSource } from './line-source.ts'
import {
  BadWire,
  BYTES,
  eachField,
  FIXED32,
  FIXED64,
  readDouble,
  readEnd,
  readFloat,
  readSigned,
  readText,
  readVarint,
  skipField,
  VARINT,
  type Wire,
  wireOf,
} from './protobuf.ts'
import { type RecordReader, recordCutter } from './record-cutter.ts'
import type { Json, Source, SourceRecord } from './source.ts'

/** Length and its checksum; after the data comes the data's. */
const HEADER_BYTES = 12
const FOOTER_BYTES = 4
/** A longer record (an image, a graph) is passed over as it comes. */
const MAX_RECORD_BYTES = 16 * 1024 * 1024
/** Tags whose plugin is remembered, and whose text is not made anew for each value. */
const MAX_TAGS = 10_000
const MAX_TEXTS = 64

/** Follows one event file. */
export function tfeventsFileSource(path: string, position: Json | undefined, pieceBytes?: number): Source {
  return fileSource({
    path,
    position,
    pieceBytes,
    begin(saved) {
      const reader = eventReader(path, saved?.state)
      return { reader, cutter: recordCutter(reader, saved?.consumed) }
    },
  })
}

function eventReader(path: string, state: Json | undefined): RecordReader {
  const saved = parseState(state)
  /** Plugins by tag: only a tag's first value says it. */
  let plugins = new Map<string, string>(saved.plugins)
  /** Bytes of a record that is too long to be held. */
  let skipping = saved.skipping
  /** Whether a damaged length was met, and no record since. */
  let lost = saved.lost
  let wanted = HEADER_BYTES
  const tagOf = tagCache()

  function takeRecord(wire: Wire, from: number, to: number, offset: number, cut: Cut): void {
    const before = cut.records.length
    try {
      wire.at = from
      wire.end = to
      takeEvent(wire, cut, offset)
    } catch (error) {
      if (!(error instanceof BadWire)) throw error
      cut.records.length = before
      cut.damage.push({ path, offset, problem: `an event that is none: ${error.message}` })
    }
  }

  function takeEvent(wire: Wire, cut: Cut, offset: number): void {
    let time = 0
    let step = 0
    let summary = -1
    let summaryEnd = -1
    const { end } = wire
    while (wire.at < end) {
      const key = readVarint(wire)
      if (key === 8 + FIXED64) time = readDouble(wire)
      else if (key === 16 + VARINT) step = readSigned(wire)
      else if (key === 40 + BYTES) {
        summaryEnd = readEnd(wire)
        summary = wire.at
        wire.at = summaryEnd
      } else if (key === 56 + BYTES) {
        eachField(wire, readEnd(wire), (number, kind) => {
          if (number !== 1 || kind !== VARINT) return false
          if (readVarint(wire) === 1) cut.records.push({ type: 'attempt' })
          return true
        })
      } else skipField(wire, key & 7)
    }
    if (summary < 0) return
    if (!Number.isSafeInteger(step) || step < 0) {
      cut.damage.push({ path, offset, problem: `the step ${step}: expected 0 to ${Number.MAX_SAFE_INTEGER}` })
      return
    }
    wire.at = summary
    wire.end = summaryEnd
    takeSummary(wire, step, Number.isFinite(time) ? time : null, cut.records)
  }

  function takeSummary(wire: Wire, step: number, time: number | null, records: SourceRecord[]): void {
    const { end } = wire
    let metrics: Record<string, number> | null = null
    while (wire.at < end) {
      const key = readVarint(wire)
      if (key !== 8 + BYTES) {
        skipField(wire, key & 7)
        continue
      }
      const valueEnd = readEnd(wire)
      wire.end = valueEnd
      let tag = ''
      let value = 0
      let kind: 'none' | 'simple' | 'tensor' = 'none'
      let tensor = 0
      let tensorEnd = 0
      let plugin = ''
      while (wire.at < valueEnd) {
        const field = readVarint(wire)
        if (field === 8 + BYTES) {
          const tagEnd = readEnd(wire)
          tag = tagOf(wire.bytes, wire.at, tagEnd)
          wire.at = tagEnd
        } else if (field === 16 + FIXED32) {
          value = readFloat(wire)
          kind = 'simple'
        } else if (field === 64 + BYTES) {
          tensorEnd = readEnd(wire)
          tensor = wire.at
          wire.at = tensorEnd
          kind = 'tensor'
        } else if (field === 72 + BYTES) plugin = pluginIn(wire, readEnd(wire))
        else skipField(wire, field & 7)
      }
      if (kind === 'tensor') {
        if (plugin === '') plugin = plugins.get(tag) ?? ''
        else if (plugins.size < MAX_TAGS) plugins.set(tag, plugin)
        wire.at = tensor
        wire.end = tensorEnd
        if (plugin === 'scalars') {
          const scalar = scalarOf(wire)
          if (scalar !== null) {
            value = scalar
            kind = 'simple'
          }
        } else if (plugin === 'text') takeText(tag, textsOf(wire), step, time, records)
      }
      if (kind === 'simple') {
        if (metrics === null) {
          metrics = { [tag]: value }
          records.push({ type: 'points', step, time, metrics })
        } else Object.defineProperty(metrics, tag, { value, enumerable: true, writable: true, configurable: true })
      }
      wire.at = valueEnd
      wire.end = end
    }
  }

  return {
    name: 'tfevents',
    get wanted() {
      return wanted
    },
    take(bytes, offset, finished, cut) {
      const wire = wireOf(bytes)
      let at = 0
      wanted = HEADER_BYTES
      if (skipping > 0) {
        at = Math.min(skipping, bytes.length)
        skipping -= at
      }
      while (at + HEADER_BYTES <= bytes.length) {
        const high = wire.view.getUint32(at + 4, true)
        const sound = high < 1 << 20 && maskedCrc32c(bytes, at, at + 8) === wire.view.getUint32(at + 8, true)
        if (!sound) {
          if (!lost)
            cut.damage.push({ path, offset: offset + at, problem: 'a record whose length has a wrong checksum' })
          lost = true
          at++
          continue
        }
        lost = false
        const length = high * 2 ** 32 + wire.view.getUint32(at, true)
        const end = at + HEADER_BYTES + length
        if (length > MAX_RECORD_BYTES) {
          cut.damage.push({
            path,
            offset: offset + at,
            problem: `a record of ${length} bytes: too long, not looked at`,
          })
          skipping = Math.max(0, end + FOOTER_BYTES - bytes.length)
          at = Math.min(bytes.length, end + FOOTER_BYTES)
          continue
        }
        if (end + FOOTER_BYTES > bytes.length) {
          wanted = HEADER_BYTES + length + FOOTER_BYTES
          break
        }
        if (maskedCrc32c(bytes, at + HEADER_BYTES, end) !== wire.view.getUint32(end, true))
          cut.damage.push({ path, offset: offset + at, problem: 'a record with a wrong checksum' })
        else takeRecord(wire, at + HEADER_BYTES, end, offset + at, cut)
        at = end + FOOTER_BYTES
      }
      if (finished && at < bytes.length) {
        if (!lost) cut.damage.push({ path, offset: offset + at, problem: 'torn: the last record has no end' })
        at = bytes.length
      }
      return at
    },
    anew(records) {
      plugins = new Map()
      skipping = 0
      lost = false
      wanted = HEADER_BYTES
      records.push({ type: 'attempt' })
    },
    state: () => ({ plugins: [...plugins], skipping, lost }),
  }
}

/** The name of the plugin in a value's metadata, or nothing. */
function pluginIn(wire: Wire, end: number): string {
  let name = ''
  eachField(wire, end, (number, kind) => {
    if (number !== 1 || kind !== BYTES) return false
    eachField(wire, readEnd(wire), (inner, innerKind) => {
      if (inner !== 1 || innerKind !== BYTES) return false
      name = readText(wire).slice(0, 100)
      return true
    })
    return true
  })
  return name
}

const DT_FLOAT = 1
const DT_DOUBLE = 2
const DT_INT32 = 3
const DT_INT64 = 9
const DT_BOOL = 10

/** The number in a tensor that holds one; null where it holds none, several, or of a kind that is not known. */
function scalarOf(wire: Wire): number | null {
  let kind = 0
  let content = -1
  let contentEnd = -1
  let value = Number.NaN
  let count = 0
  const one = (read: () => number) => {
    value = read()
    count++
  }
  const { end } = wire
  const packed = (fieldKind: number, read: () => number) => {
    if (fieldKind !== BYTES) one(read)
    else for (const last = readEnd(wire); wire.at < last; ) one(read)
    return true
  }
  eachField(wire, end, (number, fieldKind) => {
    if (number === 1 && fieldKind === VARINT) kind = readVarint(wire)
    else if (number === 4 && fieldKind === BYTES) {
      contentEnd = readEnd(wire)
      content = wire.at
      wire.at = contentEnd
    } else if (number === 5) return packed(fieldKind, () => readFloat(wire))
    else if (number === 6) return packed(fieldKind, () => readDouble(wire))
    else if (number === 7 || number === 10 || number === 11) return packed(fieldKind, () => readSigned(wire))
    else return false
    return true
  })
  if (content < 0 || contentEnd === content) return count === 1 ? value : null
  const { view } = wire
  const bytes = contentEnd - content
  if (kind === DT_FLOAT && bytes === 4) return view.getFloat32(content, true)
  if (kind === DT_DOUBLE && bytes === 8) return view.getFloat64(content, true)
  if (kind === DT_INT32 && bytes === 4) return view.getInt32(content, true)
  if (kind === DT_INT64 && bytes === 8) return Number(view.getBigInt64(content, true))
  if (kind === DT_BOOL && bytes === 1) return view.getUint8(content)
  return null
}

function textsOf(wire: Wire): readonly string[] {
  const texts: string[] = []
  eachField(wire, wire.end, (number, kind) => {
    if (number !== 8 || kind !== BYTES || texts.length >= MAX_TEXTS) return false
    texts.push(readText(wire))
    return true
  })
  return texts
}

/** Texts that are the run's settings by their tags, and those that are answers. */
const SETTINGS = /^(args|model_config|hparams|config)$/
const ANSWERS = /generated|generation|completion|sample|response/i

function takeText(
  tag: string,
  texts: readonly string[],
  step: number,
  time: number | null,
  records: SourceRecord[],
): void {
  const name = tag.replace(/\/text_summary$/, '')
  if (SETTINGS.test(name)) {
    const parsed = parseJsonLine(texts[0] ?? '')
    if ('problem' in parsed || typeof parsed.value !== 'object' || parsed.value === null || Array.isArray(parsed.value))
      return
    const config = parsed.value as Record<string, unknown>
    records.push({ type: 'config', config: name === 'model_config' ? { model_config: config } : config })
  } else if (ANSWERS.test(name) && texts.length > 0) {
    const answers = texts.map(answerOf)
    records.push({
      type: 'samples',
      step,
      time,
      responses: answers.map(({ text }) => text),
      ...(answers.every(({ reward }) => Number.isNaN(reward)) ? {} : { rewards: answers.map(({ reward }) => reward) }),
    })
  }
}

/** OpenRLHF writes an answer as `Sample:`, the text and `Reward:`. */
function answerOf(text: string): { readonly text: string; readonly reward: number } {
  const reward = /\n\nReward: (\S{1,40})\s*$/.exec(text.slice(-100))
  if (!text.startsWith('Sample:\n') || reward === null) return { text, reward: Number.NaN }
  return { text: text.slice('Sample:\n'.length, text.lastIndexOf('\n\nReward: ')), reward: Number(reward[1]) }
}

/** Texts of tags by their bytes: making them anew for each value would take longer than all else. */
function tagCache(): (bytes: Buffer, from: number, to: number) => string {
  const known = new Map<number, { readonly bytes: Buffer; readonly tag: string }>()
  return (bytes, from, to) => {
    let hash = 0
    for (let at = from; at < to; at++) hash = (Math.imul(hash, 31) + bytes[at]!) | 0
    const found = known.get(hash)
    if (found !== undefined && same(found.bytes, bytes, from, to)) return found.tag
    const tag = bytes.toString('utf8', from, to)
    if (known.size < MAX_TAGS && found === undefined && to - from < 1000)
      known.set(hash, { bytes: Buffer.from(bytes.subarray(from, to)), tag })
    return tag
  }
}

function same(tag: Buffer, bytes: Buffer, from: number, to: number): boolean {
  if (tag.length !== to - from) return false
  for (let i = 0; i < tag.length; i++) if (tag[i] !== bytes[from + i]) return false
  return true
}

function parseState(state: Json | undefined) {
  const nothing = { plugins: [] as (readonly [string, string])[], skipping: 0, lost: false }
  if (typeof state !== 'object' || state === null || Array.isArray(state)) return nothing
  const { plugins, skipping, lost } = state as { readonly [key: string]: Json }
  return {
    plugins: Array.isArray(plugins)
      ? plugins.flatMap((one) => (Array.isArray(one) ? [[String(one[0]), String(one[1])] as const] : []))
      : [],
    skipping: typeof skipping === 'number' && Number.isSafeInteger(skipping) && skipping > 0 ? skipping : 0,
    lost: lost === true,
  }
}
