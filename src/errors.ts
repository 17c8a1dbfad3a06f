/**
 * What went wrong, for a program: each code is one kind of mistake or failure.
 *
 * - `bad-option`: an option or argument is out of range, of the wrong type, or does nothing in this mode
 * - `bad-usage`: a method was called in the wrong order or state
 * - `bad-event`: an event that cannot be built (unknown phase, negative iteration)
 * - `bad-format`: a file is not what it should be (truncated, wrong magic, wrong shape)
 * - `not-writable`: a file or folder cannot be written
 * - `not-readable`: a file or folder cannot be read
 * - `diverged`: training came to a number that is not finite
 * - `missing-part`: an optional package or a trained checkpoint is not there
 * - `interrupted`: the user stopped it
 */
export type ErrorCode =
  | 'bad-option'
  | 'bad-usage'
  | 'bad-event'
  | 'bad-format'
  | 'not-writable'
  | 'not-readable'
  | 'diverged'
  | 'missing-part'
  | 'interrupted'

/**
 * The one error class that Telltale throws; `code` is for programs, `message` says where, what came, what was expected
 * and what to do.
 *
 * @example
 * ```ts
 * import { TelltaleError } from 'telltale'
 * try {
 *   throw new TelltaleError('bad-option', 'windowSize is 0; expected an integer of at least 4')
 * } catch (error) {
 *   console.log(error instanceof TelltaleError && error.code) // bad-option
 * }
 * ```
 */
export class TelltaleError extends Error {
  /** What kind of problem it is, for programs. */
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.name = 'TelltaleError'
    this.code = code
  }
}

/** The message of anything that was thrown, never throwing itself, at most 500 characters. */
export function errorMessage(thrown: unknown): string {
  try {
    // A message may be anything that somebody assigned to it.
    const text = String(thrown instanceof Error ? thrown.message || thrown.name : thrown)
    return text.length > 500 ? `${text.slice(0, 499)}…` : text
  } catch {
    return 'an error that cannot be printed'
  }
}
