import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { randomStream } from '../../trainer/random.ts'
import { BLOCK, type Drift, type DriftOptions, driftWatch } from './drift.ts'

const BEST: DriftOptions = { reference: 'best', margin: 0.5, minSd: 0.01 }
const SETTLING: DriftOptions = { reference: 'settling', margin: 0.1, minSd: 0.01 }

/** Standard normals around a level. */
function noise(seed: number, length: number, level: (t: number) => number = () => 0): number[] {
  const random = randomStream(seed, 'drift test')
  return Array.from({ length }, (_, t) => level(t) + random.normal())
}

function drifts(options: DriftOptions, values: readonly (number | undefined)[], first = 0): (Drift | null)[] {
  const watch = driftWatch(options)
  return values.map((value, t) => watch.update(value, first + t))
}

/** The first iteration whose statistic reaches a threshold. */
function crossing(options: DriftOptions, values: readonly (number | undefined)[], threshold: number): number {
  return drifts(options, values).findIndex((drift) => drift !== null && drift.statistic >= threshold)
}

describe('driftWatch', () => {
  it('says nothing before eight blocks, and then something at the end of each block', () => {
    const said = drifts(BEST, noise(1, 100)).flatMap((drift, t) => (drift ? [t] : []))
    expect(said[0]).toBe(8 * BLOCK - 1)
    expect(said.every((t, i) => t === said[0]! + i * BLOCK)).toBe(true)
  })

  it('sees a step at exactly this iteration', () => {
    const values = noise(2, 400, (t) => (t < 200 ? 0 : 3))
    expect(crossing(BEST, values, 6)).toBe(EXPECTED.step)
  })

  it('sees a ramp at exactly this iteration, and when it began', () => {
    const values = noise(3, 500, (t) => 0.03 * Math.max(0, t - 200))
    const watch = driftWatch(BEST)
    let at = -1
    let onset = Number.NaN
    for (let t = 0; t < values.length && at < 0; t++) {
      const drift = watch.update(values[t], t)
      if (!drift || drift.statistic < 6) continue
      at = t
      onset = watch.onset(drift).estimate
    }
    expect(at).toBe(EXPECTED.ramp)
    expect(Math.abs(onset - 200)).toBeLessThanOrEqual(40)
  })

  it('lets a settling curve settle, and sees one that begins to grow again', () => {
    const settling = noise(4, 600, (t) => 20 * (1 - Math.exp(-t / 100)))
    expect(crossing({ ...SETTLING, margin: 1 }, settling, 6)).toBe(-1)
    const growing = settling.map((value, t) => value + 0.2 * Math.max(0, t - 400))
    expect(crossing({ ...SETTLING, margin: 1 }, growing, 6)).toBe(EXPECTED.growing)
  })

  it('excuses a settling signal by as much as its excuse has risen', () => {
    const watch = driftWatch({ ...SETTLING, margin: 0.5 })
    const excused = driftWatch({ ...SETTLING, margin: 0.5 })
    let seen = 0
    let seenExcused = 0
    noise(5, 500, (t) => 0.05 * Math.max(0, t - 200)).forEach((value, t) => {
      if ((watch.update(value, t)?.statistic ?? 0) > 6) seen++
      if ((excused.update(value, t, 0.06 * Math.max(0, t - 200))?.statistic ?? 0) > 6) seenExcused++
    })
    expect(seen).toBeGreaterThan(10)
    expect(seenExcused).toBe(0)
  })

  it('is never moved by one wild value or one wild block', () => {
    for (const wild of [1e3, 1e12]) {
      const values = noise(6, 400)
      values[200] = wild
      expect(crossing(BEST, values, 6)).toBe(-1)
    }
    const block = noise(6, 400, (t) => (t >= 200 && t < 205 ? 1e6 : 0))
    expect(crossing(BEST, block, 8)).toBe(-1)
  })

  it('takes a limit for wrong wherever the signal was before', () => {
    const values = noise(13, 200, () => 10)
    const statistic = (limit: number | undefined) => {
      const watch = driftWatch(BEST)
      return Math.max(...values.map((value, t) => watch.update(value, t, 0, limit)?.statistic ?? -1))
    }
    expect(statistic(undefined)).toBeLessThan(5)
    expect(statistic(20)).toBe(statistic(undefined))
    expect(statistic(5)).toBeGreaterThan(8)
  })

  it('lets what may go on go on, so far', () => {
    const option = { ...BEST, mayGoOn: 2 }
    const settling = noise(14, 800, (t) => 2.5 * (1 - Math.exp(-t / 250)))
    expect(crossing(BEST, settling, 5)).toBeGreaterThan(0)
    expect(crossing(option, settling, 5)).toBe(-1)
    const failing = noise(14, 800, (t) => 2.5 * (1 - Math.exp(-t / 250)) + 0.03 * Math.max(0, t - 400))
    expect(crossing(option, failing, 5)).toBeGreaterThan(400)
    // From the start, too: nothing says that it was ever better, but there is an end to what may go on.
    const rotten = noise(14, 800, (t) => 0.03 * t)
    expect(crossing(option, rotten, 5)).toBeGreaterThan(0)
  })

  it('leaves out what was not logged', () => {
    const values = noise(7, 400).map((value, t) => (t % 3 === 0 ? undefined : value))
    expect(drifts(BEST, values).filter((drift) => drift !== null).length).toBeGreaterThan(60)
    expect(crossing(BEST, values, 6)).toBe(-1)
    expect(crossing(BEST, new Array(200).fill(undefined), -1e9)).toBe(-1)
  })

  it('says 0 drift of a constant, whose noise is the smallest that is believed', () => {
    for (const drift of drifts(BEST, new Array(200).fill(5))) {
      if (drift) expect(drift.statistic).toBeLessThan(0)
    }
  })

  it('bears repeated, falling and huge steps', () => {
    const steps = [(t: number) => t % 50, (t: number) => 1000 - t, (t: number) => 1000 * t, () => 3]
    const values = noise(8, 300)
    for (const step of steps) {
      const watch = driftWatch(SETTLING)
      values.forEach((value, t) => {
        const drift = watch.update(value, step(t))
        if (!drift) return
        expect(Number.isFinite(drift.statistic)).toBe(true)
        const { estimate, interval } = watch.onset(drift)
        expect(interval[0]).toBeLessThanOrEqual(estimate)
        expect(interval[1]).toBeGreaterThanOrEqual(estimate)
      })
    }
  })

  it('forgets at a re-anchoring', () => {
    const watch = driftWatch(BEST)
    noise(9, 200).forEach((value, t) => {
      watch.update(value, t)
    })
    watch.reanchor()
    const anew = driftWatch(BEST)
    for (let t = 0; t < 200; t++) {
      const value = 100 + Math.sin(t * t)
      expect(watch.update(value, 200 + t)).toEqual(anew.update(value, 200 + t))
    }
  })

  it('goes on bit for bit after a snapshot at any point', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 700 }), fc.boolean(), (cut, best) => {
        const options = best ? BEST : { ...SETTLING, fromZero: true }
        const values = noise(10, 700, (t) => 0.01 * Math.max(0, t - 300))
        const whole = driftWatch(options)
        const first = driftWatch(options)
        for (let t = 0; t < cut; t++) {
          whole.update(values[t], t, 0.001 * t)
          first.update(values[t], t, 0.001 * t)
        }
        const second = driftWatch(options)
        second.restore(JSON.parse(JSON.stringify(first.snapshot())))
        for (let t = cut; t < values.length; t++)
          expect(second.update(values[t], t, 0.001 * t)).toEqual(whole.update(values[t], t, 0.001 * t))
        expect(second.snapshot()).toEqual(whole.snapshot())
      }),
      { numRuns: 25 },
    )
  })

  it('does not mind an offset, nor a unit that its margin and smallest scale share', () => {
    const values = noise(11, 400, (t) => 0.02 * Math.max(0, t - 200)).map((value) => Math.round(value * 1024) / 1024)
    const plain = drifts({ reference: 'best', margin: 0.5, minSd: 0.0625 }, values)
    const scaled = drifts(
      { reference: 'best', margin: 4, minSd: 0.5 },
      values.map((value) => 8 * value + 1024),
    )
    plain.forEach((drift, t) => {
      if (drift) expect(scaled[t]!.statistic).toBeCloseTo(drift.statistic, 6)
    })
  })

  it('has a state that does not grow', () => {
    const watch = driftWatch(SETTLING)
    const values = noise(12, 6000)
    values.slice(0, 3000).forEach((value, t) => {
      watch.update(value, t)
    })
    const before = JSON.stringify(watch.snapshot()).length
    values.slice(3000).forEach((value, t) => {
      watch.update(value, 3000 + t)
    })
    expect(JSON.stringify(watch.snapshot()).length).toBeLessThan(1.1 * before)
  })
})

/** Measured; a change of the engine shows here first. */
const EXPECTED = { step: 279, ramp: 299, growing: 434 }
