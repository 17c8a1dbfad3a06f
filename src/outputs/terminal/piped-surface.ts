import type { Clock } from '../../time.ts'
import { VerbosityLevel } from '../../verbosity.ts'
import type { DisplayState } from './display-state.ts'
import { formatElapsed } from './format-value.ts'
import { frame } from './frame.ts'
import type { Glyphs } from './glyphs.ts'
import { permanentAlerts } from './permanent-alerts.ts'
import { safeWriter } from './safe-writer.ts'
import { simpleLine } from './simple-line.ts'
import { type Line, renderLine, span } from './spans.ts'
import type { Surface } from './surface.ts'
import { sizeOf, type TerminalStream } from './terminal-traits.ts'
import type { FrameView } from './view.ts'

/** A line at most every tenth of a minute and every twentieth of the run, whichever is rarer. */
const LINE_INTERVAL_MS = 10_000
const LINE_SHARE = 0.05
/** Lines of the closing panel. */
const PANEL_HEIGHT = 60

/** Writes a run line after line, for files, pipes and dumb terminals: nothing is ever taken back. */
export function pipedSurface(
  stream: TerminalStream,
  options: { readonly clock: Clock; readonly color: boolean; readonly glyphs: Glyphs; readonly width?: number },
): Surface {
  const { clock, color, glyphs } = options
  const writer = safeWriter(stream)
  const view: FrameView = {
    width: options.width ?? Math.max(20, sizeOf(stream).columns - 1),
    height: PANEL_HEIGHT,
    color,
    glyphs,
  }
  let writtenMs = Number.NEGATIVE_INFINITY
  let writtenDone = 0

  const write = (line: Line): void => writer.write(`${renderLine(line, color)}\n`)
  const writeStatus = (state: DisplayState): void => {
    const stamp = span(`[${formatElapsed(state.elapsedMs)}] `, 'dim')
    write([stamp, ...simpleLine(state, { ...view, width: view.width - stamp.text.length }, { bar: false })])
  }

  return {
    show({ moment, alerts, state, done, total }) {
      for (const line of permanentAlerts(alerts, view.width, glyphs)) write(line)
      if (moment === 'start') {
        writtenMs = Number.NEGATIVE_INFINITY
        writtenDone = 0
        write(startLine(state()))
      } else if (moment === 'end') {
        const last = state()
        writeStatus(last)
        // Mostly it stops because of an alert, which has just been written.
        if (last.why !== null && last.alerts.every(({ reason }) => reason !== last.why)) write([span(last.why)])
        if (last.verbosity === VerbosityLevel.VERBOSE) writer.write(`\n${frame(last, view).join('\n')}\n`)
      } else if (done > 0 && isDue(done, total)) {
        writtenMs = clock.monotonicMs()
        writtenDone = done
        writeStatus(state())
      }
    },
    print(lines) {
      for (const line of lines) writer.write(`${line}\n`)
    },
    close() {},
  }

  function isDue(done: number, total: number | null): boolean {
    if (writtenDone === 0) return true
    if (clock.monotonicMs() - writtenMs < LINE_INTERVAL_MS || writer.behind) return false
    // A run that fell back counts from where it is.
    return total === null || Math.abs(done - writtenDone) >= total * LINE_SHARE
  }
}

function startLine(state: DisplayState): Line {
  const length = state.total === null ? '' : `, ${state.total} iterations`
  return [span(`Telltale watches ${state.runId ?? 'a run'}${length}`)]
}
