import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { testSource } from '../testing/test-source.ts'
import { crc32c, maskedCrc32c } from './crc32c.ts'
import type { SourceFormat, SourceRecord } from './source.ts'
import { tfeventsFormat } from './tfevents.ts'
import { wandbFormat } from './wandb.ts'
import { wandbConsole } from './wandb-console.ts'

const fixtures = new URL('../../test/fixtures/trackers/', import.meta.url).pathname
const firstIn = (folder: string, pattern: RegExp) =>
  join(fixtures, folder, readdirSync(join(fixtures, folder)).find((name) => pattern.test(name)) ?? '')
const events = (folder: string) => readFileSync(firstIn(folder, /tfevents/))
const wandb = readFileSync(firstIn('wandb-offline', /\.wandb$/))

describe.each([
  {
    name: 'TensorBoard as torch writes it',
    format: tfeventsFormat,
    file: 'runs/a/events.out.tfevents.1.host.1.0',
    bytes: events('tensorboard-torch'),
    other: events('tensorboard-torch/both_a'),
    checksummed: true,
  },
  {
    name: 'W&B offline',
    format: wandbFormat,
    file: 'wandb/offline-run-1/run-1.wandb',
    bytes: wandb,
    other: wandb.subarray(0, 900),
    checksummed: true,
  },
  {
    name: 'W&B where numbers were only printed',
    format: wandbFormat,
    file: 'wandb/offline-run-1/run-1.wandb',
    bytes: readFileSync(firstIn('wandb-printed', /\.wandb$/)),
    other: wandb.subarray(0, 900),
    // The step of what was printed follows from lines before it, which may be damaged.
  },
])('$name', (contract) => {
  it.each(testSource(contract))('$name', (check) => check.run())
})

describe('CRC-32C', () => {
  it('agrees with the published vector', () => {
    const bytes = Buffer.from('123456789')
    expect(crc32c(bytes, 0, 9)).toBe(0xe3069283)
    expect(maskedCrc32c(bytes, 0, 9)).toBe(0xc78ab0e5)
    expect(crc32c(Buffer.concat([Buffer.from('xx'), Buffer.alloc(32)]), 2, 34)).toBe(0x8a9136aa)
  })
})

describe('TensorBoard event files', () => {
  it('give scalars of both kinds, settings, answers, and sub-runs in the order of their steps', async () => {
    const folder = join(fixtures, 'tensorboard-torch')
    const records = await all(tfeventsFormat, folder)
    expect(records.find(({ type }) => type === 'config')).toMatchObject({
      config: { learning_rate: 1e-5, max_steps: 5 },
    })
    expect(records.filter(({ type }) => type === 'samples')).toMatchObject([
      { step: 5, responses: ['an answer'], rewards: [0.5] },
    ])
    const points = records.filter((one) => one.type === 'points')
    const series = (name: string) =>
      points.flatMap(({ step, metrics }) => (name in metrics ? [[step, metrics[name]]] : []))
    expect(series('train/loss')).toEqual([1, 2, 3, 4, 5].map((step) => [step, Math.fround(1 / step)]))
    expect(series('train/reward').map(([, value]) => value)).toEqual([0.25, 0.5, Number.NaN, 1, 1.25])
    expect(series('both_b/both')).toEqual([1, 2, 3, 4, 5].map((step) => [step, -step]))
    const steps = points.map(({ step }) => step)
    expect(steps).toEqual(steps.toSorted((a, b) => a - b))
  })

  it('belong to the topmost folder that has some', () => {
    const top = join(fixtures, 'tensorboard-torch')
    expect(tfeventsFormat.belongsTo?.(firstIn('tensorboard-torch/both_a', /./))).toBe(top)
    expect(tfeventsFormat.belongsTo?.('/nowhere/run/validation/events.out.tfevents.1.h')).toBe('/nowhere/run')
    expect(tfeventsFormat.home?.('/out/runs/x')).toBe('/out')
  })
})

describe('W&B’s log', () => {
  it('gives settings, history with nested names, what only the summary has, and the exit code', async () => {
    const records = await all(wandbFormat, firstIn('wandb-offline', /\.wandb$/))
    expect(records[0]).toMatchObject({
      type: 'config',
      config: { learning_rate: 1e-5, nested: { a: 1 } },
      name: 'offline',
      project: 'p',
    })
    const points = records.filter((one) => one.type === 'points')
    expect(points[2]).toMatchObject({
      step: 3,
      metrics: { 'train/loss': 1 / 3, 'train/reward': Number.NaN, 'nested.x': 3, 'nested.y.z': 0.5 },
    })
    expect(records).toContainEqual({ type: 'config', config: { summary: { best: 0.125 } } })
    expect(records.at(-1)).toEqual({ type: 'end', status: 'completed' })
  })
})

describe('what W&B keeps of the terminal', () => {
  it('gives the numbers where none were logged, at the steps of the progress bar', async () => {
    const records = await all(wandbFormat, firstIn('wandb-printed', /\.wandb$/))
    const points = records.filter((one) => one.type === 'points')
    expect(points.map(({ step, metrics }) => [step, metrics.loss, metrics.reward])).toEqual(
      [1, 2, 3, 4, 5].map((step) => [step * 10, 1 / step, step * 0.25]),
    )
    for (const { time } of points.slice(0, -1)) expect(time).toBeGreaterThan(1.7e9)
    expect(records.at(-1)).toEqual({ type: 'end', status: 'completed' })
  })

  it('counts from the twentieth step on in a run that goes on, and never beside numbers that were logged', () => {
    const line = (step: number) => `${JSON.stringify({ step, loss: 1 / step })}\n`
    const printed = wandbConsole(undefined)
    const given: number[] = []
    for (let step = 1; step <= 25; step++) {
      // Cut anywhere, and taken over by another process.
      printed.take('stdout', line(step).slice(0, 5), step)
      const next = wandbConsole(JSON.parse(JSON.stringify(printed.state())))
      next.take('stdout', line(step).slice(5), step)
      given.push(...next.give(false).map((one) => one.step))
      Object.assign(printed, next)
    }
    expect(given).toEqual(Array.from({ length: 25 }, (_, i) => i + 1))
    printed.logged()
    printed.take('stdout', line(26), 26)
    expect(printed.give(true)).toEqual([])
  })
})

async function all(format: SourceFormat, path: string, id = ''): Promise<readonly SourceRecord[]> {
  const source = await format.open(path, id)
  const records: SourceRecord[] = []
  for (;;) {
    const batch = await source.read({ finished: true })
    records.push(...batch.records)
    if (!batch.more) return records
  }
}
