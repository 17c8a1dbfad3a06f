import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { loudness } from './loudness.ts'
import { slewLimiter } from './slew-limiter.ts'

const { series } = JSON.parse(readFileSync(new URL('./limited-signals.fixture.json', import.meta.url), 'utf8')) as {
  series: { values: number[]; limited: number[]; loudness: number[] }[]
}

describe('against numpy, at every prefix', () => {
  it('the slew limiter', () => {
    for (const [i, { values, limited }] of series.entries()) {
      const limiter = slewLimiter(i === series.length - 1 ? 0 : 0.1)
      values.forEach((value, t) => {
        expect(limiter.update(value)).toBeCloseTo(limited[t]!, 9)
      })
    }
  })

  it('the loudness', () => {
    for (const { values, loudness: expected } of series) {
      const loud = loudness()
      values.forEach((value, t) => {
        loud.update(value)
        expect(loud.factor()).toBeCloseTo(expected[t]!, 9)
      })
    }
  })
})
