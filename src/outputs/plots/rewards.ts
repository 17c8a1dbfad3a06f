import type { ChartDefinition } from './chart-definition.ts'
import { figure } from './figure.ts'
import { firstLogged } from './first-logged.ts'
import { BLUE } from './palette.ts'
import type { PlotMarks } from './plot-marks.ts'
import type { FigureData } from './series-data.ts'

const REWARD = ['reward/score', 'reward/total'] as const
/** The true reward where a run has a judge: the reward rising away from it is what reward hacking looks like. */
const GOLD = 'gold/total'

/** Series that {@link rewards} reads: the first reward that was logged is drawn, and a gold reward muted beside it. */
export const REWARD_SERIES = [...REWARD, GOLD] as const

/**
 * Reward with its trend: 12 by 5 inches.
 *
 * @example
 * ```ts
 * import { MetricsStore } from 'telltale'
 * import { figureData, NO_MARKS, REWARD_SERIES, rewards } from 'telltale/plots'
 * const store = new MetricsStore()
 * for (let i = 0; i < 30; i++) store.add('reward', 0.1 * i, i)
 * const { name, width, height } = rewards(figureData(store, REWARD_SERIES), NO_MARKS)
 * console.log(name, width, height) // rewards 1200 500
 * ```
 */
export function rewards(data: FigureData, marks: PlotMarks): ChartDefinition {
  const series = firstLogged(data, REWARD)
  const gold = data[GOLD]
  const beside = gold && gold.buckets.length > 0 ? { series: gold, label: 'gold (never seen by detectors)' } : null
  return figure({
    name: 'rewards',
    title: 'Rewards: reward by iteration, with its trend over the newest 200 values',
    widthInches: 12,
    heightInches: 5,
    rows: [
      {
        panels: [
          {
            panel: {
              kind: 'series',
              title: series.title,
              measure: 'reward',
              series,
              colour: BLUE,
              trend: true,
              beside,
            },
          },
        ],
      },
    ],
    marks,
  })
}
