import { readFileSync } from 'node:fs'
import { describe, it } from 'vitest'
import { testSource } from '../testing/test-source.ts'
import { consoleFormat } from './console.ts'
import { csvFormat } from './csv.ts'
import { jsonlFormat } from './jsonl.ts'
import { telltaleFormat } from './telltale-run.ts'
import { trainerStateFormat } from './trainer-state.ts'
import { verlRolloutsFormat } from './verl-rollouts.ts'

const fixture = (path: string) =>
  readFileSync(new URL(`../../test/fixtures/text-sources/${path}`, import.meta.url).pathname)
const lines = (texts: readonly unknown[]) =>
  Buffer.from(texts.map((one) => `${typeof one === 'string' ? one : JSON.stringify(one)}\n`).join(''))
const wire = (run: string, count: number) =>
  lines(
    Array.from({ length: count }, (_, i) => ({
      v: 1,
      ...(i === 0
        ? { type: 'run' }
        : { type: 'event', phase: 'iteration_end', iteration: i - 1, metrics: { loss: 1 / i } }),
      run,
      writer: 'w',
      seq: i + 1,
      time: 1000 + i,
    })),
  )
/** Few entries of a real history: every byte of it is cut at. */
const state = (from: number, to: number) => {
  const document = JSON.parse(fixture('trl-grpo/checkpoint-4/trainer_state.json').toString()) as {
    log_history: Readonly<Record<string, unknown>>[]
  }
  const log_history = document.log_history
    .slice(from, to)
    .map((entry) =>
      Object.fromEntries(Object.entries(entry).filter(([name]) => /^(loss|step|epoch|kl|reward)$/.test(name))),
    )
  return Buffer.from(
    `${JSON.stringify({ ...document, log_history }, null, 2)}\n`.replace('"epoch": 0.0625', '"epoch": NaN'),
  )
}

describe.each([
  {
    name: 'flat JSON lines',
    format: jsonlFormat,
    file: 'run.jsonl',
    bytes: lines([
      { step: 0, loss: 0.5, reward: 1 },
      '{"step": 1, "loss": NaN, "text": "é \\u2028 NaN"}',
      '',
      { step: 2, loss: 0.25, prompts: ['a', 'b'], completions: ['c', 'd'], rewards: [1, 0] },
      { step: 3, loss: 1e-9 },
    ]),
    other: lines([{ step: 0, loss: 9 }]),
  },
  {
    name: 'verl’s JSON lines',
    format: jsonlFormat,
    file: 'verl.jsonl',
    bytes: fixture('verl/verl-run.jsonl'),
    other: lines([{ step: 7, data: { 'actor/pg_loss': 3 } }]),
  },
  { name: 'our own log', format: jsonlFormat, file: 'wire.jsonl', bytes: wire('a', 6), other: wire('b', 2) },
  { name: 'a run folder', format: telltaleFormat, file: 'events-w.jsonl', bytes: wire('a', 6), other: wire('b', 2) },
  {
    name: 'CSV',
    format: csvFormat,
    file: 'metrics.csv',
    bytes: fixture('lightning/metrics.csv'),
    other: Buffer.from('epoch,step,loss\r\n0,1,0.25\r\n'),
  },
  {
    name: 'CSV with quotes',
    format: csvFormat,
    file: 'quoted.csv',
    bytes: Buffer.from('step,"a ""b""",text,loss\n1,2,"two\nlines",0.5\n2,3,,nan\n3,,"x, y",-inf\n'),
    other: Buffer.from('step,a\n5,1\n'),
  },
  {
    name: 'what transformers print',
    format: consoleFormat,
    file: 'console.log',
    bytes: Buffer.from(
      fixture('console/trl-every-third.log')
        .toString()
        .replaceAll(/'(?:completions|clip|rewards)[^,]*, /g, '')
        .replaceAll(/^.*(?:Warning|warnings\.warn).*\n/gm, ''),
    ),
    other: Buffer.from("{'loss': 3.5, 'epoch': 0.5}\n"),
  },
  {
    name: 'what verl prints',
    format: consoleFormat,
    file: 'verl.log',
    bytes: fixture('console/verl.log'),
    other: Buffer.from('(TaskRunner pid=1) step:3 - actor/pg_loss:0.5\n'),
  },
  {
    name: 'what OpenRLHF prints',
    format: consoleFormat,
    file: 'openrlhf.out',
    bytes: fixture('console/openrlhf.log'),
    other: Buffer.from("Global step 9: {'policy_loss': 0.5}\n"),
  },
  {
    name: 'the state of a checkpoint',
    format: trainerStateFormat,
    file: 'checkpoint-4/trainer_state.json',
    bytes: state(0, 3),
    other: state(1, 2),
  },
  {
    name: 'rollouts of verl',
    format: verlRolloutsFormat,
    file: 'rollouts/3.jsonl',
    bytes: fixture('verl/rollouts/3.jsonl'),
    other: lines([{ input: 'q', output: 'another', score: 1, step: 3 }]),
  },
])('$name', (contract) => {
  it.each(testSource(contract))('$name', (check) => check.run())
})
