/**
 * What a figure is before anything draws it: plain JSON, so that the same definition serves PNG, SVG and a page.
 *
 * @module
 */

/** JSON that may be built up. */
export type ChartJson = null | boolean | number | string | readonly ChartJson[] | { readonly [key: string]: ChartJson }

/** The names of the five figures: their files are `<name>.png` and `<name>.svg`. */
export const FIGURE_NAMES = ['loss_curves', 'rewards', 'kl_divergence', 'quality_metrics', 'ppo_mechanics'] as const

/** One of {@link FIGURE_NAMES}. */
export type FigureName = (typeof FIGURE_NAMES)[number]

/** Units of a {@link ChartDefinition} in one inch. */
export const UNITS_PER_INCH = 100

/** One figure: what to draw, and how large. */
export interface ChartDefinition {
  /** The figure; its files are called so. */
  readonly name: FigureName
  /** A line of plain words that says what is seen, for people who cannot see it. */
  readonly title: string
  /** Size in units, 100 an inch. */
  readonly width: number
  /** Height in units, 100 an inch. */
  readonly height: number
  /** What is drawn, for whoever lays it out anew: rows of panels with their data, as the HTML report reads them. */
  readonly rows: readonly ChartJson[]
  /** What is marked in every panel. */
  readonly marks: ChartJson
  /** The same laid out at that size, as an option of Apache ECharts 6: JSON alone, no functions, no animation. */
  readonly option: { readonly [key: string]: ChartJson }
}

/** What of a definition is needed to draw it. */
export interface Drawing extends Pick<ChartDefinition, 'title' | 'width' | 'height' | 'option'> {
  /** Ids in an SVG begin with it: a word of letters and underscores. */
  readonly name: string
}
