import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { CheckedRun } from '../../src/check/run-check.ts'
import type { Alert } from '../../src/detectors/detector.ts'
import { writeControlFile } from '../../src/log/control-file.ts'
import { newReadReport } from '../../src/log/read-report.ts'
import { readRun } from '../../src/log/read-run.ts'
import { needPython, startPython } from './python.fixture.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const main = join(root, 'dist', 'cli', 'main.js')
const dir = mkdtempSync(join(tmpdir(), 'telltale-induced-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))
beforeAll(() => {
  needPython()
  // The command runs from dist/, as a user's does.
  const build = spawnSync(process.execPath, [join(root, 'scripts', 'build.mjs')], { encoding: 'utf8' })
  expect(build.status, build.stderr).toBe(0)
})

function check(run: string, options: readonly string[] = []): CheckedRun | undefined {
  const { stdout } = spawnSync(process.execPath, [main, 'check', run, '--json', ...options], { encoding: 'utf8' })
  return (JSON.parse(stdout) as { runs: CheckedRun[] }).runs[0]
}

async function writerOf(run: string): Promise<string> {
  for await (const line of readRun(run, newReadReport())) return line.writer
  throw new Error(`${run} is empty`)
}

describe('an induced failure is seen by check and stopped through the callback', () => {
  it.each([
    ['gamed', 'reward-hacking', []],
    // It is over before the detectors have learned what is usual: a budget of the KL holds from the first iteration.
    ['learning-rate', 'kl-explosion', ['--kl-threshold', '0.5']],
  ])('%s: %s', async (name, kind, options) => {
    const run = join(dir, 'runs', name)
    const training = startPython(['tests/induced.py', dir, name])
    let alert: Alert | undefined
    while (!alert) {
      if (!training.running()) throw new Error(`it ended before the alert:\n${(await training.ended).output}`)
      await new Promise((resolve) => setTimeout(resolve, 300))
      if (!existsSync(run)) continue
      alert = check(run, options)?.alerts.find((one) => one.kind === kind && one.severity === 'critical')
    }
    const writer = await writerOf(run)
    const { reason, iteration, rollbackTo } = alert
    writeControlFile(run, { run: name, writer, reason, iteration, rollbackTo, time: Date.now() / 1000 })
    const { code, output } = await training.ended
    expect(code, output).toBe(0)
    const said = JSON.parse(readFileSync(join(dir, `${name}.json`), 'utf8'))
    expect(said.stopped).toBe(true)
    expect(said.step).toBeLessThan(4000)
    expect(said.step).toBeGreaterThanOrEqual(iteration)
    expect(said.checkpoints).toContain(`checkpoint-${said.step}`)
    if (name === 'gamed') {
      // The word is paid for from step 60 on, and a checkpoint is kept every 20.
      expect(iteration).toBeGreaterThan(60)
      expect(rollbackTo).toBe(60)
      expect(said.checkpoints).toContain('checkpoint-60')
      expect(output).toContain('Go back to the checkpoint of step 60.')
    }
    expect(check(run)).toMatchObject({ status: 'stopped' })
  })
})
