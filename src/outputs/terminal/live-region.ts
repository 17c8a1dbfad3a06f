/**
 * Lines at the bottom of a terminal that are painted in place, with all that this takes: a cursor that comes back, a screen
 * that is resized, others who write to it.
 *
 * @module
 */
import { guardCursor } from './cursor-guard.ts'
import { type ForeignOutput, watchForeignOutput } from './foreign-output.ts'
import { createPainter } from './painter.ts'
import { safeWriter } from './safe-writer.ts'
import { sizeOf, type TerminalStream } from './terminal-traits.ts'

/** See {@link createLiveRegion}. */
export interface LiveRegion {
  /** Columns and lines that a frame may take now. */
  room(): { readonly width: number; readonly height: number }
  /** Whether the terminal is slower than what was written. */
  readonly behind: boolean
  /** Shows the lines in place of those before, below `permanent` lines that stay. */
  show(lines: readonly string[], permanent?: readonly string[]): void
  /** Leaves what is shown and gives everything back; the next `show` begins anew below it. */
  end(): void
}

/** A region on a terminal. `onDisturbed` is called when what is shown is gone or out of place: show it again when due. */
export function createLiveRegion(stream: TerminalStream, onDisturbed: () => void): LiveRegion {
  const writer = safeWriter(stream)
  let foreign: ForeignOutput | null = null
  const painter = createPainter((text) => {
    if (foreign) foreign.own(() => writer.write(text))
    else writer.write(text)
  })
  let releaseCursor: (() => void) | null = null
  let size = sizeOf(stream)
  /** Whether foreign text stands in the line that would be painted next. */
  let midLine = false

  const begin = (): void => {
    if (releaseCursor) return
    size = sizeOf(stream)
    releaseCursor = guardCursor(end)
    stream.on?.('resize', onDisturbed)
    foreign = watchForeignOutput(
      stream === process.stdout && process.stderr.isTTY ? [stream, process.stderr] : [stream],
      () => {
        // The text of several writes without a line break belongs together.
        if (!midLine) painter.clear()
      },
      (endsLine) => {
        midLine = !endsLine
        if (endsLine) onDisturbed()
      },
    )
  }

  function end(): void {
    if (!releaseCursor) return
    painter.finish()
    foreign?.end()
    foreign = null
    stream.off?.('resize', onDisturbed)
    releaseCursor()
    releaseCursor = null
    midLine = false
  }

  return {
    room() {
      const { columns, rows } = sizeOf(stream)
      // A character in the last column makes some terminals wrap; a frame as high as the screen would scroll its top away,
      // at the end by the line that follows it too.
      return { width: Math.max(1, columns - 1), height: Math.max(1, rows > 12 ? rows - 2 : rows - 1) }
    },
    get behind() {
      return writer.behind
    },
    show(lines, permanent = []) {
      begin()
      const now = sizeOf(stream)
      if (now.columns !== size.columns || now.rows !== size.rows) painter.forgetScreen()
      size = now
      const above = midLine ? ['', ...permanent] : permanent
      midLine = false
      if (above.length > 0) painter.printAbove(above, lines)
      else painter.paint(lines)
    },
    end,
  }
}
