import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { decodeMetrics } from '../../src/log/decode-metrics.ts'
import { newReadReport } from '../../src/log/read-report.ts'
import { readRun } from '../../src/log/read-run.ts'
import { orderStop } from './order-stop.fixture.ts'
import { needPython, startPython } from './python.fixture.ts'

const dir = mkdtempSync(join(tmpdir(), 'telltale-ranks-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))
beforeAll(needPython)

function folderOf(name: string): string {
  const folder = join(dir, name)
  mkdirSync(folder)
  return folder
}

const said = (folder: string, name: string) => JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8'))

describe('two ranks under torchrun', () => {
  const torchrun = ['-m', 'torch.distributed.run', '--standalone', '--local-addr', '127.0.0.1', '--nproc-per-node', '2']

  it.each(['loop', 'callback'])('%s: leave at the same step, one after rank 0 has seen the order', async (name) => {
    const folder = folderOf(name)
    const training = startPython([...torchrun, 'tests/ranks.py', folder, name])
    const at = await orderStop(join(folder, 'runs', name), name, 8, training.running)
    const { code, output } = await training.ended
    expect(code, output).toBe(0)
    const ranks = [said(folder, 'rank-0'), said(folder, 'rank-1')]
    expect(ranks.map(({ status }) => status)).toEqual(['stopped', 'stopped'])
    expect(ranks[0].stopped).toBe(ranks[1].stopped)
    expect(ranks[0].stopped).toBeGreaterThan(at)
    expect(ranks[0].stopped).toBeLessThan(3999)
    if (name === 'loop') expect(ranks.map(({ rollback }) => rollback)).toEqual([1, 1])
    else expect(ranks[1].checkpoints).toEqual([`checkpoint-${ranks[0].stopped}`])
    // Rank 0 alone writes.
    const writers = new Set<string>()
    for await (const line of readRun(join(folder, 'runs', name), newReadReport())) writers.add(line.writer)
    expect(writers.size).toBe(1)
  })

  it('of which one does not use Telltale go on together, and it is said why', async () => {
    const folder = folderOf('alone')
    const { code, output } = await startPython([...torchrun, 'tests/ranks.py', folder, 'alone']).ended
    expect(code, output).toBe(0)
    expect(said(folder, 'rank-0')).toMatchObject({ stopped: null, status: 'completed' })
    expect(output).toMatch(/cannot be stopped: not all of its 2 ranks use Telltale/)
    expect(output).toMatch(/the order to stop is not obeyed/)
  })
})

describe('Lightning', () => {
  it('logs what its own CSV logger gets', async () => {
    const folder = folderOf('whole')
    const { code, output } = await startPython(['tests/lightning_training.py', folder, 'whole']).ended
    expect(code, output).toBe(0)
    const [head, ...rows] = readFileSync(join(folder, 'csv', 'whole', 'metrics.csv'), 'utf8')
      .trim()
      .split(/\r?\n/)
    const names = head!.split(',')
    const wanted = rows.map((row) =>
      Object.fromEntries(row.split(',').flatMap((cell, i) => (cell === '' ? [] : [[names[i]!, Number(cell)]]))),
    )
    const logged: Record<string, number>[] = []
    const saved: number[] = []
    for await (const line of readRun(join(folder, 'runs', 'whole'), newReadReport())) {
      if (line.type !== 'event') continue
      if (line.metrics) logged.push({ ...decodeMetrics(line.metrics).metrics, step: line.iteration })
      if (line.phase === 'checkpoint_saved') saved.push(line.iteration)
    }
    expect(wanted.length).toBe(9)
    expect(logged).toEqual(wanted)
    expect(saved).toEqual([10, 20, 30])
    expect(said(folder, 'whole')).toMatchObject({ stopped: false, status: 'completed', left_by: null, step: 30 })
  })

  it.each([
    ['stopped', null],
    ['held', 3],
  ])('%s: stops with a checkpoint; where min_epochs holds it, by TelltaleStop', async (name, leftBy) => {
    const folder = folderOf(name)
    const training = startPython(['tests/lightning_training.py', folder, name])
    await orderStop(join(folder, 'runs', name), name, 10, training.running)
    const { code, output } = await training.ended
    expect(code, output).toBe(0)
    const { step, checkpoints, ...rest } = said(folder, name)
    expect(rest).toEqual({ stopped: true, status: 'stopped', left_by: leftBy })
    expect(checkpoints).toEqual([`telltale-stopped-step=${step - (leftBy === null ? 0 : 1)}.ckpt`])
    expect(step).toBeLessThan(20_000)
  })
})
