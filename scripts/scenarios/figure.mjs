// One compact figure a scenario: the series that tell, the healthy run muted behind them. The same panels as in a report.
import { figure } from '../../dist/outputs/plots/figure.js'
import { figureData, plotMarks } from '../../dist/outputs/plots/index.js'
import { BLUE, GREEN, PURPLE } from '../../dist/outputs/plots/palette.js'
import { renderPng, renderSvg } from '../../dist/outputs/plots/render.js'

const COLOURS = [BLUE, PURPLE, GREEN, BLUE]

/** What the y axis measures, by series. */
const MEASURES = {
  'reward/score': 'reward',
  'gold/total': 'gold',
  'kl_ref/token': 'KL',
  'entropy/token': 'entropy',
  'length/mean': 'length',
  'length/clip_ratio': 'share',
  'quality/ref_perplexity': 'perplexity',
  'quality/distinct_2': 'distinct-2',
  'value/explained_variance': 'share',
  'value/head_update_norm': 'norm',
  'loss/value': 'loss',
  'adv/reward_corr': 'correlation',
  'ppo/approx_kl': 'KL',
  'ppo/approx_kl_first': 'KL',
  'ppo/ratio_first': 'ratio',
  'ppo/clip_fraction': 'clipped',
}

/** PNG bytes of a scenario's figure. */
export async function draw({ scenario, series, store, healthy, analyzer }) {
  const data = figureData(store, series)
  const beside = scenario === 'healthy' ? null : figureData(healthy, series)
  const panels = series.map((name, i) => ({
    panel: {
      kind: 'series',
      title: data[name].title,
      measure: MEASURES[name],
      series: data[name],
      colour: COLOURS[i],
      beside: beside && { series: beside[name], label: 'healthy run' },
    },
  }))
  const chart = figure({
    name: `scenario-${scenario}`,
    title: `${scenario}: ${series.join(', ')}`,
    widthInches: 9.2,
    heightInches: 5.4,
    rows: [{ panels: panels.slice(0, 2) }, { panels: panels.slice(2) }],
    // The first alert is where the run would have been stopped or looked at; the rest of an ignored alarm is noise.
    marks: { ...plotMarks({ analyzer }), alerts: plotMarks({ analyzer }).alerts.slice(0, 1) },
  })
  return renderPng(renderSvg(chart))
}
