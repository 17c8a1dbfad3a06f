import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
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

describe('a run that is kept while it trains', () => {
  it('is in the store when flush resolves, kill -9 or not, and is the same run for a watch', {
    timeout: 60_000,
  }, async () => {
    const home = join(dir, 'indexed')
    const run = join(dir, 'indexing')
    const link = join(dir, 'a-link-to-it')
    symlinkSync(run, link)
    const script = (from: number, then: string, outputDir = run) => `
      import { RunIndexer, TrainingMonitor } from ${JSON.stringify(library)}
      const monitor = new TrainingMonitor({ outputDir: ${JSON.stringify(outputDir)}, runId: 'indexing' })
      const indexer = new RunIndexer()
      monitor.registerCallback(indexer)
      for (let i = ${from}; i < ${from} + 700; i++) monitor.onEvent({ phase: 'iteration_end', iteration: i, metrics: { reward: i, kl_div: 0.02 } })
      ${then}`
    const first = start(
      [
        '--input-type=module',
        '-e',
        script(
          0,
          "await indexer.flush(); for (let i = 700; i < 800; i++) monitor.onEvent({ phase: 'iteration_end', iteration: i, metrics: { reward: i } });; console.log('flushed'); setInterval(() => {}, 1000)",
        ),
      ],
      home,
    )
    await once(first.stdout!, 'data')
    await killed(first)
    const shown = () =>
      JSON.parse(telltale(home, 'show', '@last', '--json')) as {
        run: { status: string; iterations: number; attempts: unknown[] }
        series: { name: string; count: number }[]
      }
    const before = shown()
    expect(before.run.status).toBe('crashed')
    expect(before.series.find(({ name }) => name === 'reward/score')?.count).toBeGreaterThanOrEqual(700)
    // What was logged after the flush is in the log, and read when the run goes on.
    const second = start(['--input-type=module', '-e', script(800, 'await monitor.close()', link)], home)
    await once(second, 'exit')
    const after = shown()
    expect([after.run.status, after.run.iterations, after.run.attempts.length]).toEqual(['completed', 1500, 2])
    expect(after.series.find(({ name }) => name === 'reward/score')?.count).toBe(1500)
    expect(telltale(home, 'verify')).toBe('sound: 1 runs\n')
    telltale(home, 'import', run)
    expect(JSON.parse(telltale(home, 'ls', '--json')).runs).toHaveLength(1)
    expect(telltale(home, 'rebuild')).toContain('1 runs, sound')
    expect(shown().series).toEqual(after.series)
  })

  it('never harms the training where there can be no store', async () => {
    const { stdout, stderr, status } = spawnSync(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `
        import { RunIndexer, TrainingMonitor } from ${JSON.stringify(library)}
        const monitor = new TrainingMonitor({ outputDir: ${JSON.stringify(join(dir, 'nowhere'))} })
        const indexer = new RunIndexer({ path: '/proc/x/telltale.db' })
        monitor.registerCallback(indexer)
        monitor.onEvent({ phase: 'iteration_end', iteration: 0, metrics: { reward: 1 } })
        await indexer.flush().catch((error) => console.log(error.code))
        await monitor.close()
        // One that is never asked says it by itself.
        const busy = setInterval(() => {}, 100)
        const other = new TrainingMonitor({ outputDir: ${JSON.stringify(join(dir, 'nowhere-else'))} })
        await new Promise((resolve) => other.registerCallback(new RunIndexer({ path: '/proc/x/telltale.db', onWarning(said) { console.error(said); resolve() } })))
        await other.close()
        clearInterval(busy)
        console.log('trained')
        try { new TrainingMonitor().registerCallback(new RunIndexer()) } catch (error) { console.log(error.code) }`,
      ],
      { encoding: 'utf8' },
    )
    expect([stdout, status]).toEqual(['not-writable\ntrained\nbad-option\n', 0])
    expect(stderr).toMatch(/^the run is not stored: .*\/proc\/x/m)
  })
})

describe('what is asked of the store', () => {
  const home = join(dir, 'asked')
  const run = join(dir, 'asked-run')

  it('is found, sorted, reported on by name, and ended where it takes too long', { timeout: 60_000 }, () => {
    mkdirSync(join(run, 'b-low'), { recursive: true })
    mkdirSync(join(run, 'a-high'), { recursive: true })
    for (const [name, reward, steps] of [
      ['b-low', 0.1, 30],
      ['a-high', 0.9, 20],
    ] as const)
      writeFileSync(
        join(run, name, 'log.jsonl'),
        Array.from({ length: steps }, (_, step) => `${JSON.stringify({ step, reward, loss: 1 })}\n`).join(''),
      )
    telltale(home, 'import', run)
    const names = (...args: readonly string[]) =>
      (JSON.parse(telltale(home, 'ls', '--json', ...args)) as { runs: { name: string }[] }).runs.map(({ name }) => name)
    expect(names('--sort', 'name')).toEqual(['a-high', 'b-low'])
    expect(names('--sort', 'iterations')).toEqual(['b-low', 'a-high'])
    expect(names('--sort', 'reward')).toEqual(['a-high', 'b-low'])
    expect(names('LOW')).toEqual(['b-low'])
    const table = telltale(home, 'ls', '--sort', 'iterations')
    expect(table.indexOf('b-low')).toBeLessThan(table.indexOf('a-high'))
    expect(telltale(home, 'ls', 'neither')).toBe('No runs: none of 2 is such a one.\n')
    expect(telltale(home, 'report', 'a-high', '--output-dir', join(dir, 'reported'))).toContain('training_report.html')
    expect(telltale(home, 'query', 'SELECT count(*) AS runs FROM runs', '--json')).toMatch(
      /"rows":\s*\[\s*\[\s*2\s*\]\s*\]/,
    )
    const endless = spawnSync(
      process.execPath,
      [
        cli,
        'query',
        '--timeout',
        '1',
        'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n',
      ],
      { encoding: 'utf8', env: { ...process.env, TELLTALE_DIR: home } },
    )
    expect(endless.status).toBe(2)
    expect(endless.stderr).toContain('ended after 1 seconds')
  })
})
