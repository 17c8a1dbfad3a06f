import { errorMessage, TelltaleError } from '../../errors.ts'
import type { MetricsStore } from '../../metrics/store.ts'
import type { AnalyzerView } from '../../run-summary.ts'
import { yieldToEventLoop } from '../../time.ts'
import { writeAtomically } from '../write-atomically.ts'
import type { ChartDefinition, FigureName } from './chart-definition.ts'
import { KL_SERIES, klDivergence } from './kl-divergence.ts'
import { LOSS_SERIES, lossCurves } from './loss-curves.ts'
import { NO_MARKS, type PlotMarks, plotMarks } from './plot-marks.ts'
import { PPO_SERIES, ppoMechanics } from './ppo-mechanics.ts'
import { type PlotComparator, qualityFigure } from './quality-figure.ts'
import { REWARD_SERIES, rewards } from './rewards.ts'
import { figureData } from './series-data.ts'

/** A file that was written. */
export interface PlotFile {
  /** The figure in it. */
  readonly figure: FigureName
  /** PNG for documents, SVG for the web. */
  readonly format: 'png' | 'svg'
  /** Where the file is. */
  readonly path: string
  /** Size of the file. */
  readonly bytes: number
}

/** What the plots read of an analyzer. */
export type PlotAnalyzer = Pick<AnalyzerView, 'alertHistory' | 'thresholds'>

/** What {@link PlotManager.createAllPlots} takes. */
export interface AllPlotsInput {
  /** The numbers of the run. */
  readonly metricsStore: MetricsStore
  /** Gives the measures of the answers where the store has none. */
  readonly comparator?: PlotComparator | undefined
  /** Gives alerts and thresholds where no marks are given. */
  readonly analyzer?: PlotAnalyzer | undefined
  /** Taken because the plan passes it; the mechanics of PPO are drawn from the store, in both verbosities. */
  readonly ppoTracker?: object | undefined
  /** By default the alerts and thresholds of the analyzer; {@link plotMarks} adds the stop and the checkpoints. */
  readonly marks?: PlotMarks | undefined
}

/**
 * Draws the five figures of a run, each as PNG (150 dots an inch) and SVG from one definition. ECharts and resvg are
 * loaded when the first figure is drawn.
 *
 * Files are replaced whole, never half. A series that was not logged leaves a panel that says so.
 *
 * @example
 * ```ts
 * import { mkdtempSync } from 'node:fs'
 * import { tmpdir } from 'node:os'
 * import { join } from 'node:path'
 * import { MetricsStore } from 'telltale'
 * import { PlotManager } from 'telltale/plots'
 * const store = new MetricsStore()
 * for (let i = 0; i < 50; i++) store.add('reward', Math.sqrt(i), i)
 * const plots = new PlotManager({ outputDir: mkdtempSync(join(tmpdir(), 'plots-')) })
 * const files = await plots.createRewardPlot(store)
 * console.log(files.map(({ figure, format }) => `${figure}.${format}`)) // [ 'rewards.svg', 'rewards.png' ]
 * ```
 */
export class PlotManager {
  /** Folder of the files; made when the first is written. */
  readonly outputDir: string
  readonly #figures: Partial<Record<FigureName, ChartDefinition>> = {}
  #failures: readonly { readonly figure: FigureName; readonly problem: string }[] = []

  /**
   * @param options.outputDir folder for the files.
   * @throws TelltaleError `bad-option` where it is no path.
   */
  constructor(options: { readonly outputDir: string }) {
    const { outputDir } = options
    if (typeof outputDir !== 'string' || outputDir === '' || outputDir.includes('\0')) {
      throw new TelltaleError('bad-option', 'outputDir is no path; expected the name of a folder, such as output/plots')
    }
    this.outputDir = outputDir
  }

  /** The definitions drawn so far, by name: plain JSON from which a page can draw the same. */
  get figures(): Readonly<Partial<Record<FigureName, ChartDefinition>>> {
    return this.#figures
  }

  /** The figures that the newest {@link createAllPlots} could not write, with the reason; empty when all is well. */
  get failures(): readonly { readonly figure: FigureName; readonly problem: string }[] {
    return this.#failures
  }

  /** `loss_curves`: policy, value and total loss. @throws TelltaleError `not-writable`. */
  createLossPlot(store: MetricsStore, marks: PlotMarks = NO_MARKS): Promise<PlotFile[]> {
    return this.#write(() => lossCurves(figureData(store, LOSS_SERIES), marks))
  }

  /** `rewards`: reward with its trend. @throws TelltaleError `not-writable`. */
  createRewardPlot(store: MetricsStore, marks: PlotMarks = NO_MARKS): Promise<PlotFile[]> {
    return this.#write(() => rewards(figureData(store, REWARD_SERIES), marks))
  }

  /** `kl_divergence`: KL to the reference with its threshold. @throws TelltaleError `not-writable`. */
  createKlPlot(store: MetricsStore, marks: PlotMarks = NO_MARKS): Promise<PlotFile[]> {
    return this.#write(() => klDivergence(figureData(store, KL_SERIES), marks))
  }

  /**
   * `quality_metrics`: coherence, similarity and alerts.
   *
   * @param comparator gives the measures where no store has them; null for none.
   * @param analyzer gives the alerts where no marks do; null for none.
   * @throws TelltaleError `not-writable`.
   */
  createQualityPlot(
    comparator: PlotComparator | null | undefined,
    analyzer: PlotAnalyzer | null | undefined,
    options: { readonly store?: MetricsStore | undefined; readonly marks?: PlotMarks | undefined } = {},
  ): Promise<PlotFile[]> {
    return this.#write(() => {
      const marks = options.marks ?? plotMarks({ analyzer: analyzer ?? undefined })
      return qualityFigure({ store: options.store, comparator, watched: Boolean(analyzer) }, marks)
    })
  }

  /** `ppo_mechanics`: clipped share, KL within the update, entropy, advantages, explained variance. @throws TelltaleError `not-writable`. */
  createPPOPlot(store: MetricsStore, marks: PlotMarks = NO_MARKS): Promise<PlotFile[]> {
    return this.#write(() => ppoMechanics(figureData(store, PPO_SERIES), marks))
  }

  /**
   * All five figures. One that fails does not lose the others: it is told in {@link failures}.
   *
   * @returns the files that were written.
   * @throws TelltaleError where not a single figure could be written (`not-writable`, say).
   */
  async createAllPlots(input: AllPlotsInput): Promise<PlotFile[]> {
    const { metricsStore: store, comparator, analyzer } = input
    const marks = input.marks ?? plotMarks({ analyzer })
    const steps: readonly [FigureName, () => Promise<PlotFile[]>][] = [
      ['loss_curves', () => this.createLossPlot(store, marks)],
      ['rewards', () => this.createRewardPlot(store, marks)],
      ['kl_divergence', () => this.createKlPlot(store, marks)],
      ['quality_metrics', () => this.createQualityPlot(comparator, analyzer, { store, marks })],
      ['ppo_mechanics', () => this.createPPOPlot(store, marks)],
    ]
    const files: PlotFile[] = []
    const failures: { readonly figure: FigureName; readonly problem: string; readonly error: unknown }[] = []
    for (const [figure, create] of steps) {
      // Drawing is synchronous work of some ten milliseconds: signals and painting get their turn in between.
      await yieldToEventLoop()
      try {
        files.push(...(await create()))
      } catch (error) {
        failures.push({ figure, problem: errorMessage(error), error })
      }
    }
    this.#failures = failures.map(({ figure, problem }) => ({ figure, problem }))
    if (files.length === 0) throw failures[0]!.error
    return files
  }

  async #write(define: () => ChartDefinition): Promise<PlotFile[]> {
    const { renderPng, renderSvg } = await import('./render.ts')
    const chart = define()
    const svg = renderSvg(chart)
    const files = [await this.#save(chart.name, 'svg', svg), await this.#save(chart.name, 'png', await renderPng(svg))]
    this.#figures[chart.name] = chart
    return files
  }

  async #save(figure: FigureName, format: 'png' | 'svg', content: string | Buffer): Promise<PlotFile> {
    const path = writeAtomically(this.outputDir, `${figure}.${format}`, content)
    return { figure, format, path, bytes: Buffer.byteLength(content) }
  }
}
