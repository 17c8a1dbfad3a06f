import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ALWAYS_LOGGED, LOGGING_OPTIONS, type LoggingTopic, topicOf } from '../../src/vocabulary/logging-options.ts'
import { seriesInfo } from '../../src/vocabulary/vocabulary.ts'
import { needPython, runPython, startPython } from './python.fixture.ts'

const dir = mkdtempSync(join(tmpdir(), 'telltale-options-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))
beforeAll(needPython)

const CONFIGS = {
  'trl-grpo': 'from trl import GRPOConfig as Config',
  'trl-rloo': 'from trl import RLOOConfig as Config',
  'trl-ppo': 'from trl.experimental.ppo import PPOConfig as Config',
  'trl-dpo': 'from trl import DPOConfig as Config',
  'trl-sft': 'from trl import SFTConfig as Config',
  'trl-reward': 'from trl import RewardConfig as Config',
  'trl-online-dpo': 'from trl.experimental.online_dpo import OnlineDPOConfig as Config',
} as const

/** What Python prints, as JSON. */
function python(code: string, ...given: readonly string[]): unknown {
  const { status, stdout, stderr } = runPython(['-c', code, ...given])
  expect(status, stderr.slice(-500)).toBe(0)
  return JSON.parse(stdout)
}

it.each(Object.entries(CONFIGS))('%s has the options that doctor names', (trainer, importing) => {
  const { options } = LOGGING_OPTIONS[trainer as keyof typeof CONFIGS]
  const names = Object.values(options).flatMap((option) =>
    'set' in option ? [...option.set.matchAll(/(\w+)=/g)].map((match) => match[1]!) : [],
  )
  expect(names.length).toBeGreaterThan(0)
  const code = `${importing}; import dataclasses, json, sys; print(json.dumps([n for n in sys.argv[1:] if n not in {f.name for f in dataclasses.fields(Config)}]))`
  expect(python(code, ...names)).toEqual([])
})

it('says the defaults as they are', () => {
  const defaults = (importing: string, names: readonly string[]) =>
    python(
      `${importing}; import dataclasses, json, sys; of = {f.name: f.default for f in dataclasses.fields(Config)}; print(json.dumps([of[n] for n in sys.argv[1:]]))`,
      ...names,
    )
  expect(defaults(CONFIGS['trl-grpo'], ['beta', 'use_liger_kernel'])).toEqual([0, false])
  expect(defaults(CONFIGS['trl-rloo'], ['beta'])).toEqual([0.05])
})

it('is right that the loss of the Liger kernel logs no entropy, and the other one does', () => {
  // The kernel itself runs on a GPU only.
  const logged = python(
    `from trl import GRPOTrainer as T; import inspect, json; print(json.dumps(['["entropy"]' in inspect.getsource(of) for of in (T.compute_liger_loss, T._compute_loss)]))`,
  )
  expect(logged).toEqual([false, true])
})

describe('what a few steps log', () => {
  const trainings = {
    grpo: 'trl-grpo',
    rloo: 'trl-rloo',
    ppo: 'trl-ppo',
    dpo: 'trl-dpo',
    reward: 'trl-reward',
  } as const
  const names = [...Object.keys(trainings), 'sft', 'grpo-plain']
  beforeAll(async () => {
    const { code, output } = await startPython(['tests/trainings.py', dir, '--steps', '2', ...names]).ended
    expect(code, output).toBe(0)
  })

  function topicsOf(name: string, trainer: keyof typeof CONFIGS): ReadonlySet<LoggingTopic | null> {
    const text = readFileSync(join(dir, `${name}.json`), 'utf8').replace(/(?<=: )(NaN|-?Infinity)/g, '"$1"')
    const { log_history } = JSON.parse(text) as { log_history: readonly Readonly<Record<string, unknown>>[] }
    const keys = new Set(log_history.flatMap((line) => Object.keys(line)))
    const canonical = [...keys].map((key) => seriesInfo(key, trainer).canonical)
    // Of a value head the explained variance is meant: its loss alone says nothing of failure.
    return new Set(
      canonical.flatMap((one) => {
        const topic = topicOf(one)
        return topic === 'value' && one !== 'value/explained_variance' ? [] : [topic]
      }),
    )
  }

  /** Answers are saved, and the file is written, by other means than the log. */
  const topics: readonly LoggingTopic[] = ['kl', 'entropy', 'value', 'gradient', 'mismatch']

  it.each([...Object.entries(trainings), ['sft', 'trl-sft'] as const])('%s: is what doctor says', (name, trainer) => {
    const found = topicsOf(name, trainer)
    const { options } = LOGGING_OPTIONS[trainer]
    const said = topics.flatMap((topic) => {
      const option = options[topic]
      // What needs another engine or a GPU cannot be turned on here.
      if (option === undefined || ('set' in option && topic === 'mismatch')) return []
      return [[topic, option === ALWAYS_LOGGED || 'set' in option] as const]
    })
    expect(said.length).toBeGreaterThan(2)
    expect(said.map(([topic]) => [topic, found.has(topic)])).toEqual(said)
  })

  it('GRPO with its default beta has no KL to the reference', () => {
    expect([topicsOf('grpo-plain', 'trl-grpo').has('kl'), topicsOf('grpo', 'trl-grpo').has('kl')]).toEqual([
      false,
      true,
    ])
  })
})
