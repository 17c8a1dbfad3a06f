import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { randomStream, restoredStream } from './random.ts'
import { decodeSafetensors, encodeSafetensors, readSafetensors, writeSafetensors } from './safetensors.ts'
import { learningRateSchedule } from './schedule.ts'
import { loadTokenizer, saveTokenizer, wordTokenizer } from './tokenizer.ts'

const dir = mkdtempSync(join(tmpdir(), 'telltale-files-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const tensors = {
  a: { shape: [2, 3], data: Float32Array.of(1, -2, Number.NaN, Number.POSITIVE_INFINITY, 1e-45, -0) },
  __proto: { shape: [], data: Float32Array.of(7) },
}

describe('safetensors', () => {
  it('come back bit for bit, with their metadata', () => {
    const path = join(dir, 'weights.safetensors')
    writeSafetensors(path, tensors, { note: 'x' })
    const read = readSafetensors(path)
    expect(read.metadata).toEqual({ note: 'x' })
    expect(Object.keys(read.tensors)).toEqual(['a', '__proto'])
    expect([...read.tensors.a!.data].map((value) => (Object.is(value, -0) ? '-0' : value))).toEqual([
      1,
      -2,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      1.401298464324817e-45,
      '-0',
    ])
    expect(read.tensors.__proto!.shape).toEqual([])
    expect(readdirSync(dir)).toEqual(['weights.safetensors'])
  })

  it('read F16 and F64 as well', () => {
    const header = Buffer.from(
      JSON.stringify({
        h: { dtype: 'F16', shape: [3], data_offsets: [0, 6] },
        d: { dtype: 'F64', shape: [1], data_offsets: [6, 14] },
      }),
    )
    const bytes = Buffer.alloc(8 + header.length + 14)
    bytes.writeBigUInt64LE(BigInt(header.length))
    header.copy(bytes, 8)
    for (const [i, bits] of [0x3c00, 0xc000, 0x0001].entries()) bytes.writeUInt16LE(bits, 8 + header.length + 2 * i)
    bytes.writeDoubleLE(0.5, 8 + header.length + 6)
    const { tensors: read } = decodeSafetensors(bytes, 'f')
    expect([...read.h!.data, ...read.d!.data]).toEqual([1, -2, 2 ** -24, 0.5])
  })

  it('are refused at whatever byte they are cut', () => {
    const whole = encodeSafetensors(tensors)
    for (let length = 0; length < whole.length; length++) {
      expect(() => decodeSafetensors(whole.subarray(0, length), 'cut'), `${length} bytes`).toThrowError(
        expect.objectContaining({ code: 'bad-format' }),
      )
    }
  })

  it.each([
    [
      'a header of 2^60 bytes',
      () => Buffer.concat([Buffer.from([0, 0, 0, 0, 0, 0, 0, 0x10]), Buffer.alloc(20)]),
      /header is said to have/,
    ],
    ['a header that is a list', () => file('[]'), /no object/],
    [
      'offsets beyond the end',
      () => file('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4000]}}'),
      /said to end at byte/,
    ],
    [
      'offsets that go back',
      () => file('{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}'),
      /said to end at byte|has no shape/,
    ],
    [
      'another size than its shape',
      () => file('{"a":{"dtype":"F32","shape":[9],"data_offsets":[0,4]}}'),
      /has 4 bytes for 9 numbers/,
    ],
    ['a negative shape', () => file('{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}'), /has no shape/],
    ['a type that nobody knows', () => file('{"a":{"dtype":"BF99","shape":[1],"data_offsets":[0,4]}}'), /of BF99/],
    ['null for a tensor', () => file('{"a":null}'), /has no shape/],
  ])('%s is refused', (_, make, message) => {
    expect(() => decodeSafetensors(make(), 'hostile')).toThrowError(
      expect.objectContaining({ code: 'bad-format', message: expect.stringMatching(message) }),
    )
  })

  it('never end in anything but our error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(150), (noise, at) => {
        const bytes = Buffer.from(encodeSafetensors(tensors))
        bytes.set(noise.subarray(0, Math.max(0, bytes.length - at)), Math.min(at, bytes.length))
        try {
          decodeSafetensors(bytes, 'noise')
        } catch (error) {
          expect(error).toMatchObject({ code: 'bad-format' })
        }
      }),
    )
  })
})

function file(header: string): Buffer {
  const bytes = Buffer.alloc(8 + header.length + 4)
  bytes.writeBigUInt64LE(BigInt(header.length))
  bytes.write(header, 8)
  return bytes
}

describe('the tokenizer', () => {
  const tokenizer = wordTokenizer(['hello', 'world', ',', '.', '__proto__', 'constructor'])

  it('splits words and marks, in lower case, and joins them again', () => {
    expect(tokenizer.decode(tokenizer.encode('Hello, WORLD.'))).toBe('hello , world .')
    expect(tokenizer.decode(Int32Array.of(0, 0, 3, 1, 4))).toBe('hello')
    expect([...tokenizer.encode('stranger __proto__ constructor')]).toEqual([tokenizer.unknownId, 7, 8])
  })

  it('is saved and loaded', () => {
    const path = join(dir, 'tokenizer.json')
    saveTokenizer(path, tokenizer)
    expect(loadTokenizer(path).tokens).toEqual(tokenizer.tokens)
  })

  it.each([
    ['["words"]', 'bad-format'],
    ['{"format":"telltale-words-1","words":["a","a"]}', 'bad-format'],
    ['{"format":"telltale-words-1","words":["two words"]}', 'bad-format'],
    ['{"format":"telltale-words-1","words":[7]}', 'bad-format'],
    ['{"format":"tell', 'bad-format'],
  ])('refuses %s', (text, code) => {
    const path = join(dir, 'bad.json')
    writeFileSync(path, text)
    expect(() => loadTokenizer(path)).toThrowError(expect.objectContaining({ code }))
  })

  it('survives anything as text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void tokenizer.decode(tokenizer.encode(text))))
    expect(tokenizer.encode('x '.repeat(1_000_000)).length).toBeLessThanOrEqual(50_000)
  })
})

describe('schedules', () => {
  it('warm up, fall and stay', () => {
    const cosine = learningRateSchedule({
      learningRate: 1,
      shape: 'cosine',
      warmupSteps: 2,
      totalSteps: 12,
      finalFraction: 0.1,
    })
    expect([0, 1, 2, 7, 12, 99].map((step) => Number(cosine(step).toFixed(3)))).toEqual([0.5, 1, 1, 0.55, 0.1, 0.1])
    expect(learningRateSchedule({ learningRate: 3 })(1e9)).toBe(3)
    expect(() => learningRateSchedule({ learningRate: 1, shape: 'linear' })).toThrowError(/totalSteps is undefined/)
    expect(() => learningRateSchedule({ learningRate: -1 })).toThrowError(/learningRate is -1/)
  })
})

describe('random streams', () => {
  it('repeat by seed, differ by name, and go on from their state', () => {
    const take = (stream: ReturnType<typeof randomStream>) => Array.from({ length: 5 }, () => stream.uniform())
    expect(take(randomStream(3, 'a'))).toEqual(take(randomStream(3, 'a')))
    expect(take(randomStream(3, 'a'))).not.toEqual(take(randomStream(3, 'b')))
    const stream = randomStream(4)
    take(stream)
    const state = stream.state()
    expect(take(restoredStream(state))).toEqual(take(stream))
  })

  it('are uniform and normal enough', () => {
    const random = randomStream(1)
    const normals = Array.from({ length: 20_000 }, () => random.normal())
    const mean = normals.reduce((a, b) => a + b, 0) / normals.length
    const variance = normals.reduce((sum, value) => sum + (value - mean) ** 2, 0) / normals.length
    expect(Math.abs(mean)).toBeLessThan(0.03)
    expect(Math.abs(variance - 1)).toBeLessThan(0.05)
    const counts = new Int32Array(7)
    for (let i = 0; i < 7000; i++) counts[random.integer(7)]!++
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150)
    expect([...random.permutation(9)].toSorted()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
  })
})
