import type { Clock } from '../../time.ts'
import { VerbosityLevel } from '../../verbosity.ts'
import { frame } from './frame.ts'
import type { Glyphs } from './glyphs.ts'
import { createLiveRegion } from './live-region.ts'
import { permanentAlerts } from './permanent-alerts.ts'
import { renderLine } from './spans.ts'
import type { Occasion, Surface } from './surface.ts'
import type { TerminalStream } from './terminal-traits.ts'
import type { FrameView } from './view.ts'

/** Milliseconds between paints: 2 Hz, from the plan. */
export const PAINT_INTERVAL_MS = 500
/** A panel that takes long to paint is painted less often, so that painting takes no more than this share of the time, … */
const MAX_PAINT_SHARE = 0.0005
/** … but at least so often. */
const MAX_PAINT_INTERVAL_MS = 2000

/** Paints a run in place on a terminal. */
export function liveSurface(
  stream: TerminalStream,
  options: {
    readonly clock: Clock
    readonly color: boolean
    readonly glyphs: Glyphs
    readonly width?: number
    /** Whether painting holds up nobody. */
    readonly apart?: boolean
  },
): Surface {
  const { clock, color, glyphs } = options
  let paintedMs = Number.NEGATIVE_INFINITY
  let intervalMs = PAINT_INTERVAL_MS
  let newest: Occasion | null = null
  const region = createLiveRegion(stream, () => {
    // Not more often than else: whoever drags a window or prints a lot would otherwise pay for it in the training loop.
    if (newest && due()) paint(newest, [])
  })

  function due(): boolean {
    return clock.monotonicMs() - paintedMs >= intervalMs
  }

  function view(): FrameView {
    const room = region.room()
    return { ...room, width: Math.min(room.width, options.width ?? room.width), color, glyphs }
  }

  function paint(occasion: Occasion, permanent: readonly string[]): void {
    paintedMs = clock.monotonicMs()
    region.show(frame(occasion.state(), view()), permanent)
    if (options.apart) return
    const tookMs = clock.monotonicMs() - paintedMs
    intervalMs = Math.min(MAX_PAINT_INTERVAL_MS, Math.max(PAINT_INTERVAL_MS, tookMs / MAX_PAINT_SHARE))
  }

  return {
    show(occasion) {
      newest = occasion
      const { moment, verbosity, alerts } = occasion
      if (moment === 'progress' && alerts.length === 0 && (!due() || region.behind)) return
      // The panel has a place of its own for alerts.
      const permanent = verbosity === VerbosityLevel.SIMPLE ? permanentAlerts(alerts, view().width, glyphs) : []
      paint(
        occasion,
        permanent.map((line) => renderLine(line, color)),
      )
      if (moment !== 'end') return
      region.end()
      newest = null
    },
    print(lines) {
      if (newest) return paint(newest, lines)
      region.show([], lines)
      region.end()
    },
    close(erase) {
      if (erase && newest) region.show([])
      region.end()
      newest = null
    },
  }
}
