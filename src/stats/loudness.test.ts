import { describe, expect, it } from 'vitest'
import { randomStream } from '../trainer/random.ts'
import { loudness } from './loudness.ts'

function factors(values: readonly number[]): number[] {
  const loud = loudness()
  return values.map((value) => {
    loud.update(value)
    return loud.factor()
  })
}

const normals = (seed: number, length: number, scale: (t: number) => number = () => 1) => {
  const random = randomStream(seed, 'loudness')
  return Array.from({ length }, (_, t) => scale(t) * random.normal())
}
const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length

describe('loudness', () => {
  it('is about 1 in steady noise, on a slope too', () => {
    expect(mean(factors(normals(1, 2000)).slice(100))).toBeLessThan(1.1)
    expect(mean(factors(normals(1, 2000).map((value, t) => value + 0.05 * t)).slice(100))).toBeLessThan(1.1)
  })

  it('rises in a burst to what is louder, and falls back after it', () => {
    const seen = factors(normals(2, 1000, (t) => (t >= 600 && t < 640 ? 3 : 1)))
    expect(mean(seen.slice(625, 640))).toBeGreaterThan(1.7)
    expect(mean(seen.slice(625, 640))).toBeLessThan(3.5)
    expect(mean(seen.slice(720, 900))).toBeLessThan(1.1)
  })

  it('takes one jump for one change', () => {
    expect(
      Math.max(...factors(normals(3, 600).map((value, t) => value + (t < 400 ? 0 : 1e6))).slice(390)),
    ).toBeLessThan(1.6)
  })

  it('goes on bit for bit after a snapshot, and anew after a reset', () => {
    const values = normals(4, 300)
    const whole = factors(values)
    const first = loudness()
    for (const value of values.slice(0, 137)) first.update(value)
    const second = loudness()
    second.restore(JSON.parse(JSON.stringify(first.snapshot())))
    values.slice(137).forEach((value, i) => {
      second.update(value)
      expect(second.factor()).toBe(whole[137 + i])
    })
    second.reset()
    values.forEach((value, i) => {
      second.update(value)
      expect(second.factor()).toBe(whole[i])
    })
  })
})
