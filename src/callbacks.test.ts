import { describe, expect, it, vi } from 'vitest'
import { type CallbackContext, CallbackManager, MAX_IN_FLIGHT, type TrainingCallback } from './callbacks.ts'
import { createTrainingEvent, type TrainingPhase } from './events.ts'
import { manualClock } from './time.ts'

const context = {} as CallbackContext
const event = (iteration: number, phase: TrainingPhase = 'iteration_end') => createTrainingEvent({ phase, iteration })

function manager() {
  const clock = manualClock()
  const warnings: string[] = []
  return { clock, warnings, callbacks: new CallbackManager(clock, (message) => void warnings.push(message)) }
}

function recorder(name: string, into: string[]): TrainingCallback {
  return { name, onEvent: (e) => void into.push(`${name}${e.iteration}`) }
}

describe('CallbackManager', () => {
  it('calls in the order of registration', () => {
    const { callbacks } = manager()
    const seen: string[] = []
    for (const name of ['a', 'b', 'c']) callbacks.register(recorder(name, seen))
    callbacks.dispatch(event(0), context)
    expect(seen).toEqual(['a0', 'b0', 'c0'])
  })

  it('counts the same callback once and takes it out on request', () => {
    const { callbacks } = manager()
    const seen: string[] = []
    const callback = recorder('a', seen)
    const unregister = callbacks.register(callback)
    callbacks.register(callback)
    callbacks.dispatch(event(0), context)
    unregister()
    unregister()
    callbacks.dispatch(event(1), context)
    expect(seen).toEqual(['a0'])
  })

  it('lets a callback take itself or another out while an event is being sent', () => {
    const { callbacks } = manager()
    const seen: string[] = []
    let unregisterB = () => {}
    callbacks.register({ onEvent: () => unregisterB() })
    unregisterB = callbacks.register(recorder('b', seen))
    callbacks.register(recorder('c', seen))
    callbacks.dispatch(event(0), context)
    callbacks.dispatch(event(1), context)
    expect(seen).toEqual(['b0', 'c0', 'c1'])
  })

  it('sends a callback only the phases that it wants, and of those only what the filter lets through', () => {
    const { callbacks } = manager()
    const seen: string[] = []
    const phases = ['policy_update', 'iteration_end'] as const
    callbacks.register({ ...recorder('own', seen), phases })
    callbacks.register({ ...recorder('both', seen), phases }, { phases: ['iteration_end', 'evaluation'] })
    for (const phase of ['policy_update', 'evaluation', 'iteration_end'] as const) {
      seen.push(phase)
      callbacks.dispatch(event(1, phase), context)
    }
    expect(seen).toEqual(['policy_update', 'own1', 'evaluation', 'iteration_end', 'own1', 'both1'])
  })

  it.each([
    [['iteration_edn'], /phases has "iteration_edn"; expected a list of training_start/],
    ['iteration_end', /phases is a string/],
    [5, /phases is a number/],
    [[null], /phases has "null"/],
  ])('refuses phases that are none (%j), which would never be called', (phases, message) => {
    const { callbacks } = manager()
    const refused = expect.objectContaining({ code: 'bad-option', message: expect.stringMatching(message) })
    expect(() => callbacks.register({ phases: phases as never, onEvent: () => {} })).toThrowError(refused)
    expect(() => callbacks.register({ onEvent: () => {} }, { phases: phases as never })).toThrowError(refused)
  })

  it('refuses bounds that are none', () => {
    const { callbacks } = manager()
    for (const filter of [{ from: Number.NaN }, { until: '5' as never }, { every: 0.5 }])
      expect(() => callbacks.register({ onEvent: () => {} }, filter)).toThrowError(/expected an i/)
  })

  it('filters by phase, by every, from and until', () => {
    const { callbacks } = manager()
    const seen: string[] = []
    callbacks.register(recorder('p', seen), { phases: ['policy_update'] })
    callbacks.register(recorder('e', seen), { every: 3, from: 3, until: 7, phases: ['iteration_end'] })
    for (let i = 0; i < 10; i++) {
      callbacks.dispatch(event(i), context)
      if (i === 4) callbacks.dispatch(event(i, 'policy_update'), context)
    }
    expect(seen).toEqual(['e3', 'p4', 'e6'])
    expect(() => callbacks.register(recorder('x', []), { every: 0 })).toThrowError(/every is 0; expected an integer/)
  })

  it('isolates one that throws, reports it once by name, and disables it after ten failures', () => {
    const { callbacks, warnings } = manager()
    const seen: string[] = []
    const broken = vi.fn(() => {
      throw new Error('boom')
    })
    callbacks.register({ name: 'Broken', onEvent: broken })
    callbacks.register(recorder('b', seen))
    for (let i = 0; i < 15; i++) callbacks.dispatch(event(i), context)
    expect(seen).toHaveLength(15)
    expect(broken).toHaveBeenCalledTimes(10)
    expect(warnings).toEqual(['The callback Broken threw: boom. The training goes on.'])
    expect(callbacks.problems).toEqual([
      { callback: 'Broken', problem: 'threw: boom', count: 10 },
      { callback: 'Broken', problem: 'was disabled after 10 failures', count: 1 },
    ])
  })

  it('survives whatever is thrown', () => {
    const unprintable = Object.create(null) as object
    for (const thrown of ['a string', null, undefined, Symbol('s'), unprintable, new Proxy({}, { get: () => null })]) {
      const { callbacks, warnings } = manager()
      callbacks.register({
        onEvent: () => {
          throw thrown
        },
      })
      callbacks.dispatch(event(0), context)
      expect(warnings).toHaveLength(1)
    }
  })

  it('isolates one that rejects and disables it after ten failures', async () => {
    const { callbacks, warnings } = manager()
    const calls = vi.fn(async () => {
      throw new Error('later')
    })
    callbacks.register({ name: 'Async', onEvent: calls })
    for (let i = 0; i < 15; i++) {
      callbacks.dispatch(event(i), context)
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(calls).toHaveBeenCalledTimes(10)
    expect(warnings[0]).toContain('Async rejected: later')
  })

  it('awaits nothing, keeps 32 calls in flight and counts those it dropped', async () => {
    const { callbacks } = manager()
    const resolvers: (() => void)[] = []
    callbacks.register({ name: 'Slow', onEvent: () => new Promise<void>((resolve) => void resolvers.push(resolve)) })
    for (let i = 0; i < 40; i++) callbacks.dispatch(event(i), context)
    expect(resolvers).toHaveLength(MAX_IN_FLIGHT)
    expect(callbacks.problems).toMatchObject([{ callback: 'Slow', count: 8 }])
    for (const resolve of resolvers) resolve()
    await new Promise((resolve) => setImmediate(resolve))
    callbacks.dispatch(event(41), context)
    expect(resolvers).toHaveLength(MAX_IN_FLIGHT + 1)
  })

  it('disables one whose median of 20 calls is over 5 ms, and not one that is slow now and then', () => {
    const { clock, callbacks, warnings } = manager()
    const slow = vi.fn(() => clock.advanceMs(6))
    let call = 0
    const sometimes = vi.fn(() => clock.advanceMs(call++ % 3 === 0 ? 50 : 1))
    callbacks.register({ name: 'Slow', onEvent: slow })
    callbacks.register({ name: 'Sometimes', onEvent: sometimes })
    for (let i = 0; i < 60; i++) callbacks.dispatch(event(i), context)
    expect(slow).toHaveBeenCalledTimes(20)
    expect(sometimes).toHaveBeenCalledTimes(60)
    expect(warnings).toEqual([
      'The callback Slow took 6.0 ms (median of 20 calls; budget 5 ms) and was disabled. The training goes on.',
    ])
  })

  it('settles and closes all, whatever one of them does', async () => {
    const { callbacks } = manager()
    const done: string[] = []
    callbacks.register({
      name: 'A',
      onEvent() {},
      settle: async () => {
        throw new Error('no')
      },
      close: async () => {
        throw new Error('no')
      },
    })
    callbacks.register({
      name: 'B',
      onEvent() {},
      settle: async () => void done.push('settle'),
      close: async () => void done.push('close'),
    })
    await callbacks.settle(context)
    await callbacks.close()
    expect(done).toEqual(['settle', 'close'])
    expect(callbacks.problems.map(({ problem }) => problem)).toEqual(['settle failed: no', 'close failed: no'])
  })
})
