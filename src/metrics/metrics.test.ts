import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MetricsBuffer } from './buffer.ts'
import { SeriesHistory } from './history.ts'
import { MAX_METRIC_NAMES, MetricsStore } from './store.ts'

describe('MetricsBuffer', () => {
  it('holds the newest values with their iterations, whatever its capacity', () => {
    fc.assert(
      fc.property(fc.array(fc.double(), { maxLength: 400 }), fc.integer({ min: 1, max: 150 }), (values, capacity) => {
        const buffer = new MetricsBuffer(capacity)
        values.forEach((value, i) => {
          buffer.push(value, i * 3)
        })
        const from = Math.max(0, values.length - capacity)
        for (const count of [0, 1, 3, 1000]) {
          const { values: newest, iterations } = buffer.newest(count)
          expect([...newest]).toEqual(values.slice(from).slice(-count || values.length))
          expect([...iterations]).toEqual([...buffer.iterations()].slice(-count || values.length))
        }
        expect([...buffer.values()]).toEqual(values.slice(from))
        expect([...buffer.iterations()]).toEqual(values.map((_, i) => i * 3).slice(from))
        expect(buffer.latest()).toEqual(values.at(-1))
      }),
    )
  })

  it('keeps 10,000 values by default and forgets the oldest', () => {
    const buffer = new MetricsBuffer()
    for (let i = 0; i < 10_005; i++) buffer.push(i, i)
    expect([buffer.length, buffer.values()[0], buffer.latest()]).toEqual([10_000, 5, 10_004])
  })

  it('makes its view once and again only after new data', () => {
    const buffer = new MetricsBuffer(4)
    for (let i = 0; i < 6; i++) buffer.push(i, i)
    const view = buffer.values()
    expect(buffer.values()).toBe(view)
    buffer.push(6, 6)
    expect(buffer.values()).not.toBe(view)
    expect([...buffer.values()]).toEqual([3, 4, 5, 6])
  })

  it('drops what a resumed run does again, also after wrapping, and goes on', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 0, max: 60 }),
        (capacity, count, cut) => {
          const buffer = new MetricsBuffer(capacity)
          for (let i = 0; i < count; i++) buffer.push(i, i)
          buffer.dropFrom(cut)
          const kept = Array.from({ length: count }, (_, i) => i)
            .slice(-capacity)
            .filter((i) => i < cut)
          expect([...buffer.values()]).toEqual(kept)
          for (let i = 0; i < 5; i++) buffer.push(100 + i, 100 + i)
          expect([...buffer.values()]).toEqual([...kept, 100, 101, 102, 103, 104].slice(-capacity))
        },
      ),
    )
  })
})

describe('SeriesHistory', () => {
  const points = fc.array(
    fc.record({ iteration: fc.integer({ min: 0, max: 3000 }), value: fc.oneof(fc.double(), fc.constant(Number.NaN)) }),
    { maxLength: 300 },
  )

  it('loses no extreme, no count and no value, in any order and at any capacity', () => {
    fc.assert(
      fc.property(points, fc.integer({ min: 2, max: 40 }), (data, capacity) => {
        const history = new SeriesHistory(capacity)
        for (const { iteration, value } of data) history.add(value, iteration)
        const buckets = history.buckets()
        expect(buckets.length).toBeLessThanOrEqual(capacity)
        const finite = data.map(({ value }) => value).filter(Number.isFinite)
        expect(buckets.reduce((sum, b) => sum + b.count, 0)).toBe(finite.length)
        expect(buckets.reduce((sum, b) => sum + b.nonFinite, 0)).toBe(data.length - finite.length)
        const mins = buckets.filter((b) => b.count > 0).map((b) => b.min)
        const maxs = buckets.filter((b) => b.count > 0).map((b) => b.max)
        if (finite.length > 0) {
          expect(Math.min(...mins)).toBe(Math.min(...finite))
          expect(Math.max(...maxs)).toBe(Math.max(...finite))
        }
        for (const [i, bucket] of buckets.entries()) {
          expect(bucket.iteration % bucket.width).toBe(0)
          if (i > 0) expect(bucket.iteration).toBeGreaterThan(buckets[i - 1]!.iteration)
          expect(bucket.lastIteration).toBeGreaterThanOrEqual(bucket.iteration)
          expect(bucket.lastIteration).toBeLessThan(bucket.iteration + bucket.width)
        }
      }),
    )
  })

  it('gives the same buckets whether the data came in order or not', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 500 }), { maxLength: 100 }), (iterations) => {
        const [inOrder, asCame] = [new SeriesHistory(16), new SeriesHistory(16)]
        for (const iteration of iterations) asCame.add(iteration, iteration)
        for (const iteration of iterations.toSorted((a, b) => a - b)) inOrder.add(iteration, iteration)
        expect(asCame.buckets()).toEqual(inOrder.buckets())
      }),
    )
  })

  it('keeps a million iterations from first to last with one spike', () => {
    const history = new SeriesHistory()
    for (let i = 0; i < 1_000_000; i++) history.add(i === 654_321 ? 99 : 1, i)
    const buckets = history.buckets()
    expect(buckets.length).toBeGreaterThan(400)
    expect(buckets.length).toBeLessThanOrEqual(1024)
    expect(buckets[0]!.iteration).toBe(0)
    expect(buckets.at(-1)!.lastIteration).toBe(999_999)
    const spike = buckets.filter((b) => b.max === 99)
    expect(spike).toHaveLength(1)
    expect(spike[0]!.iteration <= 654_321 && 654_321 < spike[0]!.iteration + spike[0]!.width).toBe(true)
  })
})

describe('MetricsStore', () => {
  it('answers to the own and the canonical name alike', () => {
    const store = new MetricsStore()
    store.add('kl_div', 0.5, 0)
    store.add('kl_ref/token', 0.6, 1)
    expect(store.names()).toEqual(['kl_ref/token'])
    expect([store.latest('kl_div'), store.latest('kl_ref/token'), store.latestIteration('kl_div')]).toEqual([
      0.6, 0.6, 1,
    ])
    expect(store.info('kl_div')).toMatchObject({ canonical: 'kl_ref/token', unit: 'nats/token', badDirection: 'up' })
  })

  it('never mixes two original names of one meaning into one series', () => {
    const store = new MetricsStore()
    store.add('reward', 1, 0)
    store.add('reward_mean', 100, 0)
    expect([...store.get('reward')!.values()]).toEqual([1])
    expect([...store.get('reward_mean')!.values()]).toEqual([100])
  })

  it('has no opinion on names that nobody logged', () => {
    const store = new MetricsStore()
    expect(store.latest('reward')).toBeUndefined()
    expect(store.get('__proto__')).toBeUndefined()
    expect(store.statistics('reward')).toBeNull()
    expect(store.computeTrend('reward')).toBeNull()
    expect(store.movingAverage('reward', 3)).toHaveLength(0)
    expect(store.history('reward')).toBeUndefined()
  })

  it('takes __proto__ and constructor as names like any other', () => {
    const store = new MetricsStore()
    for (const name of ['__proto__', 'constructor', 'hasOwnProperty']) store.add(name, 1, 0)
    expect(store.names()).toEqual(['__proto__', 'constructor', 'hasOwnProperty'])
    expect(store.latest('__proto__')).toBe(1)
  })

  it('stops at 2,000 names and at names of 250 bytes, and counts the rest once each', () => {
    const store = new MetricsStore()
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < MAX_METRIC_NAMES + 5; i++) store.add(`metric ${i}`, i, round)
    }
    expect(store.names()).toHaveLength(MAX_METRIC_NAMES)
    expect(store.droppedNames).toBe(5)
    const other = new MetricsStore()
    expect(other.add('é'.repeat(126), 1, 0)).toBeUndefined()
    expect(other.add('é'.repeat(125), 1, 0)).toBe('é'.repeat(125))
  })

  it('computes statistics over finite values and counts the others', () => {
    const store = new MetricsStore()
    for (const [i, value] of [1, Number.NaN, 2, 3, Number.POSITIVE_INFINITY, 4].entries()) store.add('x', value, i)
    expect(store.statistics('x')).toEqual({
      count: 4,
      mean: 2.5,
      std: Math.sqrt(5 / 3),
      min: 1,
      max: 4,
      median: 2.5,
      nonFinite: 2,
    })
    expect(store.statistics('x', { window: 2 })).toMatchObject({ count: 1, mean: 4, nonFinite: 1 })
    expect(store.latest('x')).toBe(4)
  })

  it('averages over a trailing window and recovers from a spike', () => {
    const store = new MetricsStore()
    for (const [i, value] of [1, 3, Number.NaN, 1e300, 5, 7, 9].entries()) store.add('x', value, i)
    const averages = [...store.movingAverage('x', 2)]
    expect(averages.slice(0, 3)).toEqual([1, 2, 3])
    expect(averages.slice(-2)).toEqual([6, 8])
  })

  it('finds a trend only beyond its interval', () => {
    const store = new MetricsStore()
    let state = 1
    const noise = () => {
      state = (state * 48271) % 2147483647
      return state / 2147483647 - 0.5
    }
    for (let i = 0; i < 300; i++) {
      store.add('rising', 0.01 * i + noise(), i)
      store.add('flat', noise(), i)
    }
    const rising = store.computeTrend('rising')!
    expect(rising.direction).toBe('up')
    expect(rising.interval[0]).toBeGreaterThan(0)
    expect(rising.interval[0]).toBeLessThan(0.01)
    expect(rising.interval[1]).toBeGreaterThan(0.01)
    expect(store.computeTrend('flat')!.direction).toBe('flat')
    expect(store.computeTrend('rising')).toBe(store.computeTrend('rising'))
  })

  it('keeps what a resumed run superseded, apart from what it does now', () => {
    const store = new MetricsStore()
    for (let i = 0; i < 10; i++) store.add('x', i, i)
    store.beginAttempt(2, 6)
    for (let i = 6; i < 8; i++) store.add('x', 100 + i, i)
    expect([...store.get('x')!.values()]).toEqual([0, 1, 2, 3, 4, 5, 106, 107])
    const history = store.history('x')!
    expect(history.buckets().map((b) => b.last)).toEqual([0, 1, 2, 3, 4, 5, 106, 107])
    expect(history.superseded()).toMatchObject([{ attempt: 1 }])
    expect(history.superseded()[0]!.buckets.map((b) => b.last)).toEqual([6, 7, 8, 9])
  })
})

describe('extremes', () => {
  it('of a number line do not hang a trend', () => {
    const store = new MetricsStore()
    for (let i = 0; i < 10; i++) store.add('x', i < 5 ? -1.7e308 : 1.7e308, i)
    const trend = store.computeTrend('x')
    expect(trend === null || Number.isFinite(trend.slope)).toBe(true)
    expect(store.statistics('x')!.count).toBe(10)
  })

  it('of a bucket do not outlive what is done again', () => {
    const history = new SeriesHistory(4)
    for (let i = 0; i < 16; i++) history.add(i, i)
    history.cutFrom(14)
    history.add(-1, 14)
    expect(history.buckets().at(-1)).toMatchObject({ iteration: 12, last: -1, lastIteration: 14 })
  })
})
