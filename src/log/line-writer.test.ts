import { expect, it } from 'vitest'
import type { AppendFile } from './append-file.ts'
import { type LostLines, lineWriter } from './line-writer.ts'

/** A disk of so many bytes, which somebody else may fill. */
function disk(size: number): { size: number; readonly lines: readonly string[]; readonly file: AppendFile } {
  let text = ''
  const one: ReturnType<typeof disk> = {
    size,
    get lines(): string[] {
      return text.split('\n').slice(0, -1)
    },
    file: {
      put(more) {
        if (text.length + more.length > one.size) return Object.assign(new Error('no space left'), { code: 'ENOSPC' })
        text += more
        return null
      },
      freeBytes: () => one.size - text.length,
      close() {},
    },
  }
  return one
}

function writerOn(one: ReturnType<typeof disk>) {
  const said: string[] = []
  const gap = ({ samples, numbers, kept, since, why }: LostLines) =>
    `gap ${samples} ${numbers} ${kept} ${since} ${why}\n`
  const writer = lineWriter({ path: 'log', file: one.file, gap, say: (text) => said.push(text) })
  return { writer, said }
}

it('leaves answers out first, then numbers, and lets alerts wait, which come before anything else', () => {
  const one = disk(20)
  const { writer, said } = writerOn(one)
  expect(writer.write('numbers', 'numbers 1\n', 1)).toBe(true)
  expect(writer.write('samples', 'answers of some length\n', 2)).toBe(false)
  // What is free is left to alerts.
  expect(writer.write('numbers', 'numbers 2\n', 3)).toBe(false)
  expect(writer.write('kept', 'alert 1\n', 4)).toBe(true)
  expect(writer.write('kept', 'alert 2\n', 5)).toBe(false)
  one.size = 70_000
  expect(writer.write('numbers', 'numbers 3\n', 6)).toBe(true)
  expect(one.lines).toEqual(['numbers 1', 'alert 1', 'alert 2', 'numbers 3'])
  // Answers would take that room again.
  expect(writer.write('samples', 'answers 2\n', 60)).toBe(false)
  one.size = 5_000_000
  expect(writer.write('samples', 'answers 3\n', 61)).toBe(true)
  expect(one.lines.slice(4)).toEqual(['answers 3', 'gap 2 1 0 2 ENOSPC'])
  expect(writer.write('samples', 'answers 4\n', 62)).toBe(true)
  expect(writer.dropped).toBe(3)
  expect(said).toEqual([
    expect.stringMatching(/^log cannot be written \(no space left\)\. The training goes on;/),
    'log is written again; 2 lines with answers and 1 with numbers are missing from it.',
  ])
})

it('tries answers now and then only, where a limit shows in no number of free bytes', () => {
  const one = disk(0)
  let tries = 0
  const file: AppendFile = {
    ...one.file,
    put(text) {
      tries++
      return one.file.put(text)
    },
    freeBytes: () => Number.POSITIVE_INFINITY,
  }
  const writer = lineWriter({ path: 'log', file, gap: () => 'gap\n', say() {} })
  for (let time = 0; time < 100; time++) writer.write('samples', 'answers\n', time)
  expect(tries).toBe(4)
})

it('is over after a while without answers, too', () => {
  const one = disk(0)
  const { writer } = writerOn(one)
  writer.write('samples', 'answers\n', 1)
  one.size = 5_000_000
  writer.write('numbers', 'numbers 1\n', 2)
  expect(one.lines).toEqual(['numbers 1'])
  writer.write('numbers', 'numbers 2\n', 31)
  expect(one.lines.slice(1)).toEqual(['numbers 2', 'gap 1 0 0 1 ENOSPC'])
})

it('says a disk that is full again and again every ten minutes, and what the log lacks in the end', () => {
  const one = disk(0)
  const { writer, said } = writerOn(one)
  for (let time = 0; time < 1500; time += 100) {
    one.size = 0
    writer.write('numbers', 'numbers\n', time)
    one.size = 5_000_000
    writer.write('numbers', 'numbers\n', time + 1)
  }
  expect(said.filter((text) => text.includes('cannot be written'))).toHaveLength(3)
  one.size = 0
  writer.write('kept', 'end\n', 2000)
  writer.close()
  expect(said.at(-1)).toBe('log lacks 16 lines, its last alerts or its end among them: there was no room for them.')
})

it('holds a bounded number of alerts, and names a line that was too long without a word of the disk', () => {
  const one = disk(0)
  const { writer, said } = writerOn(one)
  for (let i = 0; i < 300; i++) writer.write('kept', `${'x'.repeat(9999)}\n`, i)
  one.size = 50_000_000
  writer.write('numbers', 'numbers\n', 400)
  expect(one.lines.length).toBe(104 + 2)
  expect(one.lines.at(-1)).toBe('gap 0 0 196 104 ENOSPC')
  expect(said).toHaveLength(2)
  writer.leaveOut('numbers', 500)
  writer.write('numbers', 'numbers\n', 501)
  expect(one.lines.at(-1)).toBe('gap 0 1 0 500 null')
  expect(said).toHaveLength(2)
})
