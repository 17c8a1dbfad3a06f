import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TelltaleError } from '../../errors.ts'
import { MetricsStore } from '../../metrics/store.ts'
import type { SampleComparison } from '../../quality/comparison.ts'
import { FIGURE_NAMES } from './chart-definition.ts'
import { textBoxes } from './picture.fixture.ts'
import { PlotManager } from './plot-manager.ts'
import { exampleAlert, exampleStore } from './runs.fixture.ts'

const ANALYZER = { thresholds: { kl: 0.3 }, alertHistory: [exampleAlert(21)] }
let root: string
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'plots-'))
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

function comparison(iteration: number, metrics: Record<string, number>): SampleComparison {
  return { iteration, source: 'paired', driftKind: 'lexical', pairs: [], metrics }
}

describe('PlotManager', () => {
  it('makes its folder and writes five figures, each as PNG and SVG and nothing else', async () => {
    const outputDir = join(root, 'deep', 'down')
    const plots = new PlotManager({ outputDir })
    const files = await plots.createAllPlots({ metricsStore: exampleStore(40), analyzer: ANALYZER, ppoTracker: {} })
    const names = FIGURE_NAMES.flatMap((name) => [`${name}.png`, `${name}.svg`]).sort()
    expect(readdirSync(outputDir).sort()).toEqual(names)
    expect(files.map(({ path }) => path).sort()).toEqual(names.map((name) => join(outputDir, name)))
    for (const { path, bytes, format } of files) {
      const content = readFileSync(path)
      expect(content.length).toBe(bytes)
      expect(content.subarray(0, 4).toString('latin1')).toBe(format === 'png' ? '\x89PNG' : '<svg')
    }
    expect(Object.keys(plots.figures).sort()).toEqual([...FIGURE_NAMES].sort())
    expect(plots.failures).toEqual([])
  })

  it('writes the same bytes for the same run', async () => {
    const read = async (folder: string) => {
      const plots = new PlotManager({ outputDir: join(root, folder) })
      const files = await plots.createAllPlots({ metricsStore: exampleStore(30), analyzer: ANALYZER })
      return files.map(({ path }) => readFileSync(path).toString('base64'))
    }
    expect(await read('once')).toEqual(await read('twice'))
  })

  it('marks the alerts and thresholds of the analyzer in every figure', async () => {
    const plots = new PlotManager({ outputDir: join(root, 'marks') })
    await plots.createAllPlots({ metricsStore: exampleStore(40), analyzer: ANALYZER })
    for (const name of FIGURE_NAMES) {
      expect(textBoxes(plots.figures[name]!).map(({ text }) => text)).toContain('kl-explosion')
    }
    expect(textBoxes(plots.figures.kl_divergence!).map(({ text }) => text)).toContain('threshold 0.3')
  })

  it('draws the measures of a comparator where no store has them', async () => {
    const plots = new PlotManager({ outputDir: join(root, 'compared') })
    const comparator = {
      comparisonHistory: [
        comparison(20, { 'quality/similarity': 0.4, 'quality/ref_perplexity': Number.NaN }),
        comparison(0, { 'quality/similarity': 1 }),
        comparison(20, { 'quality/similarity': 0.5 }),
      ],
    }
    await plots.createQualityPlot(comparator, null)
    const chart = plots.figures.quality_metrics!
    const data = (chart.option.series as unknown as { z: number; xAxisIndex: number; data: unknown }[]).filter(
      (s) => s.z === 3,
    )
    expect(data.find((s) => s.xAxisIndex === 3)!.data).toEqual([
      [0, 1],
      [20, 0.5],
    ])
    const words = textBoxes(chart).map(({ text }) => text)
    expect(words).toContain('no finite value of quality/ref_perplexity')
    expect(words).toContain('no data: quality/repetition was not logged')
    expect(words).toContain('no data: nothing looked for alerts')
  })

  it('draws an empty run', async () => {
    const plots = new PlotManager({ outputDir: join(root, 'empty') })
    expect(await plots.createAllPlots({ metricsStore: new MetricsStore() })).toHaveLength(10)
  })

  it('loses only the figure that fails, and says which', async () => {
    const outputDir = join(root, 'partly')
    mkdirSync(join(outputDir, 'rewards.svg', 'in-the-way'), { recursive: true })
    const plots = new PlotManager({ outputDir })
    const files = await plots.createAllPlots({ metricsStore: exampleStore(10) })
    expect(files.map(({ figure }) => figure)).not.toContain('rewards')
    expect(files).toHaveLength(8)
    expect(plots.failures).toEqual([
      { figure: 'rewards', problem: expect.stringContaining('rewards.svg cannot be written') },
    ])
    expect(readdirSync(outputDir).filter((name) => name.endsWith('.tmp'))).toEqual([])
  })

  it('says what to do where nothing can be written', async () => {
    writeFileSync(join(root, 'file'), '')
    const plots = new PlotManager({ outputDir: join(root, 'file', 'below') })
    const failing = plots.createAllPlots({ metricsStore: exampleStore(3) })
    await expect(failing).rejects.toThrow(/cannot be written.*choose an outputDir/)
    await expect(failing).rejects.toMatchObject({ code: 'not-writable' })
    expect(plots.failures).toHaveLength(5)
  })

  it('refuses what is no path', () => {
    for (const outputDir of ['', 'a\0b', undefined as never]) {
      expect(() => new PlotManager({ outputDir })).toThrow(TelltaleError)
    }
  })

  it('lets the event loop turn between figures', async () => {
    const plots = new PlotManager({ outputDir: join(root, 'turns') })
    const seen: number[] = []
    let running = true
    const look = () => {
      seen.push(Object.keys(plots.figures).length)
      if (running) setImmediate(look)
    }
    setImmediate(look)
    await plots.createAllPlots({ metricsStore: exampleStore(10) })
    running = false
    expect(new Set(seen)).toEqual(new Set([0, 1, 2, 3, 4, ...(seen.includes(5) ? [5] : [])]))
  })
})
