import { describe, expect, it } from 'vitest'
import { createTrainingEvent } from '../events.ts'
import { answerMemory } from './answer-memory.ts'

const answers = (iteration: number, metadata: Record<string, unknown>) =>
  createTrainingEvent({ phase: 'reward_computed', iteration, metadata })

const onset = { estimate: 10, interval: [5, 12] as const }

describe('answerMemory', () => {
  it('shows the answers that changed most, from before the onset and since, with their rewards', () => {
    const memory = answerMemory()
    const prompts = ['a', 'b', 'c', 'd']
    memory.take(answers(0, { prompts, responses: ['one two', 'x y', 'p q', 'same'], rewards: [0, 1, 2, 3] }))
    memory.take(
      answers(20, { prompts, responses: ['one three', 'bad', 'p q', 'same'], rewards: Float32Array.of(5, 6, 7, 8) }),
    )
    const worst = memory.worst(onset)
    expect(worst).toHaveLength(2)
    expect(worst[0]).toEqual({
      prompt: 'b',
      original: 'x y',
      updated: 'bad',
      baselineIteration: 0,
      iteration: 20,
      rewards: [1, 6],
    })
    expect(worst.map(({ prompt }) => prompt)).toEqual(['b', 'a'])
  })

  it('shows nothing where no prompt came again, or only on one side of the onset', () => {
    const memory = answerMemory()
    memory.take(answers(0, { prompts: ['a'], responses: ['x'] }))
    memory.take(answers(30, { prompts: ['b'], responses: ['y'] }))
    expect(memory.worst(onset)).toEqual([])
    memory.take(answers(3, { prompts: ['a'], responses: ['z'] }))
    expect(memory.worst(onset)).toEqual([])
  })

  it('prefers a comparison on the same prompts, worst by the reference', () => {
    const memory = answerMemory()
    const pair = (prompt: string, updated: number) => ({
      prompt,
      original: 'before',
      updated: 'after',
      baselineIteration: 0,
      measures: { 'quality/fixed_ref_perplexity': { original: 2, updated } },
    })
    memory.take(
      answers(8, {
        kind: 'sample-comparison',
        pairs: [pair('fine', 2), pair('bad', 9), null, { prompt: 3 }, pair('nan', Number.NaN)],
      }),
    )
    expect(memory.worst(onset)[0]).toMatchObject({ prompt: 'bad', iteration: 8, rewards: null })
  })

  it('stays bounded whatever comes, and which prompts it follows does not depend on their order', () => {
    const forward = answerMemory()
    const backward = answerMemory()
    const all = Array.from({ length: 500 }, (_, i) => `prompt ${i} ${'x'.repeat(5000)}`)
    for (const prompt of all) forward.take(answers(1, { prompts: [prompt], responses: ['y'.repeat(1_000_000)] }))
    for (const prompt of all.toReversed())
      backward.take(answers(1, { prompts: [prompt], responses: ['y'.repeat(1_000_000)] }))
    const saved = JSON.stringify(forward.snapshot())
    expect(saved.length).toBeLessThan(16 * 3 * 1200)
    expect(saved).toBe(JSON.stringify(backward.snapshot()))
    forward.take(answers(2, { prompts: ['__proto__', 7, ''], responses: [null, {}, 'x'], rewards: 'none' }))
  })
})
