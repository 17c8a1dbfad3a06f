import type { Glyphs } from './glyphs.ts'

/** How a frame may be drawn. */
export interface FrameView {
  /** Columns that a line may take; a frame never wraps. */
  readonly width: number
  /** Lines that a frame may take. */
  readonly height: number
  readonly color: boolean
  readonly glyphs: Glyphs
}
