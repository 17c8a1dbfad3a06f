import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, describe, expect, it } from 'vitest'
import { systemClock } from '../time.ts'
import { LOGGING_OPTIONS } from '../vocabulary/logging-options.ts'
import { TRAINERS } from '../vocabulary/vocabulary.ts'
import { doctorMachine } from './doctor-machine.ts'
import { doctorPath } from './doctor-path.ts'
import { machineText, runsText } from './doctor-text.ts'

const place = mkdtempSync(join(tmpdir(), 'telltale-doctor-'))
afterAll(() => rmSync(place, { recursive: true, force: true }))
const how = { stdin: Readable.from([]), check: {} }
const fixture = new URL('../../test/fixtures/text-sources/trl-grpo', import.meta.url).pathname
const stream = (columns: number) => ({ isTTY: false, columns, write: () => true })
const env = { LANG: 'C.UTF-8' }

describe('doctor of a path', () => {
  it('names the trainer and why, every file, what works, and the options for what does not', async () => {
    const folder = join(place, 'trl')
    cpSync(fixture, folder, { recursive: true })
    const { runs } = await doctorPath(folder, how)
    expect(runs).toHaveLength(1)
    const [one] = runs
    expect(one!.trainer).toBe('trl-grpo')
    expect(one!.toldFrom).toContain('reward')
    expect(one!.files.length).toBeGreaterThan(1)
    expect(one!.signals.map(({ canonical }) => canonical)).toContain('kl_ref/token')
    expect(one!.works).toContain('kl-explosion')
    // It was trained without the option that saves the answers.
    const hacking = one!.blind.find(({ kinds }) => kinds.includes('reward-hacking'))
    expect(hacking?.options).toContainEqual(expect.objectContaining({ set: 'log_completions=True' }))
    const text = runsText(runs, stream(100), env).join('\n')
    expect(text).toMatch(/trainer +trl-grpo, told from reward/)
    expect(text).toMatch(/turn on: log_completions=True/)
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100)
  })

  it('shows nothing that a name brings along, and no more names than a screen holds', async () => {
    const path = join(place, 'hostile.jsonl')
    const names = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`\u001b[31m<b>${i}`, i]))
    writeFileSync(path, `${JSON.stringify({ step: 1, ...names, '__proto__/x': 1, loss: 1 })}\n`)
    const { runs } = await doctorPath(path, how)
    const lines = runsText(runs, stream(80), env)
    for (const line of lines) {
      expect(line).not.toContain('\u001b')
      expect(line.length).toBeLessThanOrEqual(80)
    }
    expect(lines.length).toBeLessThan(60)
    expect(lines.join('\n')).toMatch(/own-loop: no names that tell a trainer/)
  })

  it('says of a named trainer nothing about how it was told', async () => {
    const { runs } = await doctorPath(fixture, { ...how, trainer: 'trl-rloo' })
    expect(runs.map(({ trainer, toldFrom }) => [trainer, toldFrom])).toEqual([['trl-rloo', []]])
  })

  it('has the options of every trainer, each with where it was read', () => {
    expect(Object.keys(LOGGING_OPTIONS).sort()).toEqual([...TRAINERS].sort())
    for (const [trainer, { readIn, options }] of Object.entries(LOGGING_OPTIONS)) {
      expect(options.file, trainer).toBeDefined()
      if (trainer !== 'own-loop') expect(readIn, trainer).not.toBe('')
    }
  })
})

describe('doctor of the machine', () => {
  const machine = (more: NodeJS.ProcessEnv) =>
    doctorMachine({ env: { ...process.env, ...more }, stream: stream(80), clock: systemClock })

  it('finds Node, the libraries and the data folder in order, and writes nothing that stays', async () => {
    const folder = join(place, 'data')
    const checks = await machine({ TELLTALE_DIR: folder, TELLTALE_PYTHON: '/no/such/python' })
    expect(checks.filter(({ state }) => state === 'problem')).toEqual([])
    expect(checks.find(({ what }) => what === 'Python client')).toMatchObject({ state: 'note' })
    expect(() => mkdirSync(folder)).not.toThrow()
    const text = machineText(checks, stream(80), env).join('\n')
    expect(text).toMatch(/data folder +ok/)
  })

  it('says what to do where the data folder cannot be one', async () => {
    const file = join(place, 'a-file')
    writeFileSync(file, '')
    const checks = await machine({ TELLTALE_DIR: join(file, 'below'), TELLTALE_PYTHON: '/no/such/python' })
    expect(checks.find(({ what }) => what === 'data folder')).toMatchObject({
      state: 'problem',
      todo: expect.stringContaining('TELLTALE_DIR'),
    })
  })

  // Only Linux has a folder, /proc, that root may write by its permissions and cannot.
  it.skipIf(process.platform !== 'linux')('tries to write, which permissions promise to root everywhere', async () => {
    const checks = await machine({ TELLTALE_DIR: '/proc/telltale', TELLTALE_PYTHON: '/no/such/python' })
    expect(checks.filter(({ state }) => state === 'problem')).toMatchObject([
      { what: 'data folder', said: expect.stringMatching(/^\/proc\/telltale cannot be written/) },
    ])
  })

  it('sees a clock that is off', async () => {
    const late = { ...systemClock, unixSeconds: () => systemClock.unixSeconds() - 90 }
    const checks = await doctorMachine({
      env: { ...process.env, TELLTALE_DIR: place, TELLTALE_PYTHON: '/no/such/python' },
      stream: stream(80),
      clock: late,
    })
    expect(checks.find(({ what }) => what === 'clock')).toMatchObject({
      state: 'note',
      said: expect.stringMatching(/(89|90).\d s ahead/),
    })
  })
})
