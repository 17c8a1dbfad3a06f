import { VerbosityLevel } from '../../verbosity.ts'
import type { DisplayState } from './display-state.ts'
import { panel } from './panel.ts'
import { simpleLine } from './simple-line.ts'
import { renderLine } from './spans.ts'
import type { FrameView } from './view.ts'

/** Below this the panel has no room; the line stands in for it. */
const MIN_PANEL = { width: 36, height: 6 }

/** A display as lines of a terminal: pure, at most `view.height` lines, none wider than `view.width` columns. */
export function frame(state: DisplayState, view: FrameView): string[] {
  if (view.height <= 0 || view.width <= 0) return []
  const small = view.width < MIN_PANEL.width || view.height < MIN_PANEL.height
  const lines =
    state.verbosity === VerbosityLevel.VERBOSE && !small ? panel(state, view) : [simpleLine(state, view, { bar: true })]
  return lines.map((line) => renderLine(line, view.color))
}
