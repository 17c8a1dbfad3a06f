import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { consoleFormat } from './console.ts'
import { csvFormat } from './csv.ts'
import { jsonlFormat } from './jsonl.ts'
import type { Json, Source, SourceDamage, SourceFormat, SourceRecord } from './source.ts'
import { trainerStateFormat } from './trainer-state.ts'
import { verlRolloutsFormat } from './verl-rollouts.ts'

const fixtures = new URL('../../test/fixtures/text-sources/', import.meta.url).pathname
const dir = mkdtempSync(join(tmpdir(), 'telltale-sources-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

interface Read {
  readonly records: SourceRecord[]
  readonly damage: SourceDamage[]
  position: Json
}

async function drain(source: Source, finished: boolean): Promise<Read> {
  const all: Read = { records: [], damage: [], position: null }
  for (;;) {
    const batch = await source.read({ finished })
    all.records.push(...batch.records)
    all.damage.push(...batch.damage)
    all.position = batch.position
    if (!batch.more) return all
  }
}

async function whole(format: SourceFormat, path: string): Promise<Read> {
  return drain(await format.open(path, ''), true)
}

type Points = Extract<SourceRecord, { type: 'points' }>
const points = ({ records }: Pick<Read, 'records'>) => records.filter((one): one is Points => one.type === 'points')
const steps = (read: Pick<Read, 'records'>) => points(read).map(({ step }) => step)

interface History {
  readonly log_history: readonly Readonly<Record<string, number>>[]
}
const history = (path: string) => (JSON.parse(readFileSync(join(fixtures, path), 'utf8')) as History).log_history

describe('what TRL writes', () => {
  it('in trainer_state.json is read value by value, each entry once, with its checkpoints', async () => {
    const read = await whole(trainerStateFormat, join(fixtures, 'trl-grpo'))
    const expected = history('trl-grpo/checkpoint-12/trainer_state.json')
    expect(expected.length).toBeGreaterThan(12)
    expect(points(read).map(({ step, metrics }) => ({ step, ...metrics }))).toEqual(expected)
    const saved = read.records.flatMap((one) => (one.type === 'checkpoint' ? [one.step] : []))
    expect(saved.toSorted((a, b) => a - b)).toEqual([4, 8, 12])
    expect(read.records).toContainEqual({ type: 'config', config: expect.objectContaining({ max_steps: 12 }) })
    expect(read.damage).toEqual([])
  })

  it('after it was resumed from an earlier checkpoint is another attempt from there on', async () => {
    const output = join(dir, 'resumed')
    cpSync(join(fixtures, 'trl-grpo'), output, { recursive: true })
    const source = await trainerStateFormat.open(output, '')
    const before = await drain(source, false)
    cpSync(join(fixtures, 'trl-grpo-resumed'), output, { recursive: true })
    const after = await drain(source, false)
    expect(steps(before).at(-1)).toBe(12)
    expect(after.records[0]?.type === 'config' ? after.records[1] : after.records[0]).toEqual({ type: 'attempt' })
    const entries = history('trl-grpo-resumed/checkpoint-16/trainer_state.json')
    const again = entries.filter(({ step }) => step! > 8)
    expect(points(after).map(({ step, metrics }) => ({ step, ...metrics }))).toEqual(again)
    // And the same from a saved position, as another attempt from the start: it has only a checksum of what was given.
    const other = await drain(
      await trainerStateFormat.open(output, '', JSON.parse(JSON.stringify(before.position))),
      false,
    )
    expect(points(other).map(({ step }) => step)).toEqual(entries.map(({ step }) => step))
  })

  it('by saving checkpoints one after the other gives only what is new, and says which are gone', async () => {
    const output = join(dir, 'growing')
    const put = (step: number) =>
      cpSync(join(fixtures, `trl-grpo/checkpoint-${step}`), join(output, `checkpoint-${step}`), { recursive: true })
    put(4)
    let source = await trainerStateFormat.open(output, '')
    const seen: number[] = []
    for (const step of [4, 8, 12]) {
      put(step)
      const read = await drain(source, false)
      seen.push(...steps(read))
      source = await trainerStateFormat.open(output, '', JSON.parse(JSON.stringify(read.position)))
    }
    expect(seen).toEqual(history('trl-grpo/checkpoint-12/trainer_state.json').map(({ step }) => step))
    rmSync(join(output, 'checkpoint-4'), { recursive: true })
    expect((await drain(source, false)).records).toEqual([{ type: 'checkpoint', step: 12, time: null, removed: [4] }])
  })

  it('is waited for while it is being written, and is damage once nobody writes any more', async () => {
    const output = join(dir, 'torn')
    mkdirSync(output)
    const text = readFileSync(join(fixtures, 'trl-grpo/checkpoint-4/trainer_state.json'), 'utf8')
    writeFileSync(join(output, 'trainer_state.json'), text.slice(0, text.length / 2))
    const source = await trainerStateFormat.open(output, '')
    expect(await drain(source, false)).toMatchObject({ records: [], damage: [] })
    const torn = await drain(source, true)
    expect(steps(torn).length).toBeGreaterThan(0)
    expect(torn.damage).toMatchObject([{ problem: 'torn: the document has no end' }])
  })

  it.each(['trl-grpo/console.log', 'trl-grpo-resumed/console.log'])(
    'to %s has the steps and values of its history',
    async (path) => {
      const read = await whole(consoleFormat, join(fixtures, path))
      const state = path.includes('resumed') ? 'trl-grpo-resumed/checkpoint-16' : 'trl-grpo/checkpoint-12'
      const first = path.includes('resumed') ? 9 : 1
      const expected = history(`${state}/trainer_state.json`).filter(({ step }) => step! >= first)
      const printed = points(read).filter(({ metrics }) => !('train_runtime' in metrics))
      expect(printed.map(({ step }) => step)).toEqual(expected.map(({ step }) => step))
      for (const [i, { metrics }] of printed.entries()) {
        // transformers print four digits.
        for (const [name, value] of Object.entries(metrics))
          expect(Math.abs(value - expected[i]![name]!)).toBeLessThanOrEqual(1e-3 * Math.abs(expected[i]![name]!))
      }
      expect(read.records.at(-1)).toEqual({ type: 'end', status: 'completed' })
      expect(read.damage).toEqual([])
    },
  )

  it.each([
    ['trl-every-third.log', [3, 6, 9, 12, 12]],
    // What a buffered program prints comes late, and still belongs to the step at which it was written.
    ['trl-buffered.log', [3, 6, 9, 12, 12]],
    // Without the bar nothing says the step.
    ['trl-stdout-only.log', [1, 2, 3, 4, 4]],
  ])('to %s is at the steps that the bar says', async (name, expected) => {
    expect(steps(await whole(consoleFormat, join(fixtures, 'console', name)))).toEqual(expected)
  })
})

describe('what verl and OpenRLHF write', () => {
  it('as JSON lines is read', async () => {
    const read = await whole(jsonlFormat, join(fixtures, 'verl/verl-run.jsonl'))
    expect(steps(read)).toEqual([1, 2, 3, 4, 5])
    expect(points(read)[1]!.metrics).toMatchObject({ 'actor/ppo_kl': -0.0006, 'actor/grad_norm': 2.5 })
    // orjson writes null for NaN: it cannot be told from what was not logged.
    expect(points(read)[2]!.metrics).not.toHaveProperty('actor/kl_loss')
  })

  it('as rollouts are the answers of each step', async () => {
    const { records } = await whole(verlRolloutsFormat, join(fixtures, 'verl/rollouts'))
    expect(records).toHaveLength(5)
    expect(records[1]).toEqual({
      type: 'samples',
      step: 2,
      time: null,
      prompts: ['a question', 'another one'],
      responses: ['an answer of step 2', 'short'],
      rewards: [1, 0],
    })
  })

  it.each(['verl', 'openrlhf'])('to the console is read: %s', async (name) => {
    const read = await whole(consoleFormat, join(fixtures, `console/${name}.log`))
    expect(steps(read)).toEqual([1, 2, 3, 4, 5])
    const [first, , third, fourth] = points(read).map(({ metrics }) => metrics)
    if (name === 'verl') {
      expect(first).toMatchObject({ 'actor/pg_loss': 0.005, 'actor/grad_norm': 1.5, 'critic/score/mean': 0.25 })
      expect(third!['actor/kl_loss']).toBeNaN()
    } else {
      expect(first).toMatchObject({ policy_loss: 0.01, actor_lr: 1e-6, 'timing/step_total': 3.25 })
      expect(fourth!.kl).toBeNaN()
    }
  })
})

describe('what Lightning writes', () => {
  const path = join(fixtures, 'lightning/metrics.csv')

  it('is read cell by cell; an empty cell was not logged', async () => {
    const read = await whole(csvFormat, path)
    const [header, ...rows] = readFileSync(path, 'utf8').trim().split(/\r?\n/)
    const names = header!.split(',')
    expect(points(read).map(({ step, metrics }) => ({ step, ...metrics }))).toEqual(
      rows.map((row) =>
        Object.fromEntries(row.split(',').flatMap((cell, i) => (cell === '' ? [] : [[names[i]!, Number(cell)]]))),
      ),
    )
  })

  it('gives each row once though the file is written anew with a longer header', async () => {
    const file = join(dir, 'metrics.csv')
    writeFileSync(file, 'epoch,step,train_loss\r\n0,1,0.5\r\n0,3,0.4\r\n')
    const source = await csvFormat.open(file, '')
    const first = await drain(source, false)
    const position = JSON.parse(JSON.stringify(first.position)) as Json
    expect(steps(first)).toEqual([1, 3])
    writeFileSync(file, 'epoch,step,train_loss,val_loss\r\n0,1,0.5,\r\n0,3,0.4,\r\n0,3,,0.6\r\n')
    for (const one of [source, await csvFormat.open(file, '', position)])
      expect((await drain(one, false)).records).toEqual([
        { type: 'points', step: 3, time: null, metrics: { epoch: 0, val_loss: 0.6 } },
      ])
    // Another run in the same file is another attempt, wherever it leaves the old one.
    writeFileSync(file, 'epoch,step,train_loss,val_loss\r\n0,1,0.5,\r\n0,3,0.9,\r\n0,5,0.8,\r\n0,7,0.7,\r\n')
    const { records } = await drain(source, false)
    expect(records.map((one) => (one.type === 'points' ? one.step : one.type))).toEqual(['attempt', 1, 3, 5, 7])
  })

  it('in quotes, over lines, and with rows that are too short', async () => {
    const file = join(dir, 'quoted.csv')
    writeFileSync(file, 'step,"a,""b""",text,loss\n1,2,"two\nlines",0.5\n2,3\n3,nan,x,-inf\n4,1,y,0.1')
    const { records, damage } = await whole(csvFormat, file)
    expect(records).toEqual([
      { type: 'points', step: 1, time: null, metrics: { 'a,"b"': 2, loss: 0.5 } },
      { type: 'points', step: 3, time: null, metrics: { 'a,"b"': Number.NaN, loss: Number.NEGATIVE_INFINITY } },
    ])
    expect(damage).toMatchObject([
      { lineNumber: 4, offset: 45, problem: '2 cells; the header has 4' },
      { lineNumber: 6, problem: 'torn: the last row has no end' },
    ])
  })
})

describe('JSON lines', () => {
  it('of a file that was copied anew while it grew are given once', async () => {
    const file = join(dir, 'copied.jsonl')
    const lines = (n: number, loss = 0.5) =>
      Array.from({ length: n }, (_, step) => `${JSON.stringify({ step, loss })}\n`).join('')
    writeFileSync(file, lines(1000))
    const source = await jsonlFormat.open(file, '')
    await drain(source, false)
    rmSync(file)
    writeFileSync(file, lines(1010))
    expect(steps(await drain(source, false))).toEqual([1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007, 1008, 1009])
    rmSync(file)
    writeFileSync(file, lines(3, 0.25))
    const other = await drain(source, true)
    expect(other.records.map(({ type }) => type)).toEqual(['attempt', 'points', 'points', 'points'])
  })
})
