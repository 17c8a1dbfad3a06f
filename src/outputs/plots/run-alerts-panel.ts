/**
 * A panel with a row a run, and a symbol with its words where each of its alerts was raised.
 *
 * @module
 */
import { SEVERITY_WORDS } from '../severity-words.ts'
import { SEVERITIES, SEVERITY_SHAPE } from './alerts-panel.ts'
import type { Extent } from './axis-range.ts'
import type { Drawn } from './drawn-series.ts'
import type { LegendItem } from './legend.ts'
import { LABEL_SIZE } from './mark-labels.ts'
import { MUTED } from './palette.ts'
import type { PanelArea, PreparedPanel } from './panel.ts'
import { plotCount, plotText, textWidth } from './plot-text.ts'
import { RUN_STYLES, runLabels } from './run-style.ts'
import type { ComparedRun } from './runs-panel.ts'
import { spreadOut } from './series-points.ts'

/** From the middle of a symbol to its words, and from these to the next symbol. */
const GAP = 10
/** Characters of a run's name beside its row. */
const MAX_LABEL = 24

/** Fits a panel to the alerts of the runs. */
export function prepareRunAlertsPanel(runs: readonly ComparedRun[]): PreparedPanel {
  const rowOf = (run: number) => runs.length - 1 - run
  const labels = runLabels(
    runs.map(({ label }) => label),
    MAX_LABEL,
  )
  const logged = SEVERITIES.filter((severity) => runs.some(({ alerts }) => alerts.some((a) => a.severity === severity)))
  return {
    title: 'Alerts',
    yName: '',
    yMin: -0.6,
    yMax: runs.length - 0.4,
    yTicks: labels.map((label, i) => ({ value: rowOf(i), label })),
    legend: logged.map(
      (severity): LegendItem => ({
        text: SEVERITY_WORDS[severity],
        colour: MUTED,
        swatch: SEVERITY_SHAPE[severity].swatch,
      }),
    ),
    message: null,
    hasData: true,
    thresholds: [],
    series(area, iterations) {
      const gap = ((iterations.max - iterations.min) / Math.max(1, area.width)) * 3
      return runs.flatMap(({ alerts }, i) =>
        SEVERITIES.toReversed().map((severity): Drawn => {
          const { symbol, size } = SEVERITY_SHAPE[severity]
          const at = alerts.filter((alert) => alert.severity === severity).map(({ iteration }) => iteration)
          return {
            type: 'scatter',
            silent: true,
            clip: false,
            z: 7,
            symbol,
            symbolSize: size,
            itemStyle: { color: RUN_STYLES[i]!.colour, opacity: 1, borderColor: '#FFFFFF', borderWidth: 0.8 },
            data: spreadOut(at, gap).map((iteration) => [iteration, rowOf(i)]),
          }
        }),
      )
    },
    labels: (area, iterations) => runs.flatMap((run, i) => labelsOf(run, rowOf(i), area, iterations)),
  }
}

/** Words beside a symbol, right of it or else left, where they lie on nothing; the symbols themselves are all there. */
function labelsOf({ alerts }: ComparedRun, value: number, area: PanelArea, { min, max }: Extent) {
  const toX = (iteration: number) => area.left + ((iteration - min) / (max - min)) * area.width
  const ordered = alerts.toSorted((a, b) => a.iteration - b.iteration)
  let taken = area.left
  return ordered.flatMap(({ iteration, what }, i) => {
    const text = `${plotText(what, 28)} at ${plotCount(iteration)}`
    const width = textWidth(text, LABEL_SIZE)
    const middle = toX(iteration)
    const end = i + 1 < ordered.length ? toX(ordered[i + 1]!.iteration) - GAP : area.left + area.width + GAP
    const places = [middle + GAP, middle - GAP - width]
    const x = places.find((from) => from >= taken && from + width <= (from > middle ? end : middle))
    taken = Math.max(middle + GAP, (x ?? 0) + width + GAP)
    return x === undefined ? [] : [{ x, value, text, colour: MUTED }]
  })
}
