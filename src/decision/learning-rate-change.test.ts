import { describe, expect, it } from 'vitest'
import { learningRateChange } from './learning-rate-change.ts'

/** Indices at which a schedule announces itself. */
function jumps(rates: readonly (number | undefined)[]): number[] {
  const change = learningRateChange()
  return rates.flatMap((rate, i) => (change.update(rate) ? [i] : []))
}

const schedule = (n: number, rate: (i: number) => number) => Array.from({ length: n }, (_, i) => rate(i))

describe('a learning rate', () => {
  it.each([
    ['constant', schedule(200, () => 1e-5)],
    ['linear warm-up and decay to 0', schedule(201, (i) => (i < 10 ? i / 10 : 1 - (i - 10) / 190) * 1e-5)],
    ['cosine to 0', schedule(101, (i) => 1e-5 * 0.5 * (1 + Math.cos((Math.PI * i) / 100)))],
    ['warm-up that doubles', schedule(12, (i) => 1e-8 * 2 ** i)],
    ['exponential decay', schedule(100, (i) => 1e-3 * 0.6 ** i)],
    ['a drift of 1 % an iteration', schedule(300, (i) => 1e-5 * 1.01 ** i)],
    ['nothing', [undefined, undefined, Number.NaN, -1]],
  ])('that is %s does not announce itself', (_, rates) => expect(jumps(rates)).toEqual([]))

  it('announces each drop of a step schedule, and warm restarts, once', () => {
    expect(jumps(schedule(90, (i) => 1e-4 * 0.1 ** Math.floor(i / 30)))).toEqual([30, 60])
    expect(jumps(schedule(100, (i) => 1e-5 * 0.5 * (1 + Math.cos((Math.PI * (i % 50)) / 50))))).toEqual([50])
    expect(jumps([...schedule(20, () => 1e-5), undefined, ...schedule(5, () => 2e-6)])).toEqual([21])
  })

  it('forgets at a resume, and goes on exactly from JSON', () => {
    const change = learningRateChange()
    for (let i = 0; i < 10; i++) change.update(1e-5)
    const next = learningRateChange()
    next.restore(JSON.parse(JSON.stringify(change.snapshot())))
    expect(next.update(1e-6)).toBe(true)
    change.reset()
    expect(change.update(1e-6)).toBe(false)
  })
})
