import type { ChartDefinition } from './chart-definition.ts'
import { figure } from './figure.ts'
import { firstLogged } from './first-logged.ts'
import { BLUE, GREEN, PURPLE } from './palette.ts'
import type { PlotMarks } from './plot-marks.ts'
import type { FigureData } from './series-data.ts'

const PERPLEXITY = ['quality/ref_perplexity', 'quality/fixed_ref_perplexity'] as const
const REPETITION = ['quality/repetition', 'quality/fixed_repetition'] as const
const DISTINCT = ['quality/distinct_2', 'quality/fixed_distinct_2'] as const
/** Drawn only where it was logged: few runs have a grammar to judge by. */
const CLEAR = ['quality/clear_share'] as const
const SIMILARITY = ['quality/similarity'] as const

/** Series that {@link qualityMetrics} reads; of a measure and its variant on fixed prompts the first logged is drawn. */
export const QUALITY_SERIES = [...PERPLEXITY, ...REPETITION, ...DISTINCT, ...CLEAR, ...SIMILARITY] as const

/**
 * Coherence (three measures, four with clear answers), similarity and alerts: 15 by 8 inches.
 *
 * @example
 * ```ts
 * import { MetricsStore } from 'telltale'
 * import { figureData, NO_MARKS, QUALITY_SERIES, qualityMetrics } from 'telltale/plots'
 * const data = figureData(new MetricsStore(), QUALITY_SERIES)
 * const { name, width, height } = qualityMetrics(data, NO_MARKS, { watched: false })
 * console.log(name, width, height) // quality_metrics 1500 800
 * ```
 */
export function qualityMetrics(
  data: FigureData,
  marks: PlotMarks,
  options: { /** Whether anything looked for alerts. */ readonly watched: boolean },
): ChartDefinition {
  const panel = (names: readonly [string, ...string[]], measure: string, colour: string) => {
    const series = firstLogged(data, names)
    return { panel: { kind: 'series' as const, title: series.title, measure, series, colour } }
  }
  const clear = (data[CLEAR[0]]?.buckets.length ?? 0) > 0
  return figure({
    name: 'quality_metrics',
    title: 'Quality: coherence of the answers, their similarity to those of the first iterations, and alerts',
    widthInches: 15,
    heightInches: 8,
    rows: [
      {
        panels: [
          panel(PERPLEXITY, 'perplexity', BLUE),
          panel(REPETITION, 'repetition', PURPLE),
          panel(DISTINCT, 'distinct-2', GREEN),
          ...(clear ? [panel(CLEAR, 'clear', BLUE)] : []),
        ],
      },
      {
        panels: [
          panel(SIMILARITY, 'similarity', BLUE),
          { panel: { kind: 'alerts', title: 'Alerts', watched: options.watched }, share: clear ? 3 : 2 },
        ],
      },
    ],
    marks,
  })
}
