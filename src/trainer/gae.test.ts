import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { generalizedAdvantages, maskedMoments, whiten } from './gae.ts'
import { adaptiveKl, fixedKl } from './kl-controller.ts'

/** The definition, word for word: the sum of discounted temporal differences. */
function naive(rewards: number[], values: number[], gamma: number, lambda: number): number[] {
  return rewards.map((_, t) => {
    let sum = 0
    for (let l = 0; t + l < rewards.length; l++) {
      const next = t + l + 1 < values.length ? values[t + l + 1]! : 0
      sum += (gamma * lambda) ** l * (rewards[t + l]! + gamma * next - values[t + l]!)
    }
    return sum
  })
}

describe('generalizedAdvantages', () => {
  it('is the sum of discounted temporal differences, row by row, whatever the padding', () => {
    const row = fc.array(
      fc.tuple(fc.float({ min: -2, max: 2, noNaN: true }), fc.float({ min: -2, max: 2, noNaN: true })),
      { minLength: 1, maxLength: 8 },
    )
    fc.assert(
      fc.property(
        fc.array(row, { minLength: 1, maxLength: 4 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (rows, gamma, lambda) => {
          const length = 9
          const [rewards, values, mask] = [0, 1, 2].map(() => new Float32Array(rows.length * length).fill(7)) as [
            Float32Array,
            Float32Array,
            Float32Array,
          ]
          mask.fill(0)
          rows.forEach((steps, r) => {
            steps.forEach(([reward, value], t) => {
              rewards[r * length + t] = reward
              values[r * length + t] = value
              mask[r * length + t] = 1
            })
          })
          const { advantages, returns } = generalizedAdvantages({ rewards, values, mask, length, gamma, lambda })
          rows.forEach((steps, r) => {
            const expected = naive(
              steps.map(([reward]) => reward),
              steps.map(([, value]) => value),
              gamma,
              lambda,
            )
            expected.forEach((advantage, t) => {
              expect(advantages[r * length + t]).toBeCloseTo(advantage, 3)
              expect(returns[r * length + t]).toBeCloseTo(advantage + steps[t]![1], 3)
            })
            expect(
              [...advantages.subarray(r * length + steps.length, (r + 1) * length)].every((value) => value === 0),
            ).toBe(true)
          })
        },
      ),
    )
  })

  it('gives the values worked out by hand', () => {
    const { advantages } = generalizedAdvantages({
      rewards: Float32Array.of(0, 0, 1),
      values: Float32Array.of(0.2, 0.4, 0.6),
      mask: Float32Array.of(1, 1, 1),
      length: 3,
      gamma: 1,
      lambda: 0.5,
    })
    // deltas .2, .2, .4: A2 = .4, A1 = .2 + .5 * .4, A0 = .2 + .5 * .4
    for (const [i, expected] of [0.4, 0.4, 0.4].entries()) expect(advantages[i]).toBeCloseTo(expected, 6)
  })
})

describe('whiten', () => {
  it('gives mean 0 and standard deviation 1 over the real tokens and leaves padding at 0', () => {
    const mask = Float32Array.of(1, 1, 0, 1, 1)
    const whitened = whiten(Float32Array.of(1, 5, 1000, 3, 7), mask)
    expect(maskedMoments(whitened, mask)).toMatchObject({
      mean: expect.closeTo(0, 6),
      std: expect.closeTo(1, 6),
      count: 4,
    })
    expect(whitened[2]).toBe(0)
  })

  it('survives equal advantages', () => {
    expect([...whiten(Float32Array.of(2, 2), Float32Array.of(1, 1))]).toEqual([0, 0])
  })
})

describe('KL controllers', () => {
  it('the adaptive one rises above its target, falls below it, by a fifth of the error at most', () => {
    const kl = adaptiveKl(0.1, { targetNats: 6, horizon: 100 })
    kl.update(60, 10)
    expect(kl.coefficient).toBeCloseTo(0.1 * 1.02, 10)
    kl.update(0, 10)
    expect(kl.coefficient).toBeCloseTo(0.1 * 1.02 * 0.98, 10)
    kl.update(6, 10)
    kl.update(Number.NaN, 10)
    expect(kl.coefficient).toBeCloseTo(0.1 * 1.02 * 0.98, 10)
  })

  it('the fixed one stays', () => {
    const kl = fixedKl(0.1)
    kl.update(60, 10)
    expect(kl.coefficient).toBe(0.1)
  })
})
