import { describe, expect, it } from 'vitest'
import { createTrainingEvent, OWN_LOOP_KEYS, TRAINING_PHASES, TrainingPhase } from './events.ts'

describe('TrainingPhase', () => {
  it('has the eleven phases in order', () => {
    expect(TRAINING_PHASES).toEqual([
      'training_start',
      'iteration_start',
      'response_generated',
      'reward_computed',
      'advantage_computed',
      'policy_update',
      'value_update',
      'iteration_end',
      'evaluation',
      'checkpoint_saved',
      'training_end',
    ])
  })
})

describe('createTrainingEvent', () => {
  it('freezes the event and its own metrics, and leaves the metadata alone', () => {
    const metrics = { reward: 1 }
    const metadata = { list: [1] }
    const event = createTrainingEvent({ phase: TrainingPhase.ITERATION_END, iteration: 0, metrics, metadata })
    expect(Object.isFrozen(event)).toBe(true)
    expect(Object.isFrozen(event.metrics)).toBe(true)
    expect(event.metadata).toBe(metadata)
    expect(Object.isFrozen(metadata)).toBe(false)
    metrics.reward = 2
    expect(event.getMetric('reward')).toBe(1)
  })

  it.each([
    [{ phase: 'nonsense', iteration: 0 }, /phase is "nonsense"; expected one of training_start/],
    [{ phase: 'iteration_end', iteration: -1 }, /iteration is -1; expected an integer/],
    [{ phase: 'iteration_end', iteration: 1.5 }, /iteration is 1.5/],
    [{ phase: 'iteration_end', iteration: Number.NaN }, /iteration is NaN/],
    [{ phase: 'iteration_end', iteration: '3' }, /iteration is "3"/],
  ])('refuses %o', (init, message) => {
    expect(() => createTrainingEvent(init as never)).toThrowError(
      expect.objectContaining({ code: 'bad-event', message: expect.stringMatching(message) }),
    )
  })

  it('keeps NaN and Infinity, takes null and undefined as not logged, sets other things aside', () => {
    const event = createTrainingEvent({
      phase: 'iteration_end',
      iteration: 0,
      metrics: { a: Number.NaN, b: Number.POSITIVE_INFINITY, c: null, d: undefined, e: '5' as never, f: {} as never },
    })
    expect(event.metrics.a).toBeNaN()
    expect(event.metrics.b).toBe(Number.POSITIVE_INFINITY)
    expect(Object.keys(event.metrics)).toEqual(['a', 'b'])
    expect(event.setAside).toEqual(['e', 'f'])
  })

  it('takes any name for a metric without touching a prototype', () => {
    const metrics = JSON.parse('{"__proto__": 1, "constructor": 2, "toString": 3}') as Record<string, number>
    const event = createTrainingEvent({ phase: 'iteration_end', iteration: 0, metrics })
    expect(event.getMetric('__proto__')).toBe(1)
    expect(event.getMetric('constructor')).toBe(2)
    expect(event.getMetric('hasOwnProperty')).toBeUndefined()
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })
})

describe('getMetric', () => {
  it.each(Object.entries(OWN_LOOP_KEYS))('answers to %s and to %s', (own, canonical) => {
    const byOwn = createTrainingEvent({ phase: 'iteration_end', iteration: 0, metrics: { [own]: 7 } })
    const byCanonical = createTrainingEvent({ phase: 'iteration_end', iteration: 0, metrics: { [canonical]: 8 } })
    expect([byOwn.getMetric(own), byOwn.getMetric(canonical)]).toEqual([7, 7])
    expect([byCanonical.getMetric(own), byCanonical.getMetric(canonical)]).toEqual([8, 8])
  })

  it('prefers what the trainer logged under that very name', () => {
    const event = createTrainingEvent({
      phase: 'iteration_end',
      iteration: 0,
      metrics: { reward: 1, reward_mean: 2, 'reward/score': 3 },
    })
    expect(['reward', 'reward_mean', 'reward/score'].map((name) => event.getMetric(name))).toEqual([1, 2, 3])
  })

  it('falls back only where nothing was logged', () => {
    const event = createTrainingEvent({ phase: 'iteration_end', iteration: 0, metrics: { loss: 0 } })
    expect([event.getMetric('loss', 9), event.getMetric('kl_div', 9), event.getMetric('kl_div')]).toEqual([
      0,
      9,
      undefined,
    ])
  })
})
