import { describe, expect, it } from 'vitest'
import { MetricsStore } from '../../metrics/store.ts'
import { prepareAlertsPanel } from './alerts-panel.ts'
import { type ChartDefinition, UNITS_PER_INCH } from './chart-definition.ts'
import { figure } from './figure.ts'
import { KL_SERIES, klDivergence } from './kl-divergence.ts'
import { legendOf } from './legend.ts'
import { LOSS_SERIES, lossCurves } from './loss-curves.ts'
import { marksFromJson, rowsFromJson } from './panel-json.ts'
import { misplacedTexts, textBoxes } from './picture.fixture.ts'
import { NO_MARKS, type PlotMarks, plotMarks } from './plot-marks.ts'
import { PPO_SERIES, ppoMechanics } from './ppo-mechanics.ts'
import { QUALITY_SERIES, qualityMetrics } from './quality-metrics.ts'
import { REWARD_SERIES, rewards } from './rewards.ts'
import {
  addIteration,
  EXAMPLE_MARKS,
  EXAMPLE_THRESHOLD,
  exampleAlert,
  exampleStore,
  seededNoise,
} from './runs.fixture.ts'
import { figureData } from './series-data.ts'
import { prepareSeriesPanel } from './series-panel.ts'

function allFigures(store: MetricsStore, marks: PlotMarks, watched = true): ChartDefinition[] {
  return [
    lossCurves(figureData(store, LOSS_SERIES), marks),
    rewards(figureData(store, REWARD_SERIES), marks),
    klDivergence(figureData(store, KL_SERIES), marks),
    qualityMetrics(figureData(store, QUALITY_SERIES), marks, { watched }),
    ppoMechanics(figureData(store, PPO_SERIES), marks),
  ]
}

interface DrawnSeries {
  readonly type: string
  readonly name?: string
  readonly data: readonly (readonly [number, number | null])[]
  readonly xAxisIndex: number
  readonly symbol?: string
  readonly z: number
  readonly lineStyle?: {
    readonly width: number
    readonly opacity?: number
    readonly type?: unknown
    readonly color: string
  }
  readonly markLine?: { readonly data: readonly { xAxis?: number; yAxis?: number; lineStyle: { color: string } }[] }
}
const seriesOf = (chart: ChartDefinition) => chart.option.series as unknown as readonly DrawnSeries[]
const wordsOf = (chart: ChartDefinition) => textBoxes(chart).map(({ text }) => text)
const yAxes = (chart: ChartDefinition) => chart.option.yAxis as unknown as readonly { min: number; max: number }[]
const points = (chart: ChartDefinition, panel = 0) =>
  seriesOf(chart).filter((s) => s.xAxisIndex === panel && s.z === 3)[0]!.data

/** Everything that can go wrong with the room there is. */
const RUNS: readonly [string, () => MetricsStore, PlotMarks][] = [
  [
    'healthy',
    () => exampleStore(200),
    { ...NO_MARKS, thresholds: [EXAMPLE_THRESHOLD], checkpoints: [0, 50, 100, 150] },
  ],
  ['stopped with alerts', () => exampleStore(75, 45), EXAMPLE_MARKS],
  ['empty', () => new MetricsStore(), NO_MARKS],
  ['of one point', () => exampleStore(1), { ...NO_MARKS, thresholds: [EXAMPLE_THRESHOLD] }],
  ['of two points', () => exampleStore(2), NO_MARKS],
  ['damaged and resumed', damagedStore, { ...NO_MARKS, checkpoints: [40] }],
  ['of extreme values', extremeStore, NO_MARKS],
  ['full of alerts', () => exampleStore(500, 400), busyMarks()],
]

function damagedStore(): MetricsStore {
  const store = exampleStore(60)
  store.beginAttempt(1, 40)
  const noise = seededNoise(3)
  for (let i = 40; i < 120; i++) addIteration(store, i, noise)
  for (const name of ['policy_loss', 'reward', 'kl_div', 'entropy']) {
    store.add(name, Number.NaN, 120)
    store.add(name, Number.POSITIVE_INFINITY, 121)
  }
  store.add('policy_loss', 1e6, 122)
  store.add('value_loss', -3e5, 122)
  return store
}

function extremeStore(): MetricsStore {
  const store = new MetricsStore()
  for (let i = 0; i < 50; i++) {
    store.add('reward', 1e300 * (i % 2 ? i : -i), i)
    store.add('kl_div', 1e-9 * i, i)
    store.add('policy_loss', Number.NaN, i)
    store.add('value_loss', 123456789 + i, i)
    store.add('loss', 0, i)
    store.add('approx_kl', 5e-324, i)
    store.add('entropy', i === 30 ? Number.MAX_VALUE : -Number.MAX_VALUE, i)
    store.add('clip_fraction', i % 25 === 24 ? 0.3 : 0, i)
  }
  return store
}

function busyMarks(): PlotMarks {
  const kinds = [
    'reward-hacking',
    'kl-explosion',
    'a kind whose name is much too long for any label',
    '{a|b}"]]>&',
    'stall',
  ]
  return {
    alerts: Array.from({ length: 60 }, (_, i) => ({
      iteration: (i * 37) % 480,
      severity: (['info', 'warning', 'critical'] as const)[i % 3]!,
      kind: kinds[(i * 7) % 5]!,
      reason: 'because',
    })),
    stop: { iteration: 480, reason: `${'long '.repeat(500)}reason` },
    checkpoints: Array.from({ length: 50 }, (_, i) => i * 10),
    thresholds: [EXAMPLE_THRESHOLD],
    rollbackTo: 350,
  }
}

describe.each(RUNS)('the figures of a run %s', (_, store, marks) => {
  const charts = allFigures(store(), marks)

  it('are plain JSON', () => {
    for (const chart of charts) expect(JSON.parse(JSON.stringify(chart))).toEqual(chart)
  })

  it('hold what they draw: laid out again from their JSON they are the same', () => {
    for (const chart of charts) {
      const { name, title, width, height, rows, marks } = JSON.parse(JSON.stringify(chart)) as ChartDefinition
      const again = figure({
        name,
        title,
        widthInches: width / UNITS_PER_INCH,
        heightInches: height / UNITS_PER_INCH,
        rows: rowsFromJson(rows),
        marks: marksFromJson(marks),
      })
      expect(again).toEqual(chart)
    }
  })

  it('explain every series that they name in a legend', () => {
    for (const chart of charts) {
      const named = new Set(seriesOf(chart).flatMap(({ name, data }) => (name && data.length > 0 ? [name] : [])))
      const explained = new Set(
        rowsFromJson(chart.rows).flatMap(({ panels }) =>
          panels.flatMap(({ panel }) => {
            const context = { marks: marksFromJson(chart.marks), yTicks: 5 }
            const prepared =
              panel.kind === 'series' ? prepareSeriesPanel(panel, context) : prepareAlertsPanel(panel, context)
            return legendOf(prepared, context.marks).flatMap(({ part }) => part ?? [])
          }),
        ),
      )
      expect([...named].filter((name) => !explained.has(name))).toEqual([])
    }
  })

  it('have finite axes that go upwards', () => {
    for (const { option } of charts) {
      for (const axis of [
        ...(option.xAxis as { min: number; max: number }[]),
        ...(option.yAxis as { min: number; max: number }[]),
      ]) {
        expect(Number.isFinite(axis.max - axis.min)).toBe(true)
        expect(axis.max).toBeGreaterThan(axis.min)
      }
    }
  })

  it('have no two texts in one place and none beyond the edge', () => {
    for (const chart of charts) expect(misplacedTexts(chart)).toEqual([])
  })
})

describe('a series', () => {
  it('is drawn light, with its moving average dark over it, and the legend says which average', () => {
    const chart = rewards(figureData(exampleStore(200), REWARD_SERIES), NO_MARKS)
    const [raw, smoothed] = seriesOf(chart).filter((s) => s.type === 'line' && s.data.length === 200)
    expect(raw!.lineStyle!.opacity).toBeLessThan(0.5)
    expect(smoothed!.lineStyle!.width).toBeGreaterThan(raw!.lineStyle!.width * 2)
    expect(wordsOf(chart)).toContain('moving average of 11')
    const mean = raw!.data.slice(95, 106).reduce((sum, [, y]) => sum + y!, 0) / 11
    expect(smoothed!.data[100]![1]).toBeCloseTo(mean, 12)
  })

  it('of rewards has its trend as a line with its interval, in the units of the store', () => {
    const store = new MetricsStore()
    const noise = seededNoise(5)
    for (let i = 0; i < 120; i++) store.add('reward', 1 + 0.02 * i + 0.01 * noise(), i)
    const chart = rewards(figureData(store, REWARD_SERIES), NO_MARKS)
    const trend = seriesOf(chart)
      .filter((s) => s.z === 6 && s.type === 'line')
      .at(-1)!
    expect(trend.data[0]![1]).toBeCloseTo(1, 1)
    expect(trend.data[1]![1]).toBeCloseTo(3.38, 1)
    const { slope } = store.computeTrend('reward')!
    expect((trend.data[1]![1]! - trend.data[0]![1]!) / 119).toBeCloseTo(slope, 12)
    expect(wordsOf(chart).some((text) => text.startsWith('trend up: +0.02 per iteration (95 %:'))).toBe(true)
  })

  it('says where a constant reward has no sure trend', () => {
    const store = new MetricsStore()
    const noise = seededNoise(9)
    for (let i = 0; i < 80; i++) store.add('reward', noise(), i)
    expect(wordsOf(rewards(figureData(store, REWARD_SERIES), NO_MARKS)).join()).toContain('no sure trend')
  })

  it('keeps a single spike of a million iterations in sight', () => {
    const store = new MetricsStore()
    const noise = seededNoise(1)
    for (let i = 0; i < 1_000_000; i++) store.add('kl_div', 0.05 + 0.01 * noise() + (i === 777_777 ? 0.2 : 0), i)
    const chart = klDivergence(figureData(store, KL_SERIES), NO_MARKS)
    const drawn = points(chart)
    expect(drawn.length).toBeLessThan(2100)
    expect(drawn[0]![0]).toBeLessThan(1024)
    expect(drawn.at(-1)![0]).toBeGreaterThan(999_000)
    const spikes = drawn.filter(([, y]) => y! > 0.2)
    expect(spikes).toHaveLength(1)
    expect(Math.abs(spikes[0]![0] - 777_777)).toBeLessThan(1024)
    expect(yAxes(chart)[0]!.max).toBeGreaterThan(spikes[0]![1]!)
  })

  it('is not flattened by one huge value, which is told with an arrow and in words', () => {
    const store = new MetricsStore()
    for (let i = 0; i < 100; i++) store.add('policy_loss', i === 60 ? 1e6 : 0.1 + 0.01 * (i % 5), i)
    const chart = lossCurves(figureData(store, LOSS_SERIES), NO_MARKS)
    expect(yAxes(chart)[0]!.max).toBeLessThan(0.3)
    expect(wordsOf(chart)).toContain('beyond the axis: largest 1e6 at 60')
    const arrow = seriesOf(chart).find((s) => s.symbol === 'triangle')!
    expect(arrow.data).toEqual([[60, yAxes(chart)[0]!.max]])
    expect(points(chart)[60]![1]).toBeGreaterThan(yAxes(chart)[0]!.max)
  })

  it('that grows to the end is not clipped', () => {
    const store = exampleStore(75, 45)
    const chart = klDivergence(figureData(store, KL_SERIES), NO_MARKS)
    expect(yAxes(chart)[0]!.max).toBeGreaterThan(store.statistics('kl_div')!.max)
  })

  it('shows each NaN as a cross at the bottom and breaks the line there', () => {
    const store = new MetricsStore()
    for (let i = 0; i < 30; i++) store.add('policy_loss', i === 10 || i === 11 ? Number.NaN : 0.1 * i, i)
    store.add('policy_loss', Number.NEGATIVE_INFINITY, 30)
    const chart = lossCurves(figureData(store, LOSS_SERIES), NO_MARKS)
    const crosses = seriesOf(chart).find((s) => s.symbol?.startsWith('path:'))!
    expect(crosses.data.map(([x]) => x)).toEqual([10, 11, 30])
    expect(new Set(crosses.data.map(([, y]) => y))).toEqual(new Set([yAxes(chart)[0]!.min]))
    expect(points(chart)[10]).toEqual([10, null])
    expect(wordsOf(chart)).toContain('NaN or infinite: 3')
  })

  it('shows a value between two NaN as a dot', () => {
    const store = new MetricsStore()
    for (let i = 0; i < 5; i++) store.add('policy_loss', i === 2 ? 1 : Number.NaN, i)
    const chart = lossCurves(figureData(store, LOSS_SERIES), NO_MARKS)
    expect(seriesOf(chart).find((s) => s.type === 'scatter' && s.z === 6)!.data).toEqual([[2, 1]])
  })

  it('says so where no value was finite', () => {
    const store = new MetricsStore()
    store.add('policy_loss', Number.NaN, 0)
    expect(wordsOf(lossCurves(figureData(store, LOSS_SERIES), NO_MARKS))).toContain('no finite value of loss/policy')
  })

  it('keeps what a resume superseded, faint', () => {
    const store = exampleStore(60)
    const before = store.history('policy_loss')!.buckets()[45]!.last
    store.beginAttempt(1, 40)
    store.add('policy_loss', 0.5, 40)
    const chart = lossCurves(figureData(store, LOSS_SERIES), NO_MARKS)
    const faint = seriesOf(chart).find((s) => s.xAxisIndex === 0 && s.z === 2)!
    expect(faint.data).toHaveLength(20)
    expect(faint.data[5]).toEqual([45, before])
    expect(wordsOf(chart)).toContain('superseded by a resume (attempt 0)')
  })

  it('of one point is a dot in the middle of a sensible axis', () => {
    const store = new MetricsStore()
    store.add('policy_loss', 3, 7)
    const chart = lossCurves(figureData(store, LOSS_SERIES), NO_MARKS)
    const dot = seriesOf(chart).find((s) => s.type === 'scatter' && s.z === 6)!
    expect(dot.data).toEqual([[7, 3]])
    const [x] = chart.option.xAxis as unknown as { min: number; max: number }[]
    expect([x!.min, x!.max]).toEqual([6, 8])
    const [y] = yAxes(chart)
    expect(y!.min).toBeLessThan(3)
    expect(y!.max).toBeGreaterThan(3)
  })

  it('that was not logged leaves a panel that says so', () => {
    const store = new MetricsStore()
    store.add('policy_loss', 3, 7)
    const words = wordsOf(lossCurves(figureData(store, LOSS_SERIES), NO_MARKS))
    expect(words).toContain('no data: loss/value was not logged')
    expect(words).not.toContain('no data: loss/policy was not logged')
  })

  it('has its unit at the axis, and a power of ten where numbers would be long', () => {
    const store = new MetricsStore()
    for (let i = 0; i < 20; i++) store.add('kl_div', 2e-7 * i, i)
    const words = wordsOf(klDivergence(figureData(store, KL_SERIES), NO_MARKS))
    expect(words).toContain('KL (nats/token) ×10⁻⁶')
  })
})

describe('what few runs log', () => {
  it('the gold reward is muted beside the reward, which keeps its own axis', () => {
    const store = exampleStore(60)
    for (let i = 0; i < 60; i++) store.add('gold/total', 0.5 - 0.02 * i, i)
    const chart = rewards(figureData(store, REWARD_SERIES), NO_MARKS)
    expect(wordsOf(chart)).toContain('gold (never seen by detectors)')
    const gold = seriesOf(chart).find((s) => s.z === 4 && s.type === 'line' && s.data.length === 60)!
    expect(gold.data[30]![1]).toBeCloseTo(0.5 - 0.02 * 30, 12)
    expect(yAxes(chart)[0]!.min).toBeLessThan(0.5 - 0.02 * 59)
    expect(wordsOf(rewards(figureData(exampleStore(60), REWARD_SERIES), NO_MARKS)).join()).not.toContain('gold')
  })

  it('a gold reward of another scale does not flatten the reward', () => {
    const store = exampleStore(60)
    for (let i = 0; i < 60; i++) store.add('gold/total', 1e6 * i, i)
    const chart = rewards(figureData(store, REWARD_SERIES), NO_MARKS)
    expect(yAxes(chart)[0]!.max).toBeLessThan(3)
    expect(wordsOf(chart)).toContain('gold (never seen by detectors), partly beyond the axis')
  })

  it('a gold reward without any reward leaves the words that no reward was logged', () => {
    const store = new MetricsStore()
    store.add('gold/total', 1, 5)
    expect(wordsOf(rewards(figureData(store, REWARD_SERIES), NO_MARKS))).toContain(
      'no data: reward/score was not logged',
    )
  })

  it('the share of clear answers has a panel where it was logged, and only there', () => {
    const store = exampleStore(60)
    const panels = () =>
      (qualityMetrics(figureData(store, QUALITY_SERIES), NO_MARKS, { watched: true }).option.grid as unknown[]).length
    expect(panels()).toBe(5)
    for (let i = 0; i < 60; i += 10) store.add('quality/clear_share', 0.9, i)
    expect(panels()).toBe(6)
  })

  it('alerts need no reason', () => {
    const marks = { ...NO_MARKS, alerts: [{ iteration: 5, severity: 'warning' as const, kind: 'kl-explosion' }] }
    const words = wordsOf(qualityMetrics(figureData(exampleStore(20), QUALITY_SERIES), marks, { watched: true }))
    expect(words).toContain('first, at 5: kl-explosion')
  })
})

describe('marks', () => {
  const chart = klDivergence(figureData(exampleStore(75, 45), KL_SERIES), EXAMPLE_MARKS)
  const lines = seriesOf(chart).find((s) => s.markLine)!.markLine!.data

  it('of alerts, stop and roll-back are vertical lines with labels', () => {
    expect(lines.flatMap(({ xAxis }) => (xAxis === undefined ? [] : [xAxis])).sort((a, b) => a - b)).toEqual([
      40, 58, 64, 70, 74, 74,
    ])
    for (const label of ['stopped at 74', 'roll back to 40', 'reward-hacking', 'coherence-loss', 'kl-explosion']) {
      expect(wordsOf(chart)).toContain(label)
    }
  })

  it('of thresholds are dashed lines with a label, in sight even above the data', () => {
    expect(lines.filter(({ yAxis }) => yAxis !== undefined).map(({ yAxis }) => yAxis)).toEqual([0.3])
    expect(wordsOf(chart)).toContain('threshold 0.3')
    const healthy = klDivergence(figureData(exampleStore(100), KL_SERIES), {
      ...NO_MARKS,
      thresholds: [EXAMPLE_THRESHOLD],
    })
    expect(yAxes(healthy)[0]!.max).toBeGreaterThan(0.3)
  })

  it('of a threshold far off do not flatten the data', () => {
    const far = { ...EXAMPLE_THRESHOLD, value: 500, label: 'threshold 500' }
    const flat = klDivergence(figureData(exampleStore(100), KL_SERIES), { ...NO_MARKS, thresholds: [far] })
    expect(yAxes(flat)[0]!.max).toBeLessThan(1)
    expect(wordsOf(flat)).toContain('threshold 500 (above)')
  })

  it('of a threshold per token are not drawn on a KL per sequence', () => {
    const store = new MetricsStore({ trainer: 'trl-ppo' })
    for (let i = 0; i < 20; i++) store.add('objective/kl', 5 + i, i)
    const words = wordsOf(klDivergence(figureData(store, KL_SERIES), { ...NO_MARKS, thresholds: [EXAMPLE_THRESHOLD] }))
    expect(words).toContain('KL (nats/sequence)')
    expect(words).not.toContain('threshold 0.3')
  })

  it('come first with the stop and the roll-back where room is short', () => {
    for (const one of allFigures(exampleStore(500, 400), busyMarks())) {
      const panels = (one.option.grid as unknown[]).length
      for (const label of ['stopped at 480', 'roll back to 350']) {
        expect(wordsOf(one).filter((text) => text === label)).toHaveLength(panels)
      }
    }
  })

  it('are taken from analyzer and summary', () => {
    const analyzer = { thresholds: { kl: 0.2, windowSize: 50 }, alertHistory: [exampleAlert(9, 'critical')] }
    const summary = {
      stop: { reason: 'x', severity: 'critical' as const, iteration: 9, rollbackTo: 5 },
      checkpoints: [5],
    }
    expect(plotMarks({ analyzer, summary })).toEqual({
      alerts: [{ iteration: 9, severity: 'critical', kind: 'kl-explosion', reason: exampleAlert(9).reason }],
      stop: { iteration: 9, reason: 'x' },
      checkpoints: [5],
      thresholds: [{ name: 'kl_ref/token', value: 0.2, label: 'threshold 0.2' }],
      rollbackTo: 5,
    })
    expect(plotMarks({})).toEqual({ alerts: [], stop: null, checkpoints: [], thresholds: [], rollbackTo: null })
  })

  it('say whether anything looked for alerts', () => {
    const data = figureData(exampleStore(30), QUALITY_SERIES)
    expect(wordsOf(qualityMetrics(data, NO_MARKS, { watched: true }))).toContain('no alerts')
    expect(wordsOf(qualityMetrics(data, NO_MARKS, { watched: false }))).toContain('no data: nothing looked for alerts')
  })
})

describe('the advantages', () => {
  it('have the band of their quantiles, else of their extremes, else none', () => {
    const band = (names: readonly string[]) => {
      const store = new MetricsStore()
      for (let i = 0; i < 20; i++) for (const [j, name] of names.entries()) store.add(name, j - 1, i)
      return wordsOf(ppoMechanics(figureData(store, PPO_SERIES), NO_MARKS)).filter((t) => / to /.test(t))
    }
    expect(band(['adv/q10', 'adv/mean', 'adv/q90'])).toEqual(['10 % to 90 % of the tokens'])
    expect(band(['adv/min', 'adv/mean', 'adv/max'])).toEqual(['smallest to largest'])
    expect(band(['adv/mean'])).toEqual([])
  })
})
