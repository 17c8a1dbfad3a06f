import { describe, expect, it } from 'vitest'
import { alarmRate, detection, goldSaved, upperBound } from '../bench/detection/scoring.mjs'

/** A run as the benchmark sees it: where its fault began, and where a method first raised a critical alert. */
const scored = (onset: number | null, at: number | null, kind = 'kl-explosion') => ({
  onset,
  kind: onset === null ? null : 'kl-explosion',
  alarms: { ours: { warning: null, critical: at === null ? null : { iteration: at, kind, onset: at } } },
})

describe('scoring', () => {
  it('has the bound of Clopper and Pearson', () => {
    // scipy.stats.beta.ppf(.95, k + 1, n - k)
    for (const [k, n, bound] of BOUNDS) expect(upperBound(k, n)).toBeCloseTo(bound, 9)
  })

  it('counts the first alarm only: one before the onset is false, one too late is none', () => {
    const runs = [scored(200, 250), scored(200, 200), scored(200, 199), scored(200, 701), scored(200, null)]
    expect(detection([...runs, scored(200, 260, 'entropy-collapse')], 'ours')).toMatchObject({
      runs: 6,
      found: 0.5,
      early: 0.167,
      medianDelay: 51,
      rightKind: 0.667,
      kinds: { 'kl-explosion': 2, 'entropy-collapse': 1 },
    })
  })

  it('gives the rate of healthy runs with its bound', () => {
    const runs = [scored(null, 5), ...Array.from({ length: 9 }, () => scored(null, null))]
    expect(alarmRate(runs, 'ours', 'critical')).toEqual({ runs: 10, alarms: 1, rate: 0.1, upperBound: 0.394 })
  })

  it('says what was saved: all at the best checkpoint, nothing where nothing was raised', () => {
    const gold = (returned: number) => ({
      gold: { ours: { start: 0, best: 10, end: 2, stopped: 6, returned: [returned, returned] } },
    })
    expect(goldSaved([gold(10)], 'ours', 0).mean).toBe(1)
    expect(goldSaved([gold(2)], 'ours', 0).mean).toBe(0)
    expect(goldSaved([gold(10), gold(2)], 'ours', 1).mean).toBe(0.5)
    expect(goldSaved([gold(10)], 'ours', null).mean).toBe(0.5)
  })
})

const BOUNDS: readonly (readonly [number, number, number])[] = [
  [0, 3000, 0.000998079012],
  [3, 1000, 0.007735244718],
  [1, 10, 0.394163302437],
  [50, 1000, 0.062863403512],
  [10, 10, 1.0],
  [200, 3000, 0.074643031121],
]
