import type { ChartDefinition } from '../../plots/chart-definition.ts'
import { KL_SERIES, klDivergence } from '../../plots/kl-divergence.ts'
import { LOSS_SERIES, lossCurves } from '../../plots/loss-curves.ts'
import { plotMarks } from '../../plots/plot-marks.ts'
import { PPO_SERIES, ppoMechanics } from '../../plots/ppo-mechanics.ts'
import { qualityFigure } from '../../plots/quality-figure.ts'
import { REWARD_SERIES, rewards } from '../../plots/rewards.ts'
import { figureData } from '../../plots/series-data.ts'
import type { ReportInput } from '../report-input.ts'

/** The definitions of a run's figures, the same from which its pictures are drawn. */
export function defineFigures({ monitor, comparator, analyzer }: ReportInput): ChartDefinition[] {
  const store = monitor.getMetricsStore()
  const marks = plotMarks({ analyzer, summary: monitor.summary() })
  return [
    rewards(figureData(store, REWARD_SERIES), marks),
    klDivergence(figureData(store, KL_SERIES), marks),
    qualityFigure({ store, comparator, watched: analyzer !== undefined }, marks),
    lossCurves(figureData(store, LOSS_SERIES), marks),
    ppoMechanics(figureData(store, PPO_SERIES), marks),
  ]
}
