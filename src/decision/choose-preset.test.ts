import { describe, expect, it } from 'vitest'
import { choosePreset } from './choose-preset.ts'

const observe = (names: readonly string[], iteration = 0) => ({
  iteration,
  time: iteration,
  get: (name: string) => (names.includes(name) ? 1 : undefined),
})

describe('choosePreset', () => {
  it.each([
    [['reward/score', 'value/explained_variance'], 'ppo'],
    [['reward/score', 'kl_ref/token'], 'ppo'],
    [['reward/score', 'reward/frac_zero_std'], 'grpo'],
    [['pref/margin', 'loss/total'], 'dpo'],
    [['loss/total', 'grad/norm'], 'sft'],
    [['my/metric'], 'ppo'],
  ])('takes a run that logs %j for %s', (names, preset) => {
    const choice = choosePreset('own-loop')
    choice.update(observe(names))
    expect(choice.preset).toBe(preset)
  })

  it('believes a trainer that does one thing', () => {
    const choice = choosePreset('trl-sft')
    choice.update(observe(['reward/score', 'value/mean']))
    expect(choice.preset).toBe('sft')
  })

  it('learns for ten iterations, then stands, and goes on from JSON', () => {
    const choice = choosePreset('own-loop')
    expect(choice.update(observe(['loss/total']))).toBe(true)
    expect(choice.update(observe(['reward/frac_zero_std'], 1))).toBe(true)
    const next = choosePreset('own-loop')
    next.restore(JSON.parse(JSON.stringify(choice.snapshot())))
    for (let i = 2; i < 10; i++) expect(next.update(observe([], i))).toBe(false)
    expect(next.update(observe(['value/mean'], 10))).toBe(false)
    expect(next.preset).toBe('grpo')
  })
})
