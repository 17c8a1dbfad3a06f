import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { randomStream } from '../trainer/random.ts'
import { slewLimiter } from './slew-limiter.ts'

function limited(values: readonly number[], minStep = 0): number[] {
  const limiter = slewLimiter(minStep)
  return values.map((value) => limiter.update(value))
}

describe('slewLimiter', () => {
  it('is what a plain loop over its definition gives, at every prefix', () => {
    const random = randomStream(1, 'slew')
    const values = Array.from({ length: 400 }, (_, t) => random.normal() * (t % 97 === 0 ? 50 : 1))
    let level = values[0]!
    let step = 0
    const expected = values.map((value, t) => {
      if (t === 0) return level
      const limit = t <= 10 ? Number.POSITIVE_INFINITY : Math.max(2 * step, 0.1)
      const moved = Math.min(limit, Math.abs(value - level)) * Math.sign(value - level)
      level += moved
      step += (Math.abs(moved) - step) / Math.min(t, 50)
      return level
    })
    limited(values, 0.1).forEach((value, t) => {
      expect(value).toBeCloseTo(expected[t]!, 10)
    })
  })

  it('passes a slow drift unchanged', () => {
    const random = randomStream(2, 'slew')
    const noise = Array.from({ length: 1000 }, () => random.normal())
    const last = (values: readonly number[]) => values.slice(-100).reduce((a, b) => a + b, 0) / 100
    const drifted = limited(noise.map((value, t) => value + 0.03 * t))
    expect(last(drifted) - last(limited(noise))).toBeCloseTo(0.03 * 949.5, 0)
  })

  it('lets a wild value through by two steps only', () => {
    const random = randomStream(3, 'slew')
    const values = Array.from({ length: 200 }, () => random.normal())
    values[150] = 1e9
    expect(Math.abs(limited(values)[150]!)).toBeLessThan(6)
  })

  it('goes on bit for bit after a snapshot', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ noNaN: true, min: -1e6, max: 1e6 })), fc.nat(), (values, at) => {
        const cut = values.length === 0 ? 0 : at % values.length
        const whole = limited(values)
        const first = slewLimiter(0)
        for (const value of values.slice(0, cut)) first.update(value)
        const second = slewLimiter(0)
        second.restore(JSON.parse(JSON.stringify(first.snapshot())))
        expect(values.slice(cut).map((value) => second.update(value))).toEqual(whole.slice(cut))
      }),
    )
  })

  it('forgets when it is told to', () => {
    const limiter = slewLimiter(0)
    for (let t = 0; t < 100; t++) limiter.update(Math.sin(t))
    limiter.reset()
    expect(limiter.update(1e6)).toBe(1e6)
  })
})
