import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { isOrderWaiting, type StopOrder, withdrawOrder, writeControlFile } from './control-file.ts'

const root = mkdtempSync(join(tmpdir(), 'telltale-control-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

let folders = 0
function folder(): string {
  const dir = join(root, `run-${folders++}`)
  mkdirSync(dir)
  return dir
}

const order: StopOrder = {
  run: 'r-1',
  writer: 'w_1',
  reason: 'the KL explodes',
  iteration: 12,
  rollbackTo: 8,
  time: 1_700_000_000,
}

describe('an order', () => {
  it('is one file that names run and writer, and leaves no draft behind', () => {
    const dir = folder()
    expect(isOrderWaiting(dir, 'w_1')).toBe(false)
    const path = writeControlFile(dir, order)
    expect(path).toBe(join(dir, 'control-w_1.json'))
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ v: 1, type: 'stop', ...order })
    expect(readdirSync(dir)).toEqual(['control-w_1.json'])
    expect(isOrderWaiting(dir, 'w_1')).toBe(true)
    expect(isOrderWaiting(dir, 'w_2')).toBe(false)
  })

  it('is replaced by a later one and can be taken back once', () => {
    const dir = folder()
    writeControlFile(dir, order)
    const path = writeControlFile(dir, { ...order, reason: 'x'.repeat(100_000), rollbackTo: null })
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ reason: 'x'.repeat(2000), rollbackTo: null })
    expect(withdrawOrder(dir, 'w_1')).toBe(true)
    expect(withdrawOrder(dir, 'w_1')).toBe(false)
    expect(isOrderWaiting(dir, 'w_1')).toBe(false)
    expect(withdrawOrder(join(dir, 'gone'), 'w_1')).toBe(false)
  })

  it.each(['', '../w', 'a/b', 'a\0b', 'x'.repeat(65), '\u001b[31m'])('is not left for %j, which is no name', (name) => {
    const dir = folder()
    const refused = expect.objectContaining({
      code: 'bad-option',
      message: expect.stringContaining('expected 1 to 64'),
    })
    expect(() => writeControlFile(dir, { ...order, writer: name })).toThrowError(refused)
    expect(() => writeControlFile(dir, { ...order, run: name })).toThrowError(refused)
    expect(() => isOrderWaiting(dir, name)).toThrowError(refused)
    expect(() => withdrawOrder(dir, name)).toThrowError(refused)
    expect(readdirSync(dir)).toEqual([])
  })

  it('that cannot be left says that the run goes on', () => {
    const refused = expect.objectContaining({
      code: 'not-writable',
      message: expect.stringMatching(/ENOENT.*run r-1 goes on/),
    })
    expect(() => writeControlFile(join(root, 'gone'), order)).toThrowError(refused)
  })

  it('replaces a link and leaves what it names alone', () => {
    const dir = folder()
    const precious = join(dir, 'precious')
    writeFileSync(precious, 'mine')
    symlinkSync(precious, join(dir, 'control-w_1.json'))
    expect(isOrderWaiting(dir, 'w_1')).toBe(false)
    writeControlFile(dir, order)
    expect(readFileSync(precious, 'utf8')).toBe('mine')
    expect(isOrderWaiting(dir, 'w_1')).toBe(true)
  })

  it('that is a folder can neither be replaced nor taken back, and says so', () => {
    const dir = folder()
    mkdirSync(join(dir, 'control-w_1.json'))
    expect(() => writeControlFile(dir, order)).toThrowError(expect.objectContaining({ code: 'not-writable' }))
    expect(() => withdrawOrder(dir, 'w_1')).toThrowError(/remove it by hand/)
    expect(readdirSync(dir)).toEqual(['control-w_1.json'])
  })
})
