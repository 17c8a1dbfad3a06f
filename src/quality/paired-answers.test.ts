import { describe, expect, it } from 'vitest'
import { TrainingMonitor } from '../monitor.ts'
import { pairedAnswers } from './paired-answers.ts'
import { SampleComparator } from './sample-comparator.ts'

const PROMPTS = ['a', 'b', 'c', 'd']

describe('pairedAnswers', () => {
  it('compares with the first answer to the same prompt, not with other prompts', () => {
    const paired = pairedAnswers()
    expect(paired.answers(PROMPTS, ['x y z', 'x x x', 'p q', 'r s'])).toEqual({})
    expect(paired.rewards(PROMPTS, [1, 2, 3, 4])).toEqual({})
    // In another order, with others between: nothing has changed.
    const same = paired.answers(['new', 'c', 'a', 'b'], ['so so so so', 'p q', 'x y z', 'x x x'])
    expect(same).toEqual({ 'quality/paired_repetition': 0, 'quality/paired_length': 0 })
    const changed = paired.answers(['a', 'c', 'd'], ['x x x x', 'p p p p', 'r r r r'])
    expect(changed['quality/paired_repetition']).toBeCloseTo(2 / 3, 12)
    expect(changed['quality/paired_length']).toBeCloseTo((Math.log(8 / 6) + 2 * Math.log(8 / 4)) / 3, 12)
    expect(paired.rewards(['a', 'b', 'd'], Float32Array.of(2, 2, 6))).toEqual({ 'quality/paired_reward': 1 })
  })

  it('says nothing from fewer than three pairs, and takes only numbers for rewards', () => {
    const paired = pairedAnswers()
    paired.answers(PROMPTS, PROMPTS)
    paired.rewards(PROMPTS, [1, Number.NaN, 'x', 4])
    expect(paired.answers(['a', 'b', '', 7 as never], ['x', 'y', 'z', 'w'])).toEqual({})
    expect(paired.rewards(['a', 'b', 'd', 'c'], [1, 1, 1, 1])).toEqual({})
  })

  it('keeps what it remembers whatever comes after', () => {
    const paired = pairedAnswers()
    for (let i = 0; i < 40_000; i += 8) {
      const prompts = Array.from({ length: 8 }, (_, j) => `prompt ${i + j}`)
      paired.rewards(
        prompts,
        prompts.map(() => 0),
      )
    }
    const all = Array.from({ length: 40_000 }, (_, i) => `prompt ${i}`)
    expect(
      paired.rewards(
        all,
        all.map(() => 1),
      ),
    ).toEqual({ 'quality/paired_reward': 1 })
  })
})

describe('a comparator', () => {
  it('publishes the paired measures of every iteration whose prompts come again, before the iteration closes', () => {
    const monitor = new TrainingMonitor({ handleSignals: false })
    const seen: [number, number | undefined, number | undefined][] = []
    monitor.registerCallback(new SampleComparator())
    monitor.registerCallback({
      onEvent(_, { closed }) {
        if (!closed) return
        seen.push([closed.iteration, closed.get('quality/paired_repetition'), closed.get('quality/paired_reward')])
      },
    })
    for (let iteration = 0; iteration < 4; iteration++) {
      const prompts = PROMPTS.map((prompt) => `${prompt}${iteration % 2}`)
      const responses = prompts.map(() => (iteration < 3 ? 'one two three four' : 'one one one one one'))
      monitor.onEvent({ phase: 'response_generated', iteration, metadata: { prompts, responses } })
      const rewards = prompts.map(() => iteration)
      monitor.onEvent({ phase: 'reward_computed', iteration, metadata: { prompts, responses, rewards } })
      monitor.onEvent({ phase: 'iteration_end', iteration })
    }
    expect(seen).toEqual([
      [0, undefined, undefined],
      [1, undefined, undefined],
      [2, 0, 2],
      [3, 0.75, 2],
    ])
  })
})
