import type { ChartDefinition } from './chart-definition.ts'
import { figure } from './figure.ts'
import { firstLogged } from './first-logged.ts'
import { BLUE, GREEN, PURPLE } from './palette.ts'
import type { PlotMarks } from './plot-marks.ts'
import type { FigureData, SeriesData } from './series-data.ts'

const ENTROPY = ['entropy/token', 'entropy/seq_surprisal'] as const
const ADVANTAGE = ['adv/mean', 'adv/q50'] as const
/** Bands of the advantages, the best first. */
const BANDS = [
  { lower: 'adv/q10', upper: 'adv/q90', label: '10 % to 90 % of the tokens' },
  { lower: 'adv/min', upper: 'adv/max', label: 'smallest to largest' },
] as const

/** Series that {@link ppoMechanics} reads. */
export const PPO_SERIES = [
  'ppo/clip_fraction',
  'ppo/approx_kl',
  'value/explained_variance',
  ...ENTROPY,
  ...ADVANTAGE,
  ...BANDS.flatMap(({ lower, upper }) => [lower, upper]),
] as const

/**
 * Clip fraction, KL within the update, entropy, advantages with their spread, explained variance: 15 by 8 inches.
 *
 * @example
 * ```ts
 * import { MetricsStore } from 'telltale'
 * import { figureData, NO_MARKS, PPO_SERIES, ppoMechanics } from 'telltale/plots'
 * const { name, width, height } = ppoMechanics(figureData(new MetricsStore(), PPO_SERIES), NO_MARKS)
 * console.log(name, width, height) // ppo_mechanics 1500 800
 * ```
 */
export function ppoMechanics(data: FigureData, marks: PlotMarks): ChartDefinition {
  const panel = (series: SeriesData, measure: string, colour: string) => ({
    panel: { kind: 'series' as const, title: series.title, measure, series, colour },
  })
  const found = BANDS.find(({ lower, upper }) => logged(data[lower]) && logged(data[upper]))
  const band = found ? { lower: data[found.lower]!, upper: data[found.upper]!, label: found.label } : null
  const advantage = firstLogged(data, ADVANTAGE)
  return figure({
    name: 'ppo_mechanics',
    title: 'PPO mechanics: clipped share of the tokens, KL within the update, entropy, advantages, explained variance',
    widthInches: 15,
    heightInches: 8,
    rows: [
      {
        panels: [
          panel(data['ppo/clip_fraction']!, 'clipped', BLUE),
          panel(data['ppo/approx_kl']!, 'KL', PURPLE),
          panel(firstLogged(data, ENTROPY), 'entropy', GREEN),
        ],
      },
      {
        panels: [
          {
            panel: {
              kind: 'series',
              title: 'Advantages',
              measure: 'advantage',
              series: advantage,
              colour: BLUE,
              smooth: band === null,
              band,
            },
            share: 2,
          },
          panel(data['value/explained_variance']!, 'share', GREEN),
        ],
      },
    ],
    marks,
  })
}

function logged(series: SeriesData | undefined): boolean {
  return series !== undefined && series.buckets.length > 0
}
