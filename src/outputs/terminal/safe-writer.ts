import type { TerminalStream } from './terminal-traits.ts'

/** Writes that never throw: a reader that went away ends the display, not the training. */
export interface SafeWriter {
  /** Writes, or does nothing when the stream is gone. */
  write(text: string): void
  /** Whether the reader is slower than what was written: what can wait should. */
  readonly behind: boolean
  readonly gone: boolean
}

// Streams of which somebody listens to errors: without a listener an EPIPE that arrives later would end the process. It stays,
// since such an error may come after the display has closed; one a stream, however many displays there are.
const guarded = new WeakMap<TerminalStream, { gone: boolean }>()

/** A writer for a stream. */
export function safeWriter(stream: TerminalStream): SafeWriter {
  const state = guarded.get(stream) ?? guard(stream)
  const isGone = (): boolean => state.gone || stream.destroyed === true || stream.writableEnded === true
  return {
    write(text) {
      if (text === '' || isGone()) return
      try {
        stream.write(text)
      } catch {
        state.gone = true
      }
    },
    get behind() {
      return stream.writableNeedDrain === true
    },
    get gone() {
      return isGone()
    },
  }
}

function guard(stream: TerminalStream): { gone: boolean } {
  const state = { gone: false }
  guarded.set(stream, state)
  try {
    stream.on?.('error', () => {
      state.gone = true
    })
  } catch {
    // A stream that cannot be listened to can still be written to.
  }
  return state
}
