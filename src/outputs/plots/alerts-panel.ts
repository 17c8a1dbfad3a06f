/**
 * A panel with one row a kind of alert, and a symbol where each was raised.
 *
 * @module
 */

import type { Severity } from '../../detectors/detector.ts'
import { SEVERITY_WORDS } from '../severity-words.ts'
import type { ChartJson } from './chart-definition.ts'
import type { LegendItem } from './legend.ts'
import { SEVERITY_COLOUR } from './palette.ts'
import type { AlertsPanel, PanelContext, PreparedPanel } from './panel.ts'
import { plotCount, plotText } from './plot-text.ts'
import { spreadOut } from './series-points.ts'

/** Severities differ in shape as well as in colour. */
export const SEVERITY_SHAPE: Readonly<
  Record<Severity, { readonly symbol: string; readonly size: number; readonly swatch: LegendItem['swatch'] }>
> = {
  info: { symbol: 'circle', size: 9, swatch: 'dot' },
  warning: { symbol: 'triangle', size: 12, swatch: 'arrow-up' },
  critical: { symbol: 'diamond', size: 15, swatch: 'diamond' },
}
/** The gravest first. */
export const SEVERITIES = ['critical', 'warning', 'info'] as const
/** Kinds that have a row; there are fifteen of our own. */
const MAX_ROWS = 15

/** Fits a panel to the alerts. */
export function prepareAlertsPanel(panel: AlertsPanel, { marks }: PanelContext): PreparedPanel {
  const kinds = [...new Set(marks.alerts.map(({ kind }) => kind))]
  const shown = kinds.slice(0, MAX_ROWS)
  const rowOf = new Map(shown.map((kind, i) => [kind, shown.length - 1 - i]))
  const { muted = 0 } = marks
  const first = [...marks.alerts].sort((a, b) => a.iteration - b.iteration)[0]
  const counts = SEVERITIES.map((severity) => ({
    severity,
    count: marks.alerts.filter((alert) => alert.severity === severity).length,
  })).filter(({ count }) => count > 0)
  const why = marks.stop
    ? `stopped at ${plotCount(marks.stop.iteration)}: ${plotText(marks.stop.reason, 240)}`
    : first
      ? `first, at ${plotCount(first.iteration)}: ${plotText(first.reason ?? first.kind, 240)}`
      : null
  return {
    title: panel.title,
    yName: '',
    yMin: -0.6,
    yMax: Math.max(0, shown.length - 1) + 0.6,
    yTicks: shown.map((kind) => ({ value: rowOf.get(kind)!, label: plotText(kind, 28) })),
    legend: [
      ...counts.map(({ severity, count }) => ({
        text: `${SEVERITY_WORDS[severity]}: ${plotCount(count)}`,
        colour: SEVERITY_COLOUR[severity],
        part: severity,
        swatch: SEVERITY_SHAPE[severity].swatch,
      })),
      ...(kinds.length > MAX_ROWS
        ? [{ text: `${kinds.length - MAX_ROWS} kinds more`, colour: '', swatch: 'none' as const }]
        : []),
      ...(muted > 0 && marks.alerts.length > 0
        ? [{ text: `muted: ${plotCount(muted)}`, colour: '', swatch: 'none' as const }]
        : []),
      ...(why === null ? [] : [{ text: why, colour: '', swatch: 'none' as const }]),
    ],
    message:
      marks.alerts.length > 0
        ? null
        : panel.watched
          ? `no alerts${muted > 0 ? ` but ${plotCount(muted)} muted` : ''}`
          : 'no data: nothing looked for alerts',
    hasData: panel.watched,
    thresholds: [],
    series(area, iterations) {
      const gap = ((iterations.max - iterations.min) / Math.max(1, area.width)) * 3
      return [...SEVERITIES].reverse().map((severity): { readonly [key: string]: ChartJson } => ({
        type: 'scatter',
        name: severity,
        silent: true,
        clip: false,
        z: 7,
        symbol: SEVERITY_SHAPE[severity].symbol,
        symbolSize: SEVERITY_SHAPE[severity].size,
        itemStyle: { color: SEVERITY_COLOUR[severity], opacity: 1, borderColor: '#FFFFFF', borderWidth: 0.8 },
        data: shown.flatMap((kind) => {
          const of = marks.alerts.filter((alert) => alert.kind === kind && alert.severity === severity)
          return spreadOut(
            of.map(({ iteration }) => iteration),
            gap,
          ).map((iteration) => [iteration, rowOf.get(kind)!])
        }),
      }))
    },
  }
}
