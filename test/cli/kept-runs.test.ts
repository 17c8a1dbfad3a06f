import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'

const cli = new URL('../../dist/cli/main.js', import.meta.url).pathname
const library = new URL('../../dist/index.js', import.meta.url).href
const dir = mkdtempSync(join(tmpdir(), 'telltale-kept-'))
const children = new Set<ChildProcess>()
afterAll(() => {
  for (const child of children) child.kill('SIGKILL')
  rmSync(dir, { recursive: true, force: true })
})

function telltale(home: string, ...args: readonly string[]): string {
  const { stdout, stderr, status } = spawnSync(process.execPath, [cli, ...args], {
    encoding: 'utf8',
    env: { ...process.env, TELLTALE_DIR: home, NO_COLOR: '1' },
  })
  expect([status, stderr]).toEqual([0, ''])
  return stdout
}

function start(args: readonly string[], home: string): ChildProcess {
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, TELLTALE_DIR: home },
  })
  children.add(child)
  return child
}

async function killed(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL')
  await once(child, 'exit')
  children.delete(child)
}

const statusOf = (home: string) =>
  (JSON.parse(telltale(home, 'ls', '--json')) as { runs: { status: string }[] }).runs.map(({ status }) => status)

describe('a training whose process is gone', () => {
  it('is crashed, and goes on when it is continued', { timeout: 60_000 }, async () => {
    const home = join(dir, 'home')
    const run = join(dir, 'trained')
    const script = (from: number, wait: boolean) => `
      import { TrainingMonitor } from ${JSON.stringify(library)}
      const monitor = new TrainingMonitor({ outputDir: ${JSON.stringify(run)}, runId: 'trained' })
      for (let i = ${from}; i < ${from} + 20; i++) monitor.onEvent({ phase: 'iteration_end', iteration: i, metrics: { reward: i } })
      console.log('there')
      ${wait ? 'setInterval(() => {}, 1000)' : 'await monitor.close()'}`
    const training = start(['--input-type=module', '-e', script(0, true), '--', '--api-key', 'sk-secret'], home)
    await once(training.stdout!, 'data')
    telltale(home, 'import', run)
    expect(statusOf(home)).toEqual(['running'])
    await killed(training)
    expect(statusOf(home)).toEqual(['crashed'])
    expect(telltale(home, 'ls')).toContain('crashed')
    const shown = telltale(home, 'show', '@last')
    expect(shown).toMatch(/process \d+ of .*; it is gone without an end of the run, last heard of at 20/)
    expect(shown).not.toContain('sk-secret')
    const next = start(['--input-type=module', '-e', script(20, false)], home)
    await once(next, 'exit')
    telltale(home, 'import', run)
    expect(statusOf(home)).toEqual(['completed'])
  })
})

describe('a watch that is killed again and again', () => {
  it('loses nothing of what it has stored, and comes to the alerts of one that was not', {
    timeout: 180_000,
  }, async () => {
    const line = (step: number) =>
      `${JSON.stringify({ step, time: 1000 + step, reward: Math.sin(step), kl_div: step < 1500 ? 0.02 + 0.004 * Math.sin(step * step) : 0.5, entropy: 2 + 0.1 * Math.cos(step) })}\n`
    const lines = Array.from({ length: 2000 }, (_, step) => line(step))
    const home = join(dir, 'killed')
    const runs = join(dir, 'runs')
    mkdirSync(runs)
    const path = join(runs, 'log.jsonl')
    writeFileSync(path, '')
    const KILLS = 8
    let stored = 0
    for (let kill = 0; kill < KILLS; kill++) {
      const watch = start([cli, 'watch', runs, '--json', '--kl-threshold', '0.2'], home)
      watch.stdout!.resume()
      const from = (kill * lines.length) / KILLS
      for (let at = from; at < from + lines.length / KILLS; at += 50) {
        appendFileSync(path, lines.slice(at, at + 50).join(''))
        await new Promise((resolve) => setTimeout(resolve, 40))
      }
      // Any moment, from before anything was stored to well after.
      await new Promise((resolve) => setTimeout(resolve, (kill * 977) % 3500))
      await killed(watch)
      expect(telltale(home, 'verify')).toContain('sound')
      const { runs: kept } = JSON.parse(telltale(home, 'ls', '--json')) as { runs: { iterations: number }[] }
      // What was stored once stays.
      expect(kept[0]?.iterations ?? 0).toBeGreaterThanOrEqual(stored)
      stored = kept[0]?.iterations ?? 0
    }
    const last = start([cli, 'watch', runs, '--json', '--kl-threshold', '0.2'], home)
    last.stdout!.resume()
    await new Promise((resolve) => setTimeout(resolve, 4000))
    last.kill('SIGINT')
    await once(last, 'exit')
    const whole = join(dir, 'whole')
    telltale(whole, 'import', runs, '--kl-threshold', '0.2')
    const contents = (place: string) => {
      const { run, alerts, series } = JSON.parse(telltale(place, 'show', '@last', '--json')) as Record<
        string,
        unknown
      > & { run: Record<string, unknown> }
      return { alerts, series, iterations: run.iterations, attempts: run.attempts }
    }
    // A watch leaves the newest iteration open; an import of a finished file closes it.
    const [killedOnes, wholeOnes] = [contents(home), contents(whole)]
    expect(wholeOnes.alerts).toHaveLength(1)
    expect(killedOnes.alerts).toEqual(wholeOnes.alerts)
    expect(killedOnes.series).toEqual(wholeOnes.series)
    expect(killedOnes.attempts).toEqual(wholeOnes.attempts)
  })
})
