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

/** Paints a run in place on a terminal. */
export function liveSurface(
  stream: TerminalStream,
  options: { readonly clock: Clock; readonly color: boolean; readonly glyphs: Glyphs; readonly width?: number },
): Surface {
  const { clock, color, glyphs } = options
  let paintedMs = Number.NEGATIVE_INFINITY
  let newest: Occasion | null = null
  const region = createLiveRegion(stream, () => {
    // Not more often than else: whoever drags a window or prints a lot would otherwise pay for it in the training loop.
    if (newest && due()) paint(newest, [])
  })

  function due(): boolean {
    return clock.monotonicMs() - paintedMs >= PAINT_INTERVAL_MS
  }

  function view(): FrameView {
    const room = region.room()
    return { ...room, width: Math.min(room.width, options.width ?? room.width), color, glyphs }
  }

  function paint(occasion: Occasion, permanent: readonly string[]): void {
    paintedMs = clock.monotonicMs()
    region.show(frame(occasion.state(), view()), permanent)
  }

  return {
    show(occasion) {
      newest = occasion
      const { moment, alerts } = occasion
      if (moment === 'progress' && alerts.length === 0 && (!due() || region.behind)) return
      // The panel has a place of its own for alerts.
      const state = alerts.length > 0 ? occasion.state() : null
      const permanent = state?.verbosity === VerbosityLevel.SIMPLE ? permanentAlerts(alerts, view().width, glyphs) : []
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
    close() {
      region.end()
      newest = null
    },
  }
}
