/**
 * The figure of several runs: a panel a series, and the alerts of all of them below.
 *
 * @module
 */
import { extentOf, iterationRange } from './axis-range.ts'
import { type Drawing, UNITS_PER_INCH } from './chart-definition.ts'
import type { SharedAxis } from './draw-panel.ts'
import { type LaidRow, layOut, legendHeight } from './lay-out.ts'
import type { LegendItem } from './legend.ts'
import { NO_MARKS } from './plot-marks.ts'
import { plotCount } from './plot-text.ts'
import { prepareRunAlertsPanel } from './run-alerts-panel.ts'
import { RUN_STYLES } from './run-style.ts'
import { type ComparedRun, prepareRunsPanel, type RunsPanel } from './runs-panel.ts'

/** Inches of a panel, about. */
const PANEL_WIDTH = 5
const PANEL_HEIGHT = 3.1
const MAX_COLUMNS = 4
/** Inches of the panel of the alerts, and of each of its rows. */
const ALERTS_HEIGHT = 1.15
const ALERTS_ROW = 0.2

/**
 * Several runs in one figure, their curves aligned by iteration.
 *
 * @param runs at most `MAX_RUNS`.
 * @param widthInches as many panels stand in a row as it has room for.
 */
export function runComparison(
  runs: readonly ComparedRun[],
  panels: readonly RunsPanel[],
  widthInches: number,
): Drawing {
  const columns = Math.max(1, Math.min(MAX_COLUMNS, panels.length, Math.round(widthInches / PANEL_WIDTH)))
  const rows: LaidRow[] = []
  for (let from = 0; from < panels.length; from += columns) {
    const some = panels.slice(from, from + columns).map((panel, column) => ({
      panel: prepareRunsPanel(panel, runs, 5),
      ...{ column, share: 1, aligned: true },
    }))
    rows.push({ panels: some, columns })
  }
  const alerted = runs.some(({ alerts }) => alerts.length > 0)
  const alertsHeight = alerted ? ALERTS_HEIGHT + ALERTS_ROW * runs.length : 0
  if (alerted) {
    const panel = prepareRunAlertsPanel(runs)
    rows.push({
      panels: [{ panel, column: 0, share: columns, aligned: false }],
      columns,
      height: alertsHeight / PANEL_HEIGHT,
    })
  }
  const legend = whoIsWho(runs, panels)
  const width = widthInches * UNITS_PER_INCH
  const below = UNITS_PER_INCH * (PANEL_HEIGHT * Math.ceil(panels.length / columns) + alertsHeight)
  const size = { width, height: Math.round(legendHeight(legend, width) + below) }
  return {
    name: 'run_comparison',
    title: `${runs.length} runs by iteration: ${runs.map(({ label }) => label).join(', ')}`,
    ...size,
    option: layOut({ ...size, rows, shared: sharedAxis(runs, panels), legend }),
  }
}

function sharedAxis(runs: readonly ComparedRun[], panels: readonly RunsPanel[]): SharedAxis {
  const seen = [
    ...runs.flatMap(({ alerts }) => alerts.map(({ iteration }) => iteration)),
    ...panels.flatMap(({ curves }) =>
      curves.flatMap((buckets) => (buckets.length > 0 ? [buckets[0]!.iteration, buckets.at(-1)!.lastIteration] : [])),
    ),
  ]
  return { iterations: iterationRange(seen), ticksWithin: extentOf(seen), marks: NO_MARKS }
}

function whoIsWho(runs: readonly ComparedRun[], panels: readonly RunsPanel[]): LegendItem[] {
  const said: string[] = []
  if (panels.some(({ curves }) => curves.some((buckets) => buckets.length > 1)))
    said.push('light: each value, or min to max of several; dark: moving average')
  if (runs.some(({ alerts }) => alerts.some(({ severity }) => severity !== 'info')))
    said.push('upright with the mark of a run: its alert, critical where the line is whole')
  return [
    ...runs.map(
      ({ label, iterations }, i): LegendItem => ({
        text: `${label}, ${plotCount(iterations)} ${iterations === 1 ? 'iteration' : 'iterations'}`,
        colour: RUN_STYLES[i]!.colour,
        marker: RUN_STYLES[i]!.marker,
        swatch: 'thick',
      }),
    ),
    ...said.map((text, i): LegendItem => ({ text, colour: '', swatch: 'none', ownRow: i === 0 })),
  ]
}
