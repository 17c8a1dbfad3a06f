import { beforeAll, expect, it } from 'vitest'
import { LOGGING_OPTIONS } from '../../src/vocabulary/logging-options.ts'
import { needPython, runPython } from './python.fixture.ts'

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

it.each(Object.entries(CONFIGS))('%s has the options that doctor names', (trainer, importing) => {
  const { options } = LOGGING_OPTIONS[trainer as keyof typeof CONFIGS]
  const names = Object.values(options).flatMap((option) =>
    'set' in option ? [...option.set.matchAll(/(\w+)=/g)].map((match) => match[1]) : [],
  )
  expect(names.length).toBeGreaterThan(0)
  const code = `${importing}; import dataclasses, sys; print(*[n for n in sys.argv[1:] if n not in {f.name for f in dataclasses.fields(Config)}])`
  const { status, stdout, stderr } = runPython(['-c', code, ...(names as string[])])
  expect([status, stdout.trim()], stderr.slice(-500)).toEqual([0, ''])
})
