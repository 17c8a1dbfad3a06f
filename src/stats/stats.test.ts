import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { median, quantile } from './median.ts'
import { selectNth } from './select.ts'
import { meanInterval, t975 } from './student-t.ts'
import { theilSen, trendCanBe } from './theil-sen.ts'

const golden = JSON.parse(readFileSync(new URL('./stats.fixture.json', import.meta.url), 'utf8')) as {
  theilSen: { x: number[]; y: number[]; slope: number; low: number; high: number; median: number; q10: number }[]
  t: { degrees: number; t: number }[]
}

/** A repeatable normal stream. */
function normals(seed: number): () => number {
  let state = seed
  const uniform = () => {
    state = (state * 48271) % 2147483647
    return state / 2147483647
  }
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform())
}

describe('against numpy and scipy', () => {
  it('medians and quantiles are numpy’s', () => {
    for (const { y, median: expected, q10 } of golden.theilSen) {
      expect(median(y)).toBeCloseTo(expected, 12)
      expect(quantile(y, 0.1)).toBeCloseTo(q10, 12)
    }
    expect(median([])).toBeNaN()
  })

  it('the slope is scipy’s, and the interval holds scipy’s, which knows no autocorrelation', () => {
    for (const { x, y, slope, low, high } of golden.theilSen) {
      const fit = theilSen(x, y)!
      expect(fit.slope).toBeCloseTo(slope, 10)
      const span = high - low
      expect(fit.interval[0]).toBeLessThanOrEqual(low + 0.02 * span)
      expect(fit.interval[1]).toBeGreaterThanOrEqual(high - 0.02 * span)
    }
  })

  it('t quantiles are right to a thousandth', () => {
    for (const { degrees, t } of golden.t) expect(Math.abs(t975(degrees) - t)).toBeLessThan(1e-3)
  })
})

describe('theilSen', () => {
  it('leaves non-finite points out and says nothing of too few', () => {
    const x = [0, 1, 2, 3, 4, 5]
    expect(theilSen(x, [0, 1, Number.NaN, 3, Number.POSITIVE_INFINITY, 5])).toMatchObject({ slope: 1, n: 4 })
    expect(theilSen(x, [0, Number.NaN, Number.NaN, Number.NaN, 1, 2])).toBeNull()
    expect(theilSen([3, 3, 3, 3], [1, 2, 3, 4])).toBeNull()
    expect(theilSen(x, [2, 2, 2, 2, 2, 2])).toMatchObject({ slope: 0, interval: [0, 0] })
  })

  it('shrugs off a spike of 1e300', () => {
    const y = Array.from({ length: 50 }, (_, i) => (i === 20 ? 1e300 : 0.5 * i))
    expect(
      theilSen(
        y.map((_, i) => i),
        y,
      )!.slope,
    ).toBeCloseTo(0.5, 1)
  })

  it('rarely tells a trend where there is none, in autocorrelated noise too', () => {
    const falseShare = (phi: number) => {
      const noise = normals(17)
      let false_ = 0
      const runs = 300
      for (let run = 0; run < runs; run++) {
        let level = 0
        const y = Array.from({ length: 100 }, () => {
          level = phi * level + noise()
          return level
        })
        const { interval } = theilSen(
          y.map((_, i) => i),
          y,
        )!
        if (interval[0] > 0 || interval[1] < 0) false_++
      }
      return false_ / runs
    }
    expect(falseShare(0)).toBeLessThan(0.09)
    // Measured .03, .13 and .24 of 300: the correction needs longer series to be exact, and it is far from none at all.
    expect(falseShare(0.5)).toBeLessThan(0.16)
    expect(falseShare(0.8)).toBeLessThan(0.3)
  })
})

describe('trendCanBe', () => {
  it('says no only where the fit has no such trend, and mostly where it has none', () => {
    const noise = normals(5)
    let spared = 0
    for (let run = 0; run < 400; run++) {
      const n = 4 + (run % 60)
      const drift = ((run % 9) - 4) * 0.01
      const x = Array.from({ length: n }, (_, i) => Math.floor(i / (1 + (run % 2))))
      // Rounded in part, so that there are ties.
      const y = x.map((at) => (run % 3 === 0 ? Math.round(drift * at + noise()) : drift * at + noise()))
      const interval = theilSen(x, y)?.interval ?? [0, 0]
      for (const side of [1, -1] as const) {
        const is = side === 1 ? interval[0] > 0 : interval[1] < 0
        if (is) expect(trendCanBe(side, x, y)).toBe(true)
        else if (!trendCanBe(side, x, y)) spared++
      }
    }
    expect(spared).toBeGreaterThan(600)
  })
})

describe('selectNth', () => {
  it('is the value at that place of the sorted ones, and puts the others to its sides', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double({ noNaN: true })), {
          minLength: 1,
          maxLength: 60,
        }),
        fc.nat(),
        (list, pick) => {
          const values = Float64Array.from(list, (value) => value + 0)
          const k = pick % values.length
          const sorted = values.toSorted()
          expect(selectNth(values, k)).toBe(sorted[k])
          expect(values.slice(0, k).toSorted()).toEqual(sorted.slice(0, k))
          expect(values.slice(k).toSorted()).toEqual(sorted.slice(k))
        },
      ),
    )
  })
})

describe('meanInterval', () => {
  it('is Student’s', () => {
    expect(meanInterval([1, 2])).toBeNull()
    const { mean, interval } = meanInterval([1, 2, 3, 4, Number.NaN])!
    expect(mean).toBe(2.5)
    expect(interval[1] - mean).toBeCloseTo(3.1824 * Math.sqrt(5 / 3 / 4), 4)
  })
})
