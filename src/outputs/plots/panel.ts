/**
 * What a panel of a figure shows, and what it needs to know of its place.
 *
 * @module
 */

import type { Extent } from './axis-range.ts'
import type { ChartJson } from './chart-definition.ts'
import type { LegendItem } from './legend.ts'
import type { PlotMarks } from './plot-marks.ts'
import type { SeriesData } from './series-data.ts'

/** A series over the iterations. */
export interface SeriesPanel {
  readonly kind: 'series'
  readonly title: string
  /** What the y axis measures, without its unit. */
  readonly measure: string
  readonly series: SeriesData
  readonly colour: string
  /** Draws the line of the trend with its interval. */
  readonly trend?: boolean
  /** Off for a series that is drawn beside a band. */
  readonly smooth?: boolean
  /** A muted series on the same axis, for comparison; drawn only where `series` has values. */
  readonly beside?: { readonly series: SeriesData; readonly label: string } | null
  readonly band?: { readonly lower: SeriesData; readonly upper: SeriesData; readonly label: string } | null
}

/** Alerts by kind over the iterations. */
export interface AlertsPanel {
  readonly kind: 'alerts'
  readonly title: string
  /** False where nothing looked for alerts. */
  readonly watched: boolean
}

/** One of the panels of a figure. */
export type Panel = SeriesPanel | AlertsPanel

/** Panels of one row, from left to right; each takes `share` columns, 1 where nothing is said. */
export interface FigureRow {
  readonly panels: readonly { readonly panel: Panel; readonly share?: number }[]
}

/** Where the data of a panel are drawn, in units of the figure. */
export interface PanelArea {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
}

/** A panel that has been fitted to its data: everything but its place. */
export interface PreparedPanel {
  readonly title: string
  /** Turned by 90 degrees beside the y axis; empty for none. */
  readonly yName: string
  readonly yMin: number
  readonly yMax: number
  /** Values (in divided units) with their labels; labels of equal length where they can be. */
  readonly yTicks: readonly { readonly value: number; readonly label: string }[]
  readonly legend: readonly LegendItem[]
  /** Words in the middle of a panel that has nothing to draw. */
  readonly message: string | null
  /** False where the panel has nothing on the x axis either. */
  readonly hasData: boolean
  /** Dashed horizontal lines, in divided units. */
  readonly thresholds: readonly { readonly value: number; readonly label: string }[]
  /** ECharts series without their axes; the name of each is the `part` of its legend. */
  series(area: PanelArea, iterations: Extent): { readonly [key: string]: ChartJson }[]
  /** Words on the data, from their left end on; y in divided units. */
  labels?(
    area: PanelArea,
    iterations: Extent,
  ): readonly { readonly x: number; readonly value: number; readonly text: string; readonly colour: string }[]
}

/** What all panels of a figure share. */
export interface PanelContext {
  readonly marks: PlotMarks
  /** How many y ticks suit the height. */
  readonly yTicks: number
}
