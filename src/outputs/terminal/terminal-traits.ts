/** A stream as displays use it: `process.stdout`, or anything with a `write`. */
export interface TerminalStream {
  /** Writes text; false where it did not go out at once. */
  write(text: string): unknown
  /** True for a terminal. */
  readonly isTTY?: boolean | undefined
  /** Width in characters, where it is a terminal. */
  readonly columns?: number | undefined
  /** Height in lines, where it is a terminal. */
  readonly rows?: number | undefined
  /** True once it is gone; nothing is written then. */
  readonly destroyed?: boolean | undefined
  /** True once it has been ended; nothing is written then. */
  readonly writableEnded?: boolean | undefined
  /** True while what was written has not gone out; painting waits. */
  readonly writableNeedDrain?: boolean | undefined
  /** Registers for an event, such as `resize`. */
  on?(event: string, listener: () => void): unknown
  /** Takes a registration back. */
  off?(event: string, listener: () => void): unknown
}

/** The environment variables that say what a terminal can do. */
export type Environment = Readonly<Record<string, string | undefined>>

/** Used where a terminal does not say its size (or says 0). */
const DEFAULT_SIZE = { columns: 80, rows: 24 }
/** Columns of a line that goes to a file or pipe. */
const PIPED_COLUMNS = 120

/** Whether lines can be rewritten in place: a terminal, and not a dumb one. */
export function canRepaint(stream: TerminalStream, env: Environment): boolean {
  return stream.isTTY === true && env.TERM !== 'dumb'
}

/**
 * Whether to colour: NO_COLOR (any value but the empty one) forbids, FORCE_COLOR asks for it even when piped (`0` and `false`
 * forbid), else a terminal that is not dumb has colour.
 */
export function wantsColor(stream: TerminalStream, env: Environment): boolean {
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== '') return false
  if (env.FORCE_COLOR !== undefined) return env.FORCE_COLOR !== '0' && env.FORCE_COLOR !== 'false'
  return canRepaint(stream, env)
}

/** Whether marks beyond ASCII are shown: not by Linux' own console, a dumb terminal, or in a locale that is not UTF-8. */
export function showsUnicode(env: Environment, platform: string = process.platform): boolean {
  if (env.TERM === 'linux' || env.TERM === 'dumb') return false
  if (platform === 'win32') return Boolean(env.WT_SESSION || env.TERM_PROGRAM || env.TERM)
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG
  // Containers set no locale at all, and their output is shown by a terminal that has one.
  return !locale || /utf-?8/i.test(locale)
}

/** Columns and rows of a stream, whatever it says of itself. */
export function sizeOf(stream: TerminalStream): { readonly columns: number; readonly rows: number } {
  const fallback = stream.isTTY === true ? DEFAULT_SIZE : { ...DEFAULT_SIZE, columns: PIPED_COLUMNS }
  const usable = (value: unknown, otherwise: number): number =>
    typeof value === 'number' && Number.isFinite(value) && value >= 1 ? Math.floor(value) : otherwise
  return { columns: usable(stream.columns, fallback.columns), rows: usable(stream.rows, fallback.rows) }
}
