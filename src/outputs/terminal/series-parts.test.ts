import { describe, expect, it, vi } from 'vitest'
import { MetricsStore } from '../../metrics/store.ts'
import { createSeriesPartsCache } from './series-parts.ts'

describe('the costly parts of series', () => {
  const names = Array.from({ length: 30 }, (_, i) => `s${i}`)

  function filled(): { store: MetricsStore; add: (iteration: number) => void } {
    const store = new MetricsStore()
    const add = (iteration: number): void => {
      for (const name of names) store.add(name, iteration, iteration)
    }
    for (let i = 0; i < 60; i++) add(i)
    return { store, add }
  }

  it('are new in every paint, but for trends: a few a paint, in turn, all of them after some paints', () => {
    const { store, add } = filled()
    const computeTrend = vi.spyOn(store, 'computeTrend')
    const cache = createSeriesPartsCache()
    const paint = (all: boolean) => {
      cache.begin(store, all)
      return names.map((name) => cache.partsOf(name, name === 's0'))
    }
    expect(paint(false).every(({ trend, mean }) => trend === 'up' && mean === 34.5)).toBe(true)
    const renewed = new Set<string>()
    for (let i = 60; i < 64; i++) {
      add(i)
      computeTrend.mockClear()
      const now = paint(false)
      expect(now.every(({ mean, history }) => mean === i - 24.5 && history.at(-1) === i)).toBe(true)
      const fitted = computeTrend.mock.calls.map(([name]) => name)
      expect(fitted.length).toBeGreaterThanOrEqual(7)
      expect(fitted.length).toBeLessThanOrEqual(9)
      expect(fitted).toContain('s0')
      for (const name of fitted) renewed.add(name)
    }
    expect(renewed.size).toBe(30)
    add(64)
    computeTrend.mockClear()
    expect(paint(true).every(({ mean }) => mean === 39.5)).toBe(true)
    expect(computeTrend).toHaveBeenCalledTimes(30)
  })

  it('are not computed again where nothing was added, and are those of the newest store', () => {
    const { store } = filled()
    const cache = createSeriesPartsCache()
    cache.begin(store, true)
    const first = cache.partsOf('s1', true)
    cache.begin(store, true)
    expect(cache.partsOf('s1', true)).toBe(first)
    cache.begin(new MetricsStore(), false)
    expect(cache.partsOf('s1', false)).toEqual({ mean: null, trend: null, history: [] })
  })

  it('keep the whole run in a few hundred values, gaps and huge values included', () => {
    const store = new MetricsStore()
    for (let i = 0; i < 50_000; i++) store.add('x', i < 25_000 ? Number.NaN : 1e300, i)
    const cache = createSeriesPartsCache()
    cache.begin(store, true)
    const { history } = cache.partsOf('x', false)
    expect(history.length).toBeGreaterThan(100)
    expect(history.length).toBeLessThanOrEqual(256)
    expect(history[0]).toBeNaN()
    expect(history.at(-1)! / 1e300).toBeCloseTo(1)
  })
})
