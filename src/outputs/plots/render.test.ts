import { describe, expect, it } from 'vitest'
import { MetricsStore } from '../../metrics/store.ts'
import { type ChartDefinition, UNITS_PER_INCH } from './chart-definition.ts'
import { KL_SERIES, klDivergence } from './kl-divergence.ts'
import { LOSS_SERIES, lossCurves } from './loss-curves.ts'
import { readPng, textBoxes } from './picture.fixture.ts'
import { NO_MARKS } from './plot-marks.ts'
import { PPO_SERIES, ppoMechanics } from './ppo-mechanics.ts'
import { QUALITY_SERIES, qualityMetrics } from './quality-metrics.ts'
import { PNG_DPI, renderPng, renderSvg } from './render.ts'
import { REWARD_SERIES, rewards } from './rewards.ts'
import { EXAMPLE_MARKS, exampleStore } from './runs.fixture.ts'
import { figureData } from './series-data.ts'

const store = exampleStore(75, 45)
const FIGURES: readonly [string, ChartDefinition][] = [
  lossCurves(figureData(store, LOSS_SERIES), EXAMPLE_MARKS),
  rewards(figureData(store, REWARD_SERIES), EXAMPLE_MARKS),
  klDivergence(figureData(store, KL_SERIES), EXAMPLE_MARKS),
  qualityMetrics(figureData(store, QUALITY_SERIES), EXAMPLE_MARKS, { watched: true }),
  ppoMechanics(figureData(store, PPO_SERIES), EXAMPLE_MARKS),
].map((chart) => [chart.name, chart])

describe.each(FIGURES)('%s', (name, chart) => {
  it('is the golden SVG', async () => {
    await expect(renderSvg(chart)).toMatchFileSnapshot(`golden/${name}.svg`)
  })

  it('is the same text each time, also from its JSON', () => {
    expect(renderSvg(JSON.parse(JSON.stringify(chart)))).toBe(renderSvg(chart))
  })

  it('has the right size, resolution, and ink in the box of every text', async () => {
    const svg = renderSvg(chart)
    const picture = readPng(await renderPng(svg))
    const blank = readPng(await renderPng(svg.replace(/<text\b[\s\S]*?<\/text>/g, '')))
    const scale = PNG_DPI / UNITS_PER_INCH
    expect([picture.width, picture.height]).toEqual([chart.width * scale, chart.height * scale])
    expect(picture.dotsPerInch).toBeCloseTo(PNG_DPI, 1)
    const boxes = textBoxes(chart)
    expect(boxes.length).toBeGreaterThan(10)
    for (const box of boxes) {
      let inside = 0
      let beside = 0
      for (let y = Math.floor((box.top - 3) * scale); y < (box.bottom + 3) * scale; y++) {
        for (let x = Math.floor((box.left - 6) * scale); x < (box.right + 6) * scale; x++) {
          if (x < 0 || y < 0 || x >= picture.width || y >= picture.height) continue
          if (picture.darkness(x, y) - blank.darkness(x, y) < 60) continue
          const within = x >= (box.left - 1) * scale && x < (box.right + 1) * scale
          if (within) inside++
          else if (y >= box.top * scale && y < box.bottom * scale) beside++
        }
      }
      // A character at 12 units and 150 dots an inch has some 35 dark dots; a point or a minus sign far fewer.
      expect(inside, `ink of ${box.text}`).toBeGreaterThan(5 * Array.from(box.text).length)
      // What is measured as the width of a text is its width in the picture.
      expect(beside, `ink beside ${box.text}`).toBeLessThan(inside / 8)
    }
  })
})

describe('the picture of the loss curves', () => {
  it('is 15 by 4 inches at 150 dots an inch', async () => {
    const picture = readPng(await renderPng(renderSvg(FIGURES[0]![1])))
    expect([picture.width, picture.height]).toEqual([2250, 600])
    expect(picture.dotsPerInch).toBeCloseTo(150, 1)
  })

  it('shows a single point', async () => {
    const one = new MetricsStore()
    one.add('policy_loss', 3, 7)
    const chart = lossCurves(figureData(one, LOSS_SERIES), NO_MARKS)
    const picture = readPng(await renderPng(renderSvg(chart)))
    const [grid] = chart.option.grid as unknown as { left: number; top: number; width: number; height: number }[]
    const scale = PNG_DPI / UNITS_PER_INCH
    let dots = 0
    for (let y = Math.ceil((grid!.top + 10) * scale); y < (grid!.top + grid!.height - 10) * scale; y++) {
      for (let x = Math.ceil((grid!.left + 10) * scale); x < (grid!.left + grid!.width - 10) * scale; x++) {
        if (picture.darkness(x, y) > 100) dots++
      }
    }
    expect(dots).toBeGreaterThan(100)
  })
})

describe('text from outside', () => {
  const hostile = `</text></svg><script>alert(1)</script>" onload="x" zr0-c1 ]]>&amp; {a|b} \u0000\u001b[31m\u202e\ud800 `
  const marks = {
    ...NO_MARKS,
    alerts: [{ iteration: 5, severity: 'critical' as const, kind: hostile, reason: hostile }],
    stop: { iteration: 6, reason: hostile + 'x'.repeat(1_000_000) },
    thresholds: [{ name: 'kl_ref/token', value: 0.1, label: hostile }],
  }
  const svgs = [
    renderSvg(qualityMetrics(figureData(exampleStore(20), QUALITY_SERIES), marks, { watched: true })),
    renderSvg(klDivergence(figureData(exampleStore(20), KL_SERIES), marks)),
  ]

  it.each(svgs)('is only text', async (svg) => {
    const elements = new Set(Array.from(svg.matchAll(/<\/?([a-zA-Z]+)/g), (match) => match[1]))
    const harmless = ['clipPath', 'defs', 'g', 'path', 'polygon', 'rect', 'svg', 'text', 'title']
    expect([...elements].filter((element) => !harmless.includes(element!))).toEqual([])
    expect(svg).not.toMatch(/<[^>]*\son\w+=/)
    expect(svg).toContain('&lt;/text&gt;')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(svg).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u202e\ud800]/)
    expect(svg.length).toBeLessThan(200_000)
    expect((await renderPng(svg)).length).toBeGreaterThan(10_000)
  })
})
