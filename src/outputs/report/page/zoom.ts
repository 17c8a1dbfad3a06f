/**
 * The part of the run that all charts of the page show together.
 *
 * @module
 */
import type { Extent } from '../../plots/axis-range.ts'

/** Fewest iterations that fill a chart. */
const MIN_SPAN = 2

/** Holds the part that is shown, and tells who draws it. */
export class Zoom {
  readonly whole: Extent
  #shown: Extent | null = null
  readonly #changed: () => void

  /** @param whole the axis of the whole run. */
  constructor(whole: Extent, changed: () => void) {
    this.whole = whole
    this.#changed = changed
  }

  /** Null for the whole run. */
  get shown(): Extent | null {
    return this.#shown
  }

  /** Shows what lies between two iterations, in either order. */
  to(a: number, b: number): void {
    const { min, max } = this.whole
    const span = Math.min(Math.max(Math.abs(b - a), MIN_SPAN), max - min)
    const from = Math.min(Math.max((a + b - span) / 2, min), max - span)
    this.#shown = span >= (max - min) * 0.999 ? null : { min: from, max: from + span }
    this.#changed()
  }

  /** Makes the part that is shown `factor` times as long; `about` stays where it is. */
  by(factor: number, about?: number): void {
    const { min, max } = this.#shown ?? this.whole
    const centre = Math.min(Math.max(about ?? (min + max) / 2, min), max)
    this.to(centre - (centre - min) * factor, centre + (max - centre) * factor)
  }

  /** Moves by a share of what is shown. */
  move(share: number): void {
    const { min, max } = this.#shown ?? this.whole
    this.to(min + (max - min) * share, max + (max - min) * share)
  }

  /** Shows the whole run. */
  reset(): void {
    this.#shown = null
    this.#changed()
  }
}
