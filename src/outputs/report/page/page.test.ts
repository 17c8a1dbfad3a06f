import { describe, expect, it } from 'vitest'
import { MetricsStore } from '../../../metrics/store.ts'
import type { SeriesPanel } from '../../plots/panel.ts'
import { NO_MARKS } from '../../plots/plot-marks.ts'
import { figureData } from '../../plots/series-data.ts'
import { nearestPlace, readablePlaces, readOut } from './read-out.ts'
import { Zoom } from './zoom.ts'

function panelOf(values: readonly number[], superseded = 0): SeriesPanel {
  const store = new MetricsStore()
  for (const [i, value] of values.entries()) store.add('kl_ref/token', value, i)
  if (superseded > 0) {
    store.beginAttempt(2, superseded)
    store.add('kl_ref/token', 9, superseded)
  }
  const series = figureData(store, ['kl_ref/token'])['kl_ref/token']!
  return { kind: 'series', title: series.title, measure: 'KL', series, colour: '#000000' }
}
const valuesAt = (panel: SeriesPanel, at: number) => readOut(panel, NO_MARKS, at).lines.map(({ value }) => value)

describe('a read-out', () => {
  it('has the value as it was logged, NaN and Infinity too', () => {
    const panel = panelOf([0.1 + 0.2, Number.NaN, Number.NEGATIVE_INFINITY, Math.fround(0.3086419), 1e-12])
    expect([0, 1, 2, 3, 4].map((at) => valuesAt(panel, at)[0])).toEqual([
      '0.3 nats/token',
      'NaN',
      '-Infinity',
      '0.3086419106 nats/token',
      '1e-12 nats/token',
    ])
    expect(readOut(panel, NO_MARKS, 3).title).toBe('iteration 3')
  })

  it('of a bucket has its mean with the smallest and the largest value', () => {
    const panel = panelOf(Array.from({ length: 4000 }, (_, i) => (i === 1001 ? 50 : i % 2)))
    const [first] = readablePlaces(panel, NO_MARKS)
    expect(readOut(panel, NO_MARKS, first!).title).toBe('iterations 0 to 3')
    expect(valuesAt(panel, nearestPlace(readablePlaces(panel, NO_MARKS), 1001)!)).toEqual([
      '12.75 nats/token (0 to 50, 4 values)',
    ])
  })

  it('has what a resume superseded beside what came after', () => {
    const panel = panelOf([1, 2, 3, 4], 2)
    expect(valuesAt(panel, 2)).toEqual(['9 nats/token', '3 nats/token'])
    expect(valuesAt(panel, 3)).toEqual(['4 nats/token'])
  })

  it('tells the marks of its iterations', () => {
    const marks = {
      ...NO_MARKS,
      alerts: [{ iteration: 1, severity: 'critical' as const, kind: 'kl-explosion' }],
      stop: { iteration: 1, reason: 'x' },
      checkpoints: [1],
    }
    const { lines } = readOut(panelOf([1, 2, 3]), marks, 1)
    expect(lines.map(({ label, value }) => `${label}: ${value}`)).toEqual([
      'KL to the reference per token: 2 nats/token',
      'critical: kl-explosion',
      'stopped: after iteration 1',
      'checkpoint: saved at 1',
    ])
    expect(readOut({ kind: 'alerts', title: 'Alerts', watched: true }, marks, 1).lines).toHaveLength(1)
  })

  it.each([
    [-5, 0],
    [4, 0],
    [6, 10],
    [10, 10],
    [99, 20],
  ])('is taken at the place nearest to %d', (iteration, at) => {
    expect(nearestPlace([0, 10, 20], iteration)).toBe(at)
    expect(nearestPlace([], iteration)).toBeNull()
  })
})

describe('the zoom', () => {
  const make = () => {
    let drawn = 0
    const zoom = new Zoom({ min: 0, max: 100 }, () => drawn++)
    return { zoom, drawn: () => drawn }
  }

  it('goes to a part in either order, and back', () => {
    const { zoom, drawn } = make()
    zoom.to(60, 20)
    expect(zoom.shown).toEqual({ min: 20, max: 60 })
    zoom.reset()
    expect(zoom.shown).toBeNull()
    expect(drawn()).toBe(2)
  })

  it('never leaves the run, and never shows less than two iterations', () => {
    const { zoom } = make()
    zoom.to(99.5, 99.9)
    expect(zoom.shown).toEqual({ min: 98, max: 100 })
    zoom.move(-1)
    expect(zoom.shown).toEqual({ min: 96, max: 98 })
    zoom.by(1000)
    expect(zoom.shown).toBeNull()
  })

  it('keeps the place that it is zoomed about', () => {
    const { zoom } = make()
    zoom.by(0.5, 40)
    expect(zoom.shown).toEqual({ min: 20, max: 70 })
  })
})
