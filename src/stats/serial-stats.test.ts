import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { changePoint } from './change-point.ts'
import { median, medianInPlace } from './median.ts'
import { pearson } from './pearson.ts'
import { meanVariance, type SerialScale, serialScale } from './serial-scale.ts'

const golden = JSON.parse(readFileSync(new URL('./serial-stats.fixture.json', import.meta.url), 'utf8')) as {
  series: { values: number[]; long: Fit[]; short: Fit[]; medians: number[] }[]
  changes: { values: number[]; at: number[] }[]
  variances: { rho: number; n: number; variance: number }[]
  pearson: { x: number[]; y: number[]; r: number[] }
}
type Fit = { sd: number; autocorrelation: number }

/** Without minus zero, which sorts as it likes. */
const finite = fc.double({ min: -1e6, max: 1e6, noNaN: true }).map((value) => value + 0)

describe('against numpy and scipy, at every prefix', () => {
  it('scale and autocorrelation', () => {
    for (const { values, long, short } of golden.series) {
      for (let n = 4; n <= values.length; n++) {
        expectFit(serialScale(values.slice(0, n)), long[n - 4]!)
        expectFit(serialScale(values.slice(0, n), 2), short[n - 4]!)
      }
    }
  })

  it('medians, in place too', () => {
    for (const { values, medians } of golden.series) {
      for (let n = 1; n <= values.length; n++) {
        expect(median(values.slice(0, n))).toBeCloseTo(medians[n - 1]!, 12)
        expect(medianInPlace(Float64Array.from(values), n)).toBeCloseTo(medians[n - 1]!, 12)
      }
    }
  })

  it('variance of a mean', () => {
    for (const { rho, n, variance } of golden.variances) expect(meanVariance(n, rho)).toBeCloseTo(variance, 12)
  })

  it('change points', () => {
    for (const { values, at } of golden.changes) {
      for (let n = 4; n <= values.length; n++) expect(changePoint(values.slice(0, n)).index).toBe(at[n - 4])
    }
  })

  it('correlation', () => {
    const { x, y, r } = golden.pearson
    for (let n = 3; n <= x.length; n++) expect(pearson(x.slice(0, n), y.slice(0, n))).toBeCloseTo(r[n - 3]!, 10)
  })
})

function expectFit(got: SerialScale, expected: Fit): void {
  expect(got.autocorrelation).toBe(expected.autocorrelation)
  expect(got.sd).toBeCloseTo(expected.sd, 9)
}

describe('medianInPlace', () => {
  it('is the median, whatever the order, and keeps the values', () => {
    fc.assert(
      fc.property(fc.array(finite, { minLength: 1, maxLength: 100 }), (values) => {
        const buffer = Float64Array.from([...values, 1e9])
        expect(medianInPlace(buffer, values.length)).toBe(median(values))
        expect([...buffer.subarray(0, values.length)].sort((a, b) => a - b)).toEqual(values.sort((a, b) => a - b))
        expect(buffer.at(-1)).toBe(1e9)
      }),
    )
  })
})

describe('serialScale', () => {
  it('knows nothing of fewer than four values, and 0 of constants', () => {
    expect(serialScale([1, 2, 3]).sd).toBeNaN()
    expect(serialScale(new Array(50).fill(7))).toEqual({ sd: 0, autocorrelation: 0 })
  })

  it('changes with the unit and not with the offset', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 6, maxLength: 60 }), (values) => {
        const { sd, autocorrelation } = serialScale(values)
        // Powers of two, so that nothing is rounded.
        const scaled = serialScale(values.map((value) => 8 * value + 64))
        expect(scaled.sd).toBe(8 * sd)
        expect(scaled.autocorrelation).toBe(autocorrelation)
      }),
    )
  })

  it('shrugs off a value of 1e12', () => {
    const values = Array.from({ length: 80 }, (_, i) => Math.sin(i * i))
    const { sd } = serialScale(values)
    values[40] = 1e12
    expect(serialScale(values).sd).toBeLessThan(1.5 * sd)
  })
})

describe('changePoint', () => {
  it('finds a step and a ramp without noise exactly, and has them in its interval', () => {
    for (let at = 4; at < 30; at++) {
      const step = Array.from({ length: 36 }, (_, i) => (i <= at ? 1 : 3))
      const ramp = Array.from({ length: 36 }, (_, i) => (i <= at ? 1 : 1 + 0.2 * (i - at)))
      for (const values of [step, ramp]) {
        const { index, from, to } = changePoint(values)
        expect(index).toBe(at)
        expect(from).toBeLessThanOrEqual(at)
        expect(to).toBeGreaterThanOrEqual(at)
      }
    }
  })

  it('gives the last place for too few values', () => {
    expect(changePoint([1, 2])).toEqual({ index: 1, from: 0, to: 1 })
    expect(changePoint([])).toEqual({ index: 0, from: 0, to: 0 })
  })
})
