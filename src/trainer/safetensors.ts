/**
 * The safetensors format: eight bytes of header length, a JSON header, raw little-endian numbers.
 *
 * @module
 */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { errorMessage, TelltaleError } from '../errors.ts'
import type { WeightRecord } from './model.ts'

/** Bytes that a header may have, as the reference implementation limits it. */
const MAX_HEADER_BYTES = 100_000_000

/** Tensors of a file with the texts of its `__metadata__`. */
export interface SafetensorsFile {
  /** Tensors by name, as float32. */
  readonly tensors: WeightRecord
  /** Texts by key; empty where the file has none. */
  readonly metadata: Readonly<Record<string, string>>
}

/** The bytes of a safetensors file of float32 tensors. */
export function encodeSafetensors(tensors: WeightRecord, metadata: Readonly<Record<string, string>> = {}): Uint8Array {
  const header: Record<string, unknown> = { __metadata__: metadata }
  let offset = 0
  for (const [name, { shape, data }] of Object.entries(tensors)) {
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, offset + data.byteLength] }
    offset += data.byteLength
  }
  const json = Buffer.from(JSON.stringify(header))
  // The header is padded with spaces, so that the numbers begin at a multiple of eight.
  const headerLength = Math.ceil(json.length / 8) * 8
  const bytes = Buffer.alloc(8 + headerLength + offset, 0x20)
  bytes.writeBigUInt64LE(BigInt(headerLength), 0)
  json.copy(bytes, 8)
  let at = 8 + headerLength
  for (const { data } of Object.values(tensors)) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at)
    at += data.byteLength
  }
  return bytes
}

/**
 * Writes a safetensors file: complete under its name, or not at all.
 *
 * @example
 * ```ts
 * import { statSync } from 'node:fs'
 * import { writeSafetensors } from 'telltale/trainer'
 * writeSafetensors('bias.safetensors', { bias: { shape: [2], data: Float32Array.of(1, 2) } })
 * console.log(statSync('bias.safetensors').size % 8) // 0
 * ```
 */
export function writeSafetensors(
  path: string,
  tensors: WeightRecord,
  metadata: Readonly<Record<string, string>> = {},
): void {
  const bytes = encodeSafetensors(tensors, metadata)
  const temporary = `${path}.tmp`
  try {
    const descriptor = openSync(temporary, 'w')
    try {
      let written = 0
      while (written < bytes.length) written += writeSync(descriptor, bytes, written)
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
    renameSync(temporary, path)
  } catch (error) {
    throw new TelltaleError('not-writable', `${path} cannot be written: ${errorMessage(error)}`, { cause: error })
  }
}

/**
 * Reads a safetensors file of F32 tensors (F64 and F16 are converted).
 *
 * @throws TelltaleError `not-readable`, or `bad-format` saying what is wrong.
 *
 * @example
 * ```ts
 * import { readSafetensors, writeSafetensors } from 'telltale/trainer'
 * writeSafetensors('two.safetensors', { bias: { shape: [2], data: Float32Array.of(1, 2) } }, { from: 'an example' })
 * const { tensors, metadata } = readSafetensors('two.safetensors')
 * console.log([...(tensors.bias?.data ?? [])], metadata.from) // [ 1, 2 ] an example
 * ```
 */
export function readSafetensors(path: string): SafetensorsFile {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (error) {
    throw new TelltaleError('not-readable', `${path} cannot be read: ${errorMessage(error)}`, { cause: error })
  }
  return decodeSafetensors(bytes, path)
}

/** {@link readSafetensors} of bytes; `name` is for error messages. */
export function decodeSafetensors(bytes: Uint8Array, name: string): SafetensorsFile {
  const bad = (problem: string) =>
    new TelltaleError('bad-format', `${name} is not a whole safetensors file: ${problem}`)
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (buffer.length < 8) throw bad(`it has ${buffer.length} bytes`)
  const headerLength = buffer.readBigUInt64LE(0)
  if (headerLength > BigInt(MAX_HEADER_BYTES) || Number(headerLength) > buffer.length - 8) {
    throw bad(`its header is said to have ${headerLength} bytes, the file has ${buffer.length}`)
  }
  const start = 8 + Number(headerLength)
  let header: unknown
  try {
    header = JSON.parse(buffer.toString('utf8', 8, start))
  } catch (error) {
    throw bad(`its header is no JSON (${errorMessage(error)})`)
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) throw bad('its header is no object')
  const tensors: Record<string, { shape: readonly number[]; data: Float32Array }> = Object.create(null)
  let metadata: Record<string, string> = {}
  for (const [key, entry] of Object.entries(header) as [string, Record<string, unknown> | null][]) {
    if (key === '__metadata__') {
      metadata = Object.fromEntries(
        Object.entries(entry ?? {}).filter((pair): pair is [string, string] => typeof pair[1] === 'string'),
      )
      continue
    }
    const shape = entry?.shape
    const offsets = entry?.data_offsets
    if (!isSizes(shape) || !isSizes(offsets) || offsets.length !== 2)
      throw bad(`tensor ${JSON.stringify(key)} has no shape or offsets`)
    const [from, to] = offsets as [number, number]
    if (from > to || start + to > buffer.length) {
      throw bad(`tensor ${JSON.stringify(key)} is said to end at byte ${start + to}, the file has ${buffer.length}`)
    }
    const count = shape.reduce((a, b) => a * b, 1)
    const data = numbers(buffer.subarray(start + from, start + to), String(entry?.dtype), count)
    if (!data)
      throw bad(`tensor ${JSON.stringify(key)} has ${to - from} bytes for ${count} numbers of ${String(entry?.dtype)}`)
    tensors[key] = { shape, data }
  }
  return { tensors, metadata }
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0)
}

function numbers(bytes: Buffer, dtype: string, count: number): Float32Array | null {
  const size = { F32: 4, F64: 8, F16: 2 }[dtype]
  if (size === undefined || bytes.length !== size * count) return null
  // Copied, since the numbers in a file need not be aligned in memory.
  const data = new Float32Array(count)
  for (let i = 0; i < count; i++) {
    data[i] =
      size === 4 ? bytes.readFloatLE(4 * i) : size === 8 ? bytes.readDoubleLE(8 * i) : half(bytes.readUInt16LE(2 * i))
  }
  return data
}

function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}
