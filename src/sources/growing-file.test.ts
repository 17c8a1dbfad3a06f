import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { type FilePiece, fileVersion, growingFile } from './growing-file.ts'

const dir = mkdtempSync(join(tmpdir(), 'telltale-growing-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

let count = 0
let path = ''
beforeEach(() => {
  path = join(dir, `log-${count++}.jsonl`)
})

const said = ({ change, bytes, offset, more }: FilePiece) => [change, bytes.toString(), offset, more]
const json = (value: unknown) => JSON.parse(JSON.stringify(value))

describe('a growing file', () => {
  it('gives what is new, in pieces, once', () => {
    const file = growingFile(path)
    expect(() => file.read(10)).toThrowError(expect.objectContaining({ code: 'not-readable' }))
    writeFileSync(path, 'abcdef')
    expect(said(file.read(4))).toEqual(['same', 'abcd', 0, true])
    expect(said(file.read(4))).toEqual(['same', 'ef', 4, false])
    expect(said(file.read(4))).toEqual(['same', '', 6, false])
    appendFileSync(path, 'gh')
    expect(said(file.read(4))).toEqual(['same', 'gh', 6, false])
  })

  it('goes on from every saved position, also when it has grown since', () => {
    const text = `${'x'.repeat(300)}${'y'.repeat(100)}`
    writeFileSync(path, text.slice(0, 200))
    const file = growingFile(path)
    file.read(1000)
    const marks = Array.from({ length: 201 }, (_, at) => json(file.mark(at)))
    writeFileSync(path, text)
    for (const [at, mark] of marks.entries()) {
      const piece = growingFile(path, mark).read(1000)
      expect([piece.change, piece.offset, piece.bytes.toString()]).toEqual(['same', at, text.slice(at)])
    }
  })

  it('says when it was truncated, and begins again', () => {
    writeFileSync(path, 'abcdef')
    const file = growingFile(path)
    file.read(10)
    truncateSync(path, 3)
    expect(said(file.read(10))).toEqual(['truncated', '', 0, true])
    expect(said(file.read(10))).toEqual(['same', 'abc', 0, false])
    truncateSync(path, 0)
    expect(said(file.read(10))).toEqual(['truncated', '', 0, false])
    appendFileSync(path, 'new')
    expect(said(file.read(10))).toEqual(['same', 'new', 0, false])
  })

  it('says when it was written anew in place, by its beginning', () => {
    writeFileSync(path, 'first file')
    const file = growingFile(path)
    file.read(100)
    const mark = json(file.mark())
    writeFileSync(path, 'second file, longer')
    for (const follower of [file, growingFile(path, mark)]) {
      expect(said(follower.read(100))).toEqual(['replaced', '', 0, true])
      expect(said(follower.read(100))).toEqual(['same', 'second file, longer', 0, false])
    }
  })

  it('reads a file that was moved within its folder to its end, then what took its place', () => {
    writeFileSync(path, 'one two three')
    const file = growingFile(path)
    file.read(4)
    const mark = json(file.mark())
    renameSync(path, `${path}.1`)
    expect(() => file.read(4)).toThrowError(expect.objectContaining({ code: 'not-readable' }))
    writeFileSync(path, 'four')
    for (const follower of [file, growingFile(path, mark)]) {
      const texts = []
      for (let piece = follower.read(6); piece.bytes.length > 0 || piece.more; piece = follower.read(6)) {
        texts.push(piece.change === 'same' ? piece.bytes.toString() : piece.change)
      }
      expect(texts).toEqual(['two th', 'ree', 'replaced', 'four'])
    }
  })

  it('takes another file for another one even where it has the same beginning', () => {
    writeFileSync(path, 'same beginning')
    const file = growingFile(path)
    file.read(100)
    writeFileSync(`${path}.new`, 'same beginning and more')
    renameSync(`${path}.new`, path)
    expect(file.read(100).change).toBe('replaced')
  })

  it('refuses what is no file, without waiting for a writer', () => {
    execFileSync('mkfifo', [path])
    expect(() => growingFile(path).read(10)).toThrowError(/it is no file/)
    expect(() => growingFile(dir).read(10)).toThrowError(/it is no file/)
  })

  it.each([
    null,
    3,
    'x',
    [],
    {},
    { device: 1, inode: 1, head: 'x', headBytes: 99999, offset: 0 },
    { device: 1, inode: 1, head: 'x', headBytes: 1, offset: -1 },
  ])('takes %j, which is no mark, for none', (mark) => {
    writeFileSync(path, 'abc')
    expect(said(growingFile(path, mark).read(10))).toEqual(['same', 'abc', 0, false])
  })

  it('has a version that changes when it is written', () => {
    expect(fileVersion(path)).toBeNull()
    writeFileSync(path, 'a')
    const before = fileVersion(path)
    expect(fileVersion(path)).toBe(before)
    writeFileSync(path, 'bc')
    expect(fileVersion(path)).not.toBe(before)
  })
})
