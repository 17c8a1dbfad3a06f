import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { rolldown } from 'rolldown'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { leavesCursorHidden } from './emulator.fixture.ts'

const dir = mkdtempSync(join(tmpdir(), 'telltale-end-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

/** What each child does before its end; `display` has painted by then. */
const CHILD = `
import { writeSync } from 'node:fs'
import { TerminalDisplay } from './display.mjs'
const stream = { isTTY: true, columns: 80, rows: 24, write: (text) => writeSync(1, text) }
const display = new TerminalDisplay({ stream, verbosity: 'verbose', env: { TERM: 'xterm', LANG: 'C.UTF-8' } })
const event = (phase, iteration) => ({ phase, iteration, metrics: {}, metadata: {} })
display.onEvent(event('training_start', 0))
display.onEvent(event('iteration_end', 0))
const ends = {
  exit: () => process.exit(3),
  nothing: () => undefined,
  exception: () => { throw new Error('the training broke') },
  rejection: () => void Promise.reject(new Error('the training broke')),
  signal: () => { setInterval(() => undefined, 1000); writeSync(2, 'ready') },
  handled: () => {
    process.on('SIGINT', () => { display.onEvent(event('training_end', 0)); process.exit(5) })
    setInterval(() => undefined, 1000)
    writeSync(2, 'ready')
  },
}
ends[process.argv[2]]()
`

async function child(end: string, signal?: NodeJS.Signals) {
  const running = spawn(process.execPath, [join(dir, 'child.mjs'), end])
  let output = ''
  running.stdout.on('data', (chunk: Buffer) => {
    output += String(chunk)
  })
  running.stderr.on('data', (chunk: Buffer) => {
    if (signal && String(chunk).includes('ready')) running.kill(signal)
  })
  const [code, endedBy] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) => {
    running.on('close', (status, by) => resolve([status, by]))
  })
  return { code, endedBy, output }
}

describe('the cursor comes back', () => {
  beforeAll(async () => {
    const bundle = await rolldown({ input: join(import.meta.dirname, 'terminal-display.ts'), platform: 'node' })
    await bundle.write({ file: join(dir, 'display.mjs'), format: 'esm' })
    await bundle.close()
    writeFileSync(join(dir, 'child.mjs'), CHILD)
  })

  it.each([
    ['exit', undefined, 3, null],
    ['nothing', undefined, 0, null],
    ['exception', undefined, 1, null],
    ['rejection', undefined, 1, null],
    ['signal', 'SIGINT', null, 'SIGINT'],
    ['signal', 'SIGTERM', null, 'SIGTERM'],
    ['handled', 'SIGINT', 5, null],
  ] as const)('after %s %s', async (end, signal, code, endedBy) => {
    const ended = await child(end, signal)
    expect(ended.output).toContain('Telltale')
    expect(ended.output).toContain('\u001b[?25l')
    expect(leavesCursorHidden(ended.output)).toBe(false)
    expect(ended.code).toBe(code)
    expect(ended.endedBy).toBe(endedBy)
  })
})
