/**
 * Paints lines over the lines that it painted last, writing only those that changed. Nothing here knows what they show.
 *
 * @module
 */
const ESC = '\u001b['
const HIDE_CURSOR = `${ESC}?25l`
const SHOW_CURSOR = `${ESC}?25h`
// Terminals that know it show the whole update at once; the others ignore it.
const BEGIN_UPDATE = `${ESC}?2026h`
const END_UPDATE = `${ESC}?2026l`
const ERASE_LINE_END = `${ESC}K`
const ERASE_BELOW = `${ESC}J`
const HOME_AND_ERASE = `${ESC}H${ESC}2J`

/** Paints in place. The lines must not be wider than the terminal, nor more than it has rows. */
export interface Painter {
  /** Shows the lines instead of those before; writes nothing where they are equal. */
  paint(lines: readonly string[]): void
  /** Puts lines for good above the painted ones, which stay. They may wrap. */
  printAbove(permanent: readonly string[], lines: readonly string[]): void
  /** The screen was resized: what stands there is no longer where it was. */
  forgetScreen(): void
  /** Takes the painted lines away, for somebody else's text; the next paint draws them anew. */
  clear(): void
  /** Leaves the painted lines and gives the cursor back on the line below. */
  finish(): void
}

/** A painter that hides the cursor with its first paint. */
export function createPainter(write: (text: string) => void): Painter {
  /** What stands on the screen, the cursor in its last line; null while nothing does. */
  let shown: readonly string[] | null = null
  let hidden = false
  /** What has to be sent before the next paint. */
  let prefix = ''

  const send = (body: string): void => {
    write(BEGIN_UPDATE + (hidden ? '' : HIDE_CURSOR) + body + END_UPDATE)
    hidden = true
  }
  const fresh = (lines: readonly string[]): string => lines.map((line) => line + ERASE_LINE_END).join('\r\n')
  /** To the first column of the first painted line, with everything from there on erased. */
  const erased = (): string => {
    if (shown === null) return ''
    return `\r${up(shown.length - 1)}${ERASE_BELOW}`
  }

  return {
    paint(lines) {
      if (shown === null) {
        if (lines.length === 0 && prefix === '') return
        send(prefix + fresh(lines))
        prefix = ''
        shown = lines.length > 0 ? [...lines] : null
        return
      }
      const body = lines.length === 0 ? erased() : changes(shown, lines)
      if (body !== '') send(body)
      shown = lines.length > 0 ? [...lines] : null
    },
    printAbove(permanent, lines) {
      const above = permanent.map((line) => `${line}\r\n`).join('')
      send(prefix + erased() + above + fresh(lines))
      prefix = ''
      shown = lines.length > 0 ? [...lines] : null
    },
    forgetScreen() {
      if (shown === null) return
      // Where the lines stand now depends on how the terminal broke them anew. A panel owns the screen and starts again at
      // its top. A single line only starts again in its row: rows above it are somebody else's.
      prefix = shown.length > 1 ? HOME_AND_ERASE : `\r${ERASE_BELOW}`
      shown = null
    },
    clear() {
      const body = erased()
      if (body !== '') send(body)
      shown = null
    },
    finish() {
      const body = (shown === null ? '' : '\r\n') + (hidden ? SHOW_CURSOR : '')
      if (body !== '') write(body)
      shown = null
      hidden = false
      prefix = ''
    },
  }
}

/** The moves and texts that turn `before` into `after`, from somewhere in the last line of one to somewhere in that of the other. */
function changes(before: readonly string[], after: readonly string[]): string {
  let body = ''
  let row = before.length - 1
  const moveTo = (target: number): void => {
    body += target < row ? up(row - target) : down(target - row)
    row = target
  }
  const common = Math.min(before.length, after.length)
  for (let i = 0; i < common; i++) {
    if (before[i] === after[i]) continue
    moveTo(i)
    body += `\r${after[i]}${ERASE_LINE_END}`
  }
  if (after.length > before.length) {
    moveTo(before.length - 1)
    for (const line of after.slice(common)) body += `\r\n${line}${ERASE_LINE_END}`
  } else if (after.length < before.length) {
    moveTo(after.length)
    body += `\r${ERASE_BELOW}`
    moveTo(after.length - 1)
  } else if (body !== '') moveTo(after.length - 1)
  return body
}

function down(rows: number): string {
  return rows > 0 ? `${ESC}${rows}B` : ''
}

function up(rows: number): string {
  return rows > 0 ? `${ESC}${rows}A` : ''
}
