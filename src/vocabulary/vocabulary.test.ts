import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { OWN_LOOP_KEYS } from '../events.ts'
import type { TrainerTable } from './alias.ts'
import { CANONICAL_METRICS, canonicalMetric, metricTitle } from './canonical.ts'
import {
  derivedPoints,
  recognizeTrainer,
  seriesInfo,
  TRAINER_TABLES,
  TRAINERS,
  type TrainerName,
} from './vocabulary.ts'

const TABLES = Object.entries(TRAINER_TABLES) as [TrainerName, TrainerTable][]

describe('the tables', () => {
  it.each(TABLES)('%s: every target is a canonical name', (_trainer, table) => {
    for (const [name, alias] of Object.entries(table.aliases)) {
      if (alias.canonical !== undefined) expect(canonicalMetric(alias.canonical), name).toBeDefined()
      for (const { canonical } of alias.derives ?? []) expect(canonicalMetric(canonical), name).toBeDefined()
    }
  })

  it.each(TABLES)('%s: no name is a canonical one with another meaning', (_trainer, table) => {
    expect(Object.keys(table.aliases).filter((name) => canonicalMetric(name))).toEqual([])
  })

  it.each(TABLES)('%s: one main name for each canonical one, the others stand in for it', (_trainer, table) => {
    const main = new Map<string, string>()
    for (const [name, { canonical, insteadOf }] of Object.entries(table.aliases)) {
      if (canonical === undefined || insteadOf !== undefined) continue
      expect([name, main.get(canonical)]).toEqual([name, undefined])
      main.set(canonical, name)
    }
    for (const [name, { canonical, insteadOf }] of Object.entries(table.aliases)) {
      if (insteadOf !== undefined) expect([name, main.get(canonical ?? '')]).toEqual([name, insteadOf])
    }
  })

  it.each(TABLES)('%s: what is not exact, or keeps its own name, says why', (_trainer, table) => {
    for (const [name, alias] of Object.entries(table.aliases)) {
      if (alias.reliability) expect(alias.why, name).toMatch(/\w+ \w+/)
      if (alias.canonical === undefined) expect(alias.unit, name).toBeDefined()
    }
  })

  it.each(TABLES)(
    '%s: estimators that cannot be negative stand on no canonical name that promises otherwise',
    (_t, table) => {
      for (const [name, { canonical, estimator }] of Object.entries(table.aliases)) {
        const meaning = canonical === undefined ? undefined : canonicalMetric(canonical)
        if (meaning?.estimator) expect(estimator, name).toBe(meaning.estimator)
        if (estimator === 'k1' && meaning) expect(meaning.range[0], name).toBe(Number.NEGATIVE_INFINITY)
      }
    },
  )

  it('give what follows from a value: the opposite share, nothing where nothing is known', () => {
    expect(derivedPoints('train/val/stop_rate', 0.9, 'open-instruct')).toEqual([
      { canonical: 'length/clip_ratio', value: expect.closeTo(0.1, 12) },
    ])
    expect(derivedPoints('completions/clipped_ratio', 0.25, 'trl-rloo')).toEqual([
      { canonical: 'eos/fraction', value: 0.75 },
    ])
    expect(derivedPoints('reward', 1, 'trl-grpo')).toEqual([])
    expect(derivedPoints('__proto__', 1, 'trl-grpo')).toEqual([])
  })

  it('own-loop holds all of the plan’s keys', () => {
    for (const [name, canonical] of Object.entries(OWN_LOOP_KEYS)) {
      expect([name, seriesInfo(name).canonical]).toEqual([name, canonical])
    }
  })
})

describe('canonical names', () => {
  it('mean themselves in every table', () => {
    for (const trainer of TRAINERS) {
      for (const name of Object.keys(CANONICAL_METRICS)) {
        expect([trainer, seriesInfo(name, trainer).canonical]).toEqual([trainer, name])
      }
    }
  })

  it('have a title of their own, a formula and an ordered range', () => {
    const titles = Object.values(CANONICAL_METRICS).map(({ title }) => title)
    expect(new Set(titles).size).toBe(titles.length)
    for (const [name, { formula, range, title }] of Object.entries(CANONICAL_METRICS)) {
      expect(range[0], name).toBeLessThan(range[1])
      expect(formula.length * title.length, name).toBeGreaterThan(0)
    }
  })

  it('keep the two KLs, and token and sequence, apart by unit and name', () => {
    expect(canonicalMetric('kl_ref/token')?.unit).toBe('nats/token')
    expect(canonicalMetric('kl_ref/seq')?.unit).toBe('nats/sequence')
    expect(metricTitle('ppo/approx_kl')).not.toMatch(/reference/)
  })

  it('say what an open family means', () => {
    expect(metricTitle('reward/fn/format')).toBe('Reward function format')
    expect(canonicalMetric('reward/fn/format/std')?.range[0]).toBe(0)
    expect(canonicalMetric('gold/judge')?.formula).toMatch(/no detector/)
    expect(metricTitle('eval/loss')).toBe('Evaluation: loss')
    expect(metricTitle('__proto__')).toBe('__proto__')
  })
})

// Each row: trainer, the name it logs, what it must become. The traps are those that a reader of names alone falls into.
it.each<[TrainerName, string, string, string | undefined]>([
  ['trl-ppo', 'objective/kl', 'kl_ref/seq', 'k1'],
  ['trl-ppo', 'train/objective/kl', 'kl_ref/seq', 'k1'],
  ['trl-ppo', 'policy/approxkl_avg', 'ppo/approx_kl', 'k2'],
  ['trl-ppo', 'policy/clipfrac_avg', 'ppo/clip_fraction', undefined],
  ['trl-ppo', 'val/clipfrac_avg', 'value/clip_fraction', undefined],
  ['trl-ppo', 'val/num_eos_tokens', 'eos/count', undefined],
  ['trl-ppo', 'eps', 'throughput/episodes_per_s', undefined],
  ['trl-grpo', 'kl', 'kl_ref/token', 'k3'],
  ['trl-grpo', 'train/kl', 'kl_ref/token', 'k3'],
  ['trl-rloo', 'kl', 'kl_ref/token', 'k1'],
  ['trl-grpo', 'rewards/accuracy_reward/mean', 'reward/fn/accuracy_reward', undefined],
  ['trl-grpo', 'rewards/__proto__/std', 'reward/fn/__proto__/std', undefined],
  ['trl-dpo', 'rewards/chosen', 'pref/reward_chosen', undefined],
  ['trl-online-dpo', 'objective/kl', 'kl_ref/seq', 'k1'],
  ['trl-online-dpo', 'val/contain_eos_token', 'eos/fraction', undefined],
  ['trl-reward', 'mean_reward', 'rm/mean_reward', undefined],
  ['openrlhf', 'train/ppo_kl', 'ppo/approx_kl', 'k1'],
  ['openrlhf', 'train/kl', 'kl_ref/token', undefined],
  ['openrlhf', 'train/logprobs_diff', 'kl_ref/token_k1', 'k1'],
  ['openrlhf', 'train/entropy_loss', 'entropy/token', undefined],
  ['openrlhf', 'train/ppo_clip_ratio', 'ppo/clip_fraction', undefined],
  ['verl', 'actor/ppo_kl', 'ppo/approx_kl', 'k1'],
  ['verl', 'actor/kl_loss', 'kl_ref/token', 'k3'],
  ['verl', 'actor/reward_kl_penalty', 'kl_ref/token', 'k1'],
  ['verl', 'rollout_corr/k3_kl', 'mismatch/kl_k3', 'k3'],
  ['verl', 'critic/score/mean', 'reward/score', undefined],
  ['verl', 'critic/rewards/mean', 'reward/total', undefined],
  ['verl', 'val-core/gsm8k/acc/mean@1', 'eval/gsm8k/acc/mean@1', undefined],
  ['open-instruct', 'objective/kl0_avg', 'kl_ref/token_k1', 'k1'],
  ['open-instruct', 'objective/kl1_avg', 'kl_ref/token_k2', 'k2'],
  ['open-instruct', 'objective/kl2_avg', 'kl_ref/token', 'k3'],
  ['open-instruct', 'objective/kl3_avg', 'objective/kl3_avg', undefined],
  ['open-instruct', 'global_step', 'progress/episode', undefined],
  ['open-instruct', 'objective/verifiable_correct_rate', 'reward/fn/verifiable/correct_rate', undefined],
  ['cleanrl', 'losses/approx_kl', 'ppo/approx_kl', 'k3'],
  ['cleanrl', 'losses/old_approx_kl', 'losses/old_approx_kl', 'k1'],
  ['cleanrl', 'ppo/policy/approxkl_avg', 'ppo/approx_kl', 'k2'],
  ['lightning', 'val_loss', 'eval/loss', undefined],
])('%s: %s is %s (%s)', (trainer, original, canonical, estimator) => {
  expect(seriesInfo(original, trainer)).toMatchObject({ original, canonical })
  expect(seriesInfo(original, trainer).estimator).toBe(estimator)
})

it('says which series must not be trusted, and why', () => {
  expect(seriesInfo('objective/entropy', 'trl-ppo')).toMatchObject({ reliability: 'unusable', masked: false })
  expect(seriesInfo('val/ratio', 'trl-ppo').reliability).toBe('biased')
  expect(seriesInfo('policy/approxkl_avg', 'trl-ppo').why).toMatch(/padding/)
})

it('gives an evaluation the attributes of what it evaluates, in both spellings', () => {
  const info = seriesInfo('eval_kl', 'trl-grpo')
  expect(info).toMatchObject({ canonical: 'eval/kl', original: 'eval_kl', unit: 'nats/token', estimator: 'k3' })
  expect(seriesInfo('eval/kl', 'trl-grpo').canonical).toBe('eval/kl')
  expect(seriesInfo('eval_mmlu', 'trl-grpo').canonical).toBe('eval/mmlu')
  expect(seriesInfo('evaluate').canonical).toBe('evaluate')
})

it.each([
  '__proto__',
  'constructor',
  'toString',
  'train/',
  'train/__proto__',
  'eval_',
  '',
  'x'.repeat(1_000_000),
  '\u0000',
])('passes an unknown name through: %.20j', (name) => {
  for (const trainer of TRAINERS) {
    expect(seriesInfo(name, trainer)).toEqual({
      canonical: name,
      original: name,
      unit: '',
      reduction: '',
      masked: null,
      badDirection: null,
      reliability: 'exact',
    })
  }
})

it('never throws, names every string, and answers the same again', () => {
  fc.assert(
    fc.property(fc.string(), fc.constantFrom(...TRAINERS), (name, trainer) => {
      const info = seriesInfo(name, trainer)
      expect(info.original).toBe(name)
      expect(seriesInfo(name, trainer)).toEqual(info)
    }),
  )
})

it('stays bounded and right with more names than it remembers', () => {
  for (let i = 0; i < 10_000; i++) seriesInfo(`name-${i}`)
  expect(seriesInfo('name-1').canonical).toBe('name-1')
  expect(seriesInfo('reward').canonical).toBe('reward/score')
})

it('refuses a trainer without a table', () => {
  expect(() => seriesInfo('x', '__proto__' as TrainerName)).toThrow(/trainer is "__proto__"; expected one of verl/)
})

const HF = ['loss', 'grad_norm', 'learning_rate', 'epoch', 'step']
it.each<[TrainerName, readonly string[]]>([
  ['own-loop', ['reward', 'kl_div', 'loss', 'policy_loss', 'value_loss', 'clip_fraction', 'gradient_norm']],
  ['own-loop', ['reward/score', 'kl_ref/token', 'loss/policy']],
  ['own-loop', []],
  ['own-loop', ['loss', 'accuracy']],
  [
    'trl-ppo',
    [
      'eps',
      'objective/kl',
      'objective/entropy',
      'objective/rlhf_reward',
      'objective/scores',
      'policy/approxkl_avg',
      'policy/clipfrac_avg',
      'val/num_eos_tokens',
      'lr',
      'episode',
      'epoch',
    ],
  ],
  ['trl-ppo', ['train/objective/rlhf_reward', 'train/policy/approxkl_avg', 'train/val/ratio']],
  [
    'trl-grpo',
    [
      ...HF,
      'num_tokens',
      'completions/mean_length',
      'completions/clipped_ratio',
      'rewards/f/mean',
      'rewards/f/std',
      'reward',
      'reward_std',
      'frac_reward_zero_std',
      'kl',
      'entropy',
      'clip_ratio/region_mean',
    ],
  ],
  ['trl-grpo', [...HF, 'completion_length', 'reward', 'reward_std', 'kl', 'clip_ratio']],
  [
    'trl-dpo',
    [
      ...HF,
      'rewards/chosen',
      'rewards/rejected',
      'rewards/accuracies',
      'rewards/margins',
      'logps/chosen',
      'logps/rejected',
      'mean_token_accuracy',
      'num_tokens',
      'entropy',
    ],
  ],
  [
    'trl-online-dpo',
    [
      ...HF,
      'objective/kl',
      'objective/scores_margin',
      'rewards/accuracies',
      'rewards/margins',
      'logps/chosen',
      'val/contain_eos_token',
      'beta',
    ],
  ],
  ['trl-reward', [...HF, 'num_tokens', 'min_reward', 'mean_reward', 'max_reward', 'accuracy', 'margin']],
  ['trl-sft', [...HF, 'entropy', 'mean_token_accuracy', 'num_tokens']],
  [
    'openrlhf',
    [
      'train/policy_loss',
      'train/actor_lr',
      'train/ppo_clip_ratio',
      'train/ppo_kl',
      'train/kl',
      'train/reward',
      'train/return',
      'train/response_length',
      'train/global_step',
    ],
  ],
  [
    'verl',
    [
      'actor/pg_loss',
      'actor/ppo_kl',
      'actor/entropy',
      'critic/score/mean',
      'critic/rewards/mean',
      'response_length/mean',
      'training/global_step',
      'perf/throughput',
      'timing_s/step',
    ],
  ],
  [
    'open-instruct',
    [
      'objective/kl0_avg',
      'objective/kl2_avg',
      'loss/policy_avg',
      'policy/clipfrac_avg',
      'val/ratio',
      'scores',
      'val/sequence_lengths',
      'val/stop_rate',
      'optim/grad_norm',
      'lr',
      'episode',
    ],
  ],
  [
    'open-instruct',
    ['train_loss', 'logps/chosen', 'logps/rejected', 'rewards/accuracy', 'rewards/margin', 'epoch', 'step'],
  ],
  [
    'cleanrl',
    [
      'losses/value_loss',
      'losses/policy_loss',
      'losses/entropy',
      'losses/approx_kl',
      'charts/SPS',
      'charts/learning_rate',
    ],
  ],
  ['cleanrl', ['objective/kl', 'ppo/policy/approxkl_avg', 'ppo/policy/clipfrac_avg', 'ppo/val/ratio', 'ppo/eps']],
  ['lightning', ['train_loss', 'val_loss', 'epoch', 'step', 'lr-AdamW']],
])('recognises %s', (trainer, names) => {
  expect(recognizeTrainer(names)).toBe(trainer)
})
