import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkPath } from '../../src/check/check-path.ts'
import { isOrderWaiting } from '../../src/log/control-file.ts'
import { decodeMetrics } from '../../src/log/decode-metrics.ts'
import { newReadReport } from '../../src/log/read-report.ts'
import { readRun } from '../../src/log/read-run.ts'
import type { WireLine } from '../../src/log/wire.ts'
import { orderStop } from './order-stop.fixture.ts'
import { needPython, startPython } from './python.fixture.ts'

const dir = mkdtempSync(join(tmpdir(), 'telltale-trainings-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))
beforeAll(needPython)

interface Said {
  readonly log_history: readonly Readonly<Record<string, number>>[]
  readonly step: number
  readonly stopped: boolean
  readonly status: string
  readonly left_by: { readonly reason: string; readonly code: number } | null
  readonly checkpoints: readonly string[]
}

async function linesOf(folder: string): Promise<readonly WireLine[]> {
  const report = newReadReport()
  const lines: WireLine[] = []
  for await (const line of readRun(folder, report)) lines.push(line)
  expect(report).toMatchObject({ damagedCount: 0, repeated: 0, missing: 0 })
  return lines
}

/** Python writes NaN and infinity as bare words. */
const saidBy = (folder: string, name: string): Said =>
  JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8').replace(/(?<=: )(NaN|-?Infinity)/g, '"$1"'))

describe('a training that runs to its end', () => {
  const folder = join(dir, 'whole')
  const names = ['trainer', 'sft', 'dpo', 'reward', 'grpo', 'rloo', 'ppo'] as const
  const trainers: Readonly<Record<string, string>> = {
    trainer: 'own-loop',
    sft: 'trl-sft',
    dpo: 'trl-dpo',
    reward: 'trl-reward',
    grpo: 'trl-grpo',
    rloo: 'trl-rloo',
    ppo: 'trl-ppo',
  }

  beforeAll(async () => {
    const { code, output } = await startPython(['tests/trainings.py', folder, ...names]).ended
    expect(code, output).toBe(0)
  })

  it.each(names)('%s: its log is its log_history, number for number', async (name) => {
    const said = saidBy(folder, name)
    const lines = await linesOf(join(folder, 'runs', name))
    const logged = lines
      .filter((line) => line.type === 'event' && line.metrics !== undefined)
      .map((line) => (line.type === 'event' ? { ...decodeMetrics(line.metrics).metrics, step: line.iteration } : {}))
    const wanted = said.log_history.map((row) => decodeMetrics(row).metrics)
    expect(logged.map((row) => ({ ...row }))).toEqual(wanted.map((row) => ({ ...row })))
    expect(said.log_history.length).toBeGreaterThanOrEqual(6)
    expect(said).toMatchObject({ stopped: false, status: 'completed', left_by: null, step: 6 })
    expect(lines[0]).toMatchObject({ type: 'run', project: 'tiny', trainer: trainers[name] })
    expect(lines.at(-1)).toMatchObject({ type: 'end', status: 'completed' })
  })

  it.each(names)('%s: is understood by check', async (name) => {
    const path = join(folder, 'runs', name)
    const { runs, damaged } = await checkPath(path, { check: {}, stdin: Readable.from([]) })
    expect(damaged.count).toBe(0)
    expect(runs).toMatchObject([{ run: name, trainer: trainers[name], iterations: 6, status: 'completed' }])
  })

  it.each(['grpo', 'rloo'])('%s: the answers of each step arrive with their rewards', async (name) => {
    const lines = await linesOf(join(folder, 'runs', name))
    const samples = lines.flatMap((line) => (line.type === 'samples' ? [line] : []))
    expect(samples.map(({ iteration }) => iteration)).toEqual([1, 2, 3, 4, 5, 6])
    const rows = saidBy(folder, name).log_history.filter((row) => row.reward !== undefined)
    for (const [i, { prompts, responses, rewards }] of samples.entries()) {
      expect([prompts?.length, responses?.length, rewards?.length]).toEqual([4, 4, 4])
      const mean = rewards!.reduce((sum, reward) => sum + reward, 0) / 4
      expect(mean).toBeCloseTo(rows[i]!.reward!, 5)
    }
  })
})

describe('a training that is ordered to stop', () => {
  const folder = join(dir, 'stopped')
  const names = ['trainer', 'sft', 'dpo', 'grpo', 'rloo', 'ppo'] as const
  const orderedAt = new Map<string, number>()

  beforeAll(async () => {
    const training = startPython(['tests/trainings.py', folder, '--until-stopped', ...names])
    for (const name of names) {
      const run = join(folder, 'runs', name)
      const at = await orderStop(run, name, 2, training.running)
      orderedAt.set(name, at)
    }
    const { code, output } = await training.ended
    expect(code, output).toBe(0)
  })

  it.each(names)('%s: stops, keeps a checkpoint of that step and says so', async (name) => {
    const said = saidBy(folder, name)
    expect(said).toMatchObject({ stopped: true, status: 'stopped' })
    expect(said.step).toBeGreaterThanOrEqual(orderedAt.get(name)!)
    expect(said.step).toBeLessThan(4000)
    expect(said.checkpoints.filter((file) => file !== 'README.md')).toEqual([`checkpoint-${said.step}`])
    // Only a loop that never reads should_training_stop is left by an exception.
    expect(said.left_by).toEqual(name === 'ppo' ? { reason: 'told to', code: 3 } : null)
    const lines = await linesOf(join(folder, 'runs', name))
    expect(lines.filter(({ type }) => type === 'stop')).toMatchObject([
      { reason: 'told to', severity: 'critical', rollbackTo: 1 },
    ])
    expect(lines.at(-1)).toMatchObject({ type: 'end', status: 'stopped' })
    expect(
      lines.some((line) => line.type === 'event' && line.phase === 'checkpoint_saved' && line.iteration === said.step),
    ).toBe(true)
    expect(isOrderWaiting(join(folder, 'runs', name), lines[0]!.writer)).toBe(false)
  })
})
