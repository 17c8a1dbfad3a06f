import { describe, expect, it } from 'vitest'
import type { HistoryBucket } from '../../metrics/history.ts'
import { pointBucket } from './panel-json.ts'
import { misplacedTexts, readPng, textBoxes } from './picture.fixture.ts'
import { PNG_DPI, renderPng, renderSvg } from './render.ts'
import { runComparison } from './run-comparison.ts'
import { MAX_RUNS, RUN_STYLES, runLabels } from './run-style.ts'
import { seededNoise } from './runs.fixture.ts'
import type { ComparedRun, RunsPanel } from './runs-panel.ts'

interface Drawn {
  readonly type: string
  readonly xAxisIndex: number
  readonly z: number
  readonly data: readonly (readonly [number, number | null])[]
  readonly symbol?: string
  readonly lineStyle?: { readonly color: string; readonly width: number }
  readonly itemStyle?: { readonly color: string }
  readonly markLine?: { readonly data: readonly { xAxis: number; lineStyle: { color: string; type: unknown } }[] }
}
const drawn = (chart: ReturnType<typeof runComparison>, panel = 0) =>
  (chart.option.series as unknown as readonly Drawn[]).filter(({ xAxisIndex }) => xAxisIndex === panel)
const wordsOf = (chart: ReturnType<typeof runComparison>) => textBoxes(chart).map(({ text }) => text)
const yAxis = (chart: ReturnType<typeof runComparison>, panel = 0) =>
  (chart.option.yAxis as unknown as readonly { min: number; max: number }[])[panel]!

const curve = (length: number, value: (i: number) => number): HistoryBucket[] =>
  Array.from({ length }, (_, i) => pointBucket(i, value(i)))
const panel = (curves: RunsPanel['curves'], name = 'reward/score'): RunsPanel => ({
  ...{ title: 'Reward', name, unit: 'reward', curves },
})
const run = (label: string, iterations = 100, alerts: ComparedRun['alerts'] = []): ComparedRun => ({
  ...{ label, iterations, alerts },
})
const HOSTILE = [
  'a-very-long-name-of-a-sweep-with-many-settings-in-it-lr-1e-4-seed-7',
  'a-very-long-name-of-a-sweep-with-many-settings-in-it-lr-1e-4-seed-8',
  '{a|b}"]]>&<script>\u202e\u0007',
  '漢字'.repeat(60),
  '',
  'same',
  'same',
  '\ud800',
]
const NAMES = runLabels(HOSTILE, 32)

describe('the figure of several runs', () => {
  it.each([2, 3, MAX_RUNS].flatMap((count) => [5, 8, 15, 24, 40].map((width) => [count, width] as const)))(
    'has no two texts in one place with %i runs at %i inches',
    (count, width) => {
      const noise = seededNoise(count)
      const runs = Array.from({ length: count }, (_, i) =>
        run(NAMES[i]!, 300, [
          { iteration: 40 * i, severity: 'warning', what: 'Mismatch of trainer and sampler' },
          { iteration: 40 * i + 9, severity: 'critical', what: '{a|b} a kind that is much too long for any label' },
          { iteration: 299, severity: 'info', what: 'Stall' },
        ]),
      )
      const panels = ['reward/score', 'kl_ref/token', 'a/b', 'c/d', 'e/f'].map((name) =>
        panel(
          runs.map((_, i) => (name === 'a/b' && i > 0 ? [] : curve(300 - 30 * i, () => noise() * 10 ** (3 * i)))),
          name,
        ),
      )
      const chart = runComparison(runs, panels, width)
      expect(misplacedTexts(chart)).toEqual([])
      expect(chart.width).toBe(100 * width)
      expect(JSON.parse(JSON.stringify(chart))).toEqual(chart)
    },
  )

  it('tells runs apart by colour and by shape, in the legend and on the curve', () => {
    expect(new Set(RUN_STYLES.map(({ colour }) => colour)).size).toBe(MAX_RUNS)
    expect(new Set(RUN_STYLES.map(({ marker }) => JSON.stringify(marker))).size).toBe(MAX_RUNS)
    const runs = NAMES.map((name) => run(name))
    const chart = runComparison(runs, [panel(runs.map((_, i) => curve(100, (at) => i + at / 50)))], 15)
    const shapes = drawn(chart).filter(({ type, z, data }) => type === 'scatter' && z === 7 && data.length > 1)
    expect(new Set(shapes.map(({ symbol }) => symbol)).size).toBe(MAX_RUNS)
    expect(shapes.map(({ itemStyle }) => itemStyle!.color)).toEqual(RUN_STYLES.map(({ colour }) => colour))
    // No shape covers that of another run.
    const places = shapes.flatMap(({ data }) => data.map(([iteration]) => iteration))
    expect(new Set(places).size).toBe(places.length)
    for (const name of NAMES) expect(wordsOf(chart)).toContain(`${name}, 100 iterations`)
  })

  it('gives runs of one name two, and keeps the ends of long names, where those of a sweep differ', () => {
    expect(runLabels(['same', 'same', '', 'same'], 20)).toEqual(['same', 'same (2)', 'run 3', 'same (3)'])
    const [seven, eight] = runLabels(HOSTILE, 24)
    expect([seven, eight]).toEqual(['a-very-long-…1e-4-seed-7', 'a-very-long-…1e-4-seed-8'])
  })

  it('marks the alerts of each run at their iterations in its colour, critical ones whole, notes below alone', () => {
    const runs = [
      run('calm'),
      run('loud', 100, [
        { iteration: 30, severity: 'warning', what: 'KL explosion' },
        { iteration: 60, severity: 'critical', what: 'KL explosion' },
        { iteration: 80, severity: 'info', what: 'Stall' },
      ]),
    ]
    const chart = runComparison(runs, [panel(runs.map(() => curve(100, (i) => i)))], 15)
    const marks = drawn(chart).flatMap(({ markLine }) => markLine?.data ?? [])
    const { colour } = RUN_STYLES[1]!
    expect(marks.map(({ xAxis, lineStyle }) => [xAxis, lineStyle.color, lineStyle.type])).toEqual([
      [30, colour, [5, 3]],
      [60, colour, 'solid'],
    ])
    expect(wordsOf(chart)).toEqual(
      expect.arrayContaining(['KL explosion at 60', 'Stall at 80', 'note', 'calm', 'loud']),
    )
    const quiet = runComparison([run('calm')], [panel([curve(100, (i) => i)])], 15)
    expect(wordsOf(quiet)).not.toContain('Alerts')
  })

  it('has one axis of iterations, which the longest run fills; a short run at another level is not far out', () => {
    const runs = [run('long', 400), run('short', 12)]
    const chart = runComparison(runs, [panel([curve(400, () => 0.1), curve(12, (i) => 5 + i / 100)])], 15)
    const [axis] = chart.option.xAxis as unknown as readonly { min: number; max: number }[]
    expect([axis!.min < 0, axis!.max > 399, axis!.max < 420]).toEqual([true, true, true])
    expect(yAxis(chart).max).toBeGreaterThan(5)
    // It has its shape all the same, though it ends before the place of the first one.
    const [, short] = drawn(chart).filter(({ type, z }) => type === 'scatter' && z === 7)
    expect(short!.data.map(([iteration]) => iteration)).toEqual([11])
    expect(wordsOf(chart).join()).not.toContain('beyond the axis')
  })

  it('says what is not there: who lacks a series, what is no number, what lies beyond the axis and whose it is', () => {
    const runs = [run('one'), run('two'), run('three')]
    const spiked = curve(100, (i) => (i === 50 ? 1e6 : i === 7 ? Number.NaN : Math.sin(i)))
    const words = wordsOf(runComparison(runs, [panel([curve(100, Math.cos), [], spiked])], 15))
    expect(words).toEqual(
      expect.arrayContaining([
        'not logged by two',
        'NaN or infinite: 1 of three',
        'beyond the axis: largest 1e6 at 50 of three',
      ]),
    )
    const none = [panel([curve(3, () => Number.NaN), curve(3, () => Number.POSITIVE_INFINITY), []])]
    expect(wordsOf(runComparison(runs, none, 15))).toContain('no finite value of reward/score')
  })

  it('shows a single value by the shape of its run, and bears the largest numbers there are', () => {
    const runs = [run('long'), run('point', 1)]
    const chart = runComparison(runs, [panel([curve(100, Math.sin), [pointBucket(40, 0.5)]])], 15)
    const shapes = drawn(chart).filter(
      ({ type, itemStyle }) => type === 'scatter' && itemStyle!.color === RUN_STYLES[1]!.colour,
    )
    expect(shapes.flatMap(({ data }) => data)).toContainEqual([40, 0.5])
    const alone = runComparison([run('a', 1)], [panel([[pointBucket(0, 0)]])], 15)
    expect(misplacedTexts(alone)).toEqual([])
    const huge = runComparison(
      runs,
      [panel([curve(50, (i) => (i % 2 ? 1 : -1) * Number.MAX_VALUE), curve(50, () => 5e-324)])],
      15,
    )
    expect(Number.isFinite(yAxis(huge).max - yAxis(huge).min)).toBe(true)
    expect(renderSvg(huge)).not.toMatch(/NaN|Infinity/)
  })

  it('is drawn in the colours of the runs, in its true size', async () => {
    const runs = [run('<b>', 100), run('two', 100)]
    const svg = renderSvg(runComparison(runs, [panel([curve(100, Math.sin), curve(100, Math.cos)])], 5))
    expect(svg).toContain('<title>2 runs by iteration: &lt;b&gt;, two</title>')
    for (const { colour } of RUN_STYLES.slice(0, 2)) expect(svg).toContain(colour)
    const picture = readPng(await renderPng(svg))
    expect([picture.width, Math.round(picture.dotsPerInch!)]).toEqual([5 * PNG_DPI, PNG_DPI])
  })
})
