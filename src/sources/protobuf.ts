/**
 * Reads protocol buffers field by field with one cursor and no object a field, which is what makes event files fast to read.
 *
 * @module
 */

/** Kinds of fields on the wire. */
export const VARINT = 0
export const FIXED64 = 1
export const BYTES = 2
export const FIXED32 = 5

/** Where reading stands; `end` is the byte after the message. */
export interface Wire {
  readonly bytes: Buffer
  readonly view: DataView
  at: number
  end: number
}

/** What is thrown for bytes that are no protocol buffer. Whoever reads records catches it. */
export class BadWire extends Error {}

export function wireOf(bytes: Buffer, from = 0, to = bytes.length): Wire {
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length), at: from, end: to }
}

/** A variable-length number; one beyond 2^53 loses its last digits, a negative one is above 2^63. @throws BadWire */
export function readVarint(wire: Wire): number {
  const { bytes, end } = wire
  let value = 0
  let scale = 1
  for (let count = 0; count < 10; count++) {
    if (wire.at >= end) throw new BadWire('a number goes beyond its message')
    const byte = bytes[wire.at++]!
    value += (byte & 127) * scale
    if (byte < 128) return value
    scale *= 128
  }
  throw new BadWire('a number of more than 10 bytes')
}

/** A varint that holds a signed number of 64 bits. @throws BadWire */
export function readSigned(wire: Wire): number {
  const from = wire.at
  const value = readVarint(wire)
  if (value < 2 ** 63) return value
  let signed = 0n
  for (let at = from, shift = 0n; at < wire.at; at++, shift += 7n) signed |= BigInt(wire.bytes[at]! & 127) << shift
  return Number(BigInt.asIntN(64, signed))
}

/** Reads the length of a field of bytes and gives where it ends; the cursor stands at its first byte. @throws BadWire */
export function readEnd(wire: Wire): number {
  const length = readVarint(wire)
  const end = wire.at + length
  if (end > wire.end) throw new BadWire('a field goes beyond its message')
  return end
}

/** @throws BadWire */
export function readDouble(wire: Wire): number {
  if (wire.at + 8 > wire.end) throw new BadWire('a number goes beyond its message')
  wire.at += 8
  return wire.view.getFloat64(wire.at - 8, true)
}

/** @throws BadWire */
export function readFloat(wire: Wire): number {
  if (wire.at + 4 > wire.end) throw new BadWire('a number goes beyond its message')
  wire.at += 4
  return wire.view.getFloat32(wire.at - 4, true)
}

/** Text of a field of bytes. @throws BadWire */
export function readText(wire: Wire): string {
  const end = readEnd(wire)
  const text = wire.bytes.toString('utf8', wire.at, end)
  wire.at = end
  return text
}

/** Passes over a field that nobody asks for. @throws BadWire */
export function skipField(wire: Wire, kind: number): void {
  if (kind === VARINT) readVarint(wire)
  else if (kind === FIXED64) wire.at += 8
  else if (kind === FIXED32) wire.at += 4
  else if (kind === BYTES) wire.at = readEnd(wire)
  else throw new BadWire(`a field of the unknown kind ${kind}`)
  if (wire.at > wire.end) throw new BadWire('a field goes beyond its message')
}

/**
 * Calls `field` with number and kind of each field of a message that ends at `end`; it reads the value or returns false to have it passed over.
 *
 * @throws BadWire
 */
export function eachField(wire: Wire, end: number, field: (number: number, kind: number) => boolean): void {
  const outer = wire.end
  wire.end = end
  while (wire.at < end) {
    const key = readVarint(wire)
    if (!field(Math.floor(key / 8), key & 7)) skipField(wire, key & 7)
  }
  wire.at = end
  wire.end = outer
}
