import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { randomStream } from '../../trainer/random.ts'
import { levelHistory } from './level-history.ts'
import { type QualityChannel, qualityWatch, SCORE_CHANNELS, TEXT_CHANNELS } from './quality-watch.ts'
import { rewardCredit } from './reward-credit.ts'

const CHANNELS: readonly QualityChannel[] = [...SCORE_CHANNELS, ...TEXT_CHANNELS]

type Row = Readonly<Record<string, number | undefined>>

function observe(row: Row, iteration: number) {
  return { iteration, time: iteration, get: (name: string) => row[name] }
}

/** Largest statistic of a watch over rows. */
function largest(rows: readonly Row[], watch = qualityWatch(CHANNELS), from = 0): number {
  return rows.reduce(
    (most, row, i) => Math.max(most, watch.update(observe(row, from + i))?.statistic ?? Number.NEGATIVE_INFINITY),
    Number.NEGATIVE_INFINITY,
  )
}

function normals(seed: number): () => number {
  const random = randomStream(seed, 'quality watch')
  return () => random.normal()
}

describe('qualityWatch', () => {
  it('adds up small signs: four channels show what each alone does not', () => {
    const noise = normals(1)
    const rows = Array.from({ length: 400 }, (_, t) => {
      const fall = 0.012 * Math.max(0, t - 200)
      return {
        'quality/heldout_reward': noise() - fall,
        'quality/judge': noise() - fall,
        'quality/ref_perplexity': Math.exp(0.1 * (noise() + fall)),
        'quality/distinct_2': 0.6 - 0.1 * (noise() + fall),
      }
    })
    const together = largest(rows)
    for (const name of Object.keys(rows[0]!)) {
      const alone = rows.map((row) => ({ [name]: row[name as keyof typeof row] }))
      expect(together).toBeGreaterThan(largest(alone))
    }
    expect(together).toBeGreaterThan(8)
  })

  it('takes no channel that comes late, stays away or returns for a change of quality', () => {
    const noise = normals(2)
    const rows = Array.from({ length: 800 }, (_, t) => ({
      // Improves by five units before the judge comes.
      'quality/heldout_reward': noise() + 5 * Math.min(1, t / 300),
      'quality/judge': t < 400 || (t > 500 && t < 650) ? undefined : noise(),
    }))
    expect(largest(rows)).toBeLessThan(5)
  })

  it('leaves a channel that is measured seldom out beside dense ones, and watches it alone', () => {
    const noise = normals(3)
    const falling = (t: number) => noise() - 0.03 * Math.max(0, t - 700)
    const rows = Array.from({ length: 1200 }, (_, t) => ({
      'quality/ref_perplexity': Math.exp(0.1 * noise()),
      'quality/judge': t % 20 === 0 ? falling(t) : undefined,
    }))
    expect(largest(rows)).toBeLessThan(5)
    expect(largest(rows, qualityWatch(SCORE_CHANNELS))).toBeGreaterThan(8)
  })

  it('names the worst channel in its own unit', () => {
    const noise = normals(4)
    const watch = qualityWatch(CHANNELS)
    for (let t = 0; t < 300; t++) {
      const fall = t < 150 ? 0 : 1
      watch.update(
        observe({ 'quality/judge': 0.5 + 0.01 * noise(), 'quality/distinct_2': 0.7 - 0.4 * fall + 0.001 * noise() }, t),
      )
    }
    const worst = watch.worst()!
    expect(worst.name).toBe('quality/distinct_2')
    expect(worst.observed).toBeCloseTo(0.3, 1)
    expect(worst.expected).toBeCloseTo(0.7, 1)
  })

  it('sees a channel fall that stood still in its warm-up, and is silent on constants', () => {
    const still = Array.from({ length: 450 }, (_, t) => ({ 'quality/judge': t < 300 ? 2 : 1 }))
    expect(largest(still)).toBeGreaterThan(8)
    expect(largest(Array.from({ length: 300 }, () => ({ 'quality/judge': 2 })))).toBeLessThan(0)
  })

  it('goes on bit for bit after a snapshot at any point, with channels that come and go', () => {
    const noise = normals(5)
    const rows = Array.from({ length: 400 }, (_, t) => ({
      'quality/judge': t % 7 === 0 ? noise() : undefined,
      'quality/repetition': t > 120 && t < 300 ? 0.1 + 0.01 * noise() : undefined,
      'quality/ref_perplexity': Math.exp(0.1 * noise()),
    }))
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 400 }), (cut) => {
        const whole = qualityWatch(CHANNELS)
        const first = qualityWatch(CHANNELS)
        rows.slice(0, cut).forEach((row, t) => {
          whole.update(observe(row, t))
          first.update(observe(row, t))
        })
        const second = qualityWatch(CHANNELS)
        second.restore(JSON.parse(JSON.stringify(first.snapshot())))
        rows.slice(cut).forEach((row, i) => {
          expect(second.update(observe(row, cut + i))).toEqual(whole.update(observe(row, cut + i)))
        })
        expect(second.snapshot()).toEqual(whole.snapshot())
      }),
      { numRuns: 25 },
    )
  })
})

describe('the reward beside it', () => {
  it('rises in units of its own noise, whatever its unit and offset', () => {
    for (const [scale, offset] of [
      [1, 0],
      [1000, -5e4],
      [1e-3, 2],
    ] as const) {
      const noise = normals(6)
      const credit = rewardCredit()
      const level = levelHistory()
      for (let t = 0; t < 400; t++) {
        const value = offset + scale * (noise() + (t < 200 ? 0 : 3))
        credit.update(value)
        level.update(value, t)
      }
      expect(credit.rise()).toBeGreaterThan(2)
      expect(credit.rise()).toBeLessThan(4)
      const { change, deviations } = level.changeSince(200)!
      expect(deviations).toBeGreaterThan(2)
      expect(deviations).toBeLessThan(4)
      expect(Math.abs(change / scale - 3)).toBeLessThan(0.7)
    }
  })

  it('knows nothing of what it has not seen', () => {
    expect(rewardCredit().rise()).toBe(0)
    expect(levelHistory().changeSince(10)).toBeNull()
    const level = levelHistory()
    for (let t = 0; t < 100; t++) level.update(Number.NaN, t)
    expect(level.changeSince(50)).toBeNull()
  })
})
