import type { ChartDefinition } from './chart-definition.ts'
import { figure } from './figure.ts'
import { firstLogged } from './first-logged.ts'
import { BLUE } from './palette.ts'
import type { PlotMarks } from './plot-marks.ts'
import type { FigureData } from './series-data.ts'

/** Series that {@link rewards} reads: the first that was logged is drawn. */
export const REWARD_SERIES = ['reward/score', 'reward/total'] as const

/** Reward with its trend: 12 by 5 inches. */
export function rewards(data: FigureData, marks: PlotMarks): ChartDefinition {
  const series = firstLogged(data, REWARD_SERIES)
  return figure({
    name: 'rewards',
    title: 'Rewards: reward by iteration, with its trend over the newest 200 values',
    widthInches: 12,
    heightInches: 5,
    rows: [
      {
        panels: [
          { panel: { kind: 'series', title: series.title, measure: 'reward', series, colour: BLUE, trend: true } },
        ],
      },
    ],
    marks,
  })
}
