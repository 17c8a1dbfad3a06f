/**
 * How far a long stage is: a line painted in place on a terminal; elsewhere a line when it starts and one when it ends.
 *
 * @module
 */
import { type Clock, systemClock } from '../../time.ts'
import { displayText } from './display-text.ts'
import { formatElapsed } from './format-value.ts'
import { type Glyphs, glyphsFor } from './glyphs.ts'
import { createLiveRegion } from './live-region.ts'
import { progressBar } from './progress-bar.ts'
import { safeWriter } from './safe-writer.ts'
import { clipLine, fitLine, type Line, lineWidth, renderLine, span } from './spans.ts'
import { canRepaint, type Environment, showsUnicode, type TerminalStream, wantsColor } from './terminal-traits.ts'

/** See {@link createProgress}. */
export interface Progress {
  /** A stage of `total` steps begins; one that is open is over. */
  start(stage: string, total: number): void
  /** `done` steps of it are over. */
  update(done: number, note?: string): void
  /** The stage is over. */
  done(note?: string): void
  /** Leaves what is shown and gives the cursor back. */
  close(): void
}

/** What {@link createProgress} takes; all but the stream by default as a display has it. */
export interface ProgressOptions {
  readonly stream: TerminalStream
  readonly clock?: Clock
  readonly color?: boolean
  readonly unicode?: boolean
  readonly env?: Environment
}

/** Stages are short, so they are painted more often than a run. */
const PAINT_INTERVAL_MS = 200
const NAME_COLUMNS = 26
const MAX_BAR = 28
/** Columns of the note for which the bar gives way. */
const MAX_NOTE = 20

interface Stage {
  readonly name: string
  readonly total: number
  readonly startedMs: number
  done: number
  note: string
}

/** Shows stages one after the other; a stage that is over stays as a line. */
export function createProgress(options: ProgressOptions): Progress {
  const { stream, clock = systemClock, env = process.env } = options
  const color = options.color ?? wantsColor(stream, env)
  const glyphs = glyphsFor(options.unicode ?? showsUnicode(env))
  const writer = safeWriter(stream)
  const region = canRepaint(stream, env) ? createLiveRegion(stream, () => paint(true)) : null
  let stage: Stage | null = null
  let paintedMs = Number.NEGATIVE_INFINITY

  const elapsedMs = ({ startedMs }: Stage): number => Math.max(0, clock.monotonicMs() - startedMs)

  function paint(whenDue: boolean): void {
    if (!region || !stage) return
    const nowMs = clock.monotonicMs()
    if (whenDue && (nowMs - paintedMs < PAINT_INTERVAL_MS || region.behind)) return
    paintedMs = nowMs
    region.show([renderLine(openLine(stage, elapsedMs(stage), region.room().width, glyphs), color)])
  }

  function finish(note: string | undefined): void {
    if (!stage) return
    if (note !== undefined) stage.note = displayText(note, 200)
    const width = region?.room().width ?? Number.POSITIVE_INFINITY
    const line = renderLine(doneLine(stage, elapsedMs(stage), width, glyphs), color)
    stage = null
    if (region) {
      region.show([], [line])
      region.end()
    } else writer.write(`${line}\n`)
  }

  return {
    start(name, total) {
      finish(undefined)
      stage = { name: displayText(name, 80), total, startedMs: clock.monotonicMs(), done: 0, note: '' }
      if (region) paint(false)
      else writer.write(`${stage.name} ...\n`)
    },
    update(done, note) {
      if (!stage) return
      stage.done = done
      if (note !== undefined) stage.note = displayText(note, 200)
      paint(true)
    },
    done(note) {
      if (stage) stage.done = Math.max(stage.done, stage.total)
      finish(note)
    },
    close() {
      stage = null
      region?.end()
    },
  }
}

function openLine(stage: Stage, elapsedMs: number, width: number, glyphs: Glyphs): Line {
  const share = stage.total > 0 ? Math.min(1, Math.max(0, stage.done / stage.total)) : 0
  const etaMs = share > 0 ? (elapsedMs / share) * (1 - share) : null
  const name = fitLine([span(stage.name)], Math.min(NAME_COLUMNS, Math.max(8, width - 12)), glyphs)
  const count = span(`  ${Math.min(stage.done, stage.total)}/${stage.total}`, 'strong')
  const eta = share < 1 && etaMs !== null ? [span('  ETA ', 'dim'), span(formatElapsed(etaMs))] : []
  const note = stage.note === '' ? [] : [span(`  ${stage.note}`, 'dim')]
  const room = width - lineWidth([span('  '), ...name, span('  '), count, ...eta]) - Math.min(MAX_NOTE, lineWidth(note))
  const bar = room >= 6 ? progressBar(share, Math.min(MAX_BAR, room), glyphs) : []
  return clipLine([span('  '), ...name, span('  '), ...bar, count, ...eta, ...note], width, glyphs)
}

function doneLine(stage: Stage, elapsedMs: number, width: number, glyphs: Glyphs): Line {
  const whole = stage.done >= stage.total
  const mark = whole ? span(`${glyphs.done} `, 'good') : span(`${glyphs.stopped} `, 'warn')
  const name =
    lineWidth([span(stage.name)]) < NAME_COLUMNS
      ? fitLine([span(stage.name)], NAME_COLUMNS, glyphs)
      : [span(stage.name)]
  const count = whole ? [] : [span(`  ${stage.done}/${stage.total}`)]
  const note = stage.note === '' ? [] : [span(`  ${stage.note}`, 'dim')]
  return clipLine([mark, ...name, ...count, span(`  ${formatElapsed(elapsedMs)}`), ...note], width, glyphs)
}
