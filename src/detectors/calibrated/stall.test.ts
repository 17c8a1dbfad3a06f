import { describe, expect, it } from 'vitest'
import { testDetector } from '../../testing/test-detector.ts'
import { randomStream } from '../../trainer/random.ts'
import type { Detector, Observation } from '../detector.ts'
import { stall } from './stall.ts'

function closed(seconds: number | undefined, announced?: readonly string[]): Observation {
  const get = (name: string) => (name === 'time/silence' ? seconds : undefined)
  return { iteration: 0, time: 0, get, ...(announced ? { announced } : {}) }
}

/** Whether so many seconds of silence are reported, and against which threshold. */
function at(detector: Detector, silentSeconds: number, closedHere = 100) {
  return detector.tick?.({ time: 0, iteration: 7, silentSeconds, closedHere })
}

/** The threshold, in whole seconds. */
function thresholdOf(detector: Detector): number {
  return at(detector, Number.MAX_VALUE)!.threshold
}

/** The 99.9 % quantile by its definition: the smallest value that at most one in a thousand exceeds. */
function quantile(values: readonly number[]): number {
  return values.toSorted((a, b) => b - a)[Math.floor(values.length / 1000)]!
}

describe('the contract', () => {
  const noise = randomStream(5)
  const healthy = Array.from({ length: 300 }, (_, i) => ({
    'time/silence': (i % 50 === 49 ? 40 : 2) * (1 + 0.3 * noise.uniform()),
  }))
  const failing = healthy.map((values, i) => (i < 200 ? values : { 'time/silence': 500 + i }))

  it.each(testDetector({ create: stall, failing, healthy }).map((check) => [check.name, check] as const))(
    '%s',
    (_, check) => check.run(),
  )
})

describe('a stall', () => {
  it('is silence of more than a minute where iterations are quick, of five times the usual where they are not', () => {
    const quick = stall()
    for (let i = 0; i < 50; i++) quick.update(closed(2))
    expect(at(quick, 60)).toBeUndefined()
    expect(at(quick, 60.1)).toEqual({
      kind: 'stall',
      direction: 'up',
      severity: 'warning',
      series: ['time/silence'],
      observed: 60.1,
      expected: 2,
      statistic: 60.1,
      threshold: 60,
      onset: { estimate: 7, interval: [7, 7] },
    })
    const slow = stall()
    for (let i = 0; i < 50; i++) slow.update(closed(600))
    expect(at(slow, 3000)).toBeUndefined()
    expect(at(slow, 3001)).toMatchObject({ expected: 600, threshold: 3000 })
  })

  it('is never more than a warning, however long', () => {
    const detector = stall()
    for (let i = 0; i < 50; i++) detector.update(closed(1))
    expect(at(detector, 1e9)).toMatchObject({ severity: 'warning' })
  })

  it('is none before three iterations have closed in this process', () => {
    const detector = stall()
    for (let i = 0; i < 50; i++) detector.update(closed(1))
    for (const closedHere of [0, 1, 2]) expect(at(detector, 1e6, closedHere)).toBeUndefined()
    expect(at(detector, 1e6, 3)).toBeDefined()
  })

  it('is none in a pause that is usual, as an evaluation every 300 iterations is', () => {
    const detector = stall()
    const alarms: number[] = []
    for (let i = 0; i < 3000; i++) {
      const seconds = i % 300 === 299 ? 400 : 2
      if (at(detector, seconds, i)) alarms.push(i)
      detector.update(closed(seconds))
    }
    expect(alarms).toEqual([299])
  })

  it('is judged without the time that passed until the run was resumed', () => {
    const detector = stall()
    for (let i = 0; i < 50; i++) detector.update(closed(2))
    detector.update(closed(86_400, ['resume']))
    expect(thresholdOf(detector)).toBe(60)
  })

  it('is judged without values that are none', () => {
    const detector = stall()
    for (const value of [undefined, Number.NaN, Number.POSITIVE_INFINITY]) detector.update(closed(value))
    expect(at(detector, 61)).toMatchObject({ expected: 0 })
    expect(at(detector, Number.NaN)).toBeUndefined()
  })
})

describe('what is usual', () => {
  it('is the exact quantile of all iterations, and later of the newest 20,000 to 40,000', () => {
    const random = randomStream(11)
    const detector = stall()
    const seen: number[] = []
    for (let i = 1; i <= 65_000; i++) {
      // Heavy tails, with long spells of greater and of less silence.
      const seconds = Math.round(((1 + Math.floor(i / 9000)) % 4) * 1000 * random.uniform() ** -0.4) / 10
      seen.push(seconds)
      detector.update(closed(seconds))
      if (i % 997 !== 0 && i % 20_000 > 2) continue
      const kept = seen.slice(Math.max(0, 20_000 * (Math.floor((i - 1) / 20_000) - 1)))
      expect(thresholdOf(detector), `after ${i}`).toBe(Math.max(60, 5 * quantile(kept)))
    }
    expect(JSON.stringify(detector.snapshot()).length).toBeLessThan(1500)
  })
})
