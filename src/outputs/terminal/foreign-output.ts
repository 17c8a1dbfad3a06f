import type { TerminalStream } from './terminal-traits.ts'

/** What {@link watchForeignOutput} gives. */
export interface ForeignOutput {
  /** Runs writes of one's own, which are not foreign. */
  own(write: () => void): void
  end(): void
}

/**
 * Tells when somebody else (a `console.log` of the training loop, a warning) writes to a terminal that is painted on: before
 * the text goes out, so that the painting can be taken away, and after it. Without that the text would land in the middle of
 * the painting and everything painted later would be off by its lines. The text itself is passed on untouched.
 */
export function watchForeignOutput(
  streams: readonly TerminalStream[],
  before: () => void,
  after: (endsLine: boolean) => void,
): ForeignOutput {
  let depth = 0
  const own = (write: () => void): void => {
    depth++
    try {
      write()
    } finally {
      depth--
    }
  }
  const ends = streams.map((stream) =>
    wrapWrite(stream, (text, pass) => {
      if (depth > 0) return pass()
      own(before)
      const result = pass()
      own(() => after(text.endsWith('\n')))
      return result
    }),
  )
  return {
    own,
    end() {
      for (const end of ends) end()
    },
  }
}

type Write = (...args: unknown[]) => unknown

/** Replaces `write` of one stream; returns what puts it back. */
function wrapWrite(stream: TerminalStream, around: (text: string, pass: () => unknown) => unknown): () => void {
  const target = stream as unknown as { write: Write }
  const original = target.write
  const inherited = !Object.hasOwn(target, 'write')
  let active = true
  const wrapper: Write = function (this: unknown, ...args) {
    const pass = (): unknown => original.apply(this ?? stream, args)
    if (!active) return pass()
    const [chunk] = args
    return around(typeof chunk === 'string' ? chunk : endOf(chunk), pass)
  }
  try {
    target.write = wrapper
  } catch {
    return () => undefined
  }
  return () => {
    active = false
    // Where somebody else has wrapped it since, theirs must stay; ours then only passes on.
    if (target.write !== wrapper) return
    if (inherited) delete (target as { write?: Write }).write
    else target.write = original
  }
}

/** The last byte of a chunk, as text. */
function endOf(chunk: unknown): string {
  return chunk instanceof Uint8Array && chunk.length > 0 ? String.fromCharCode(chunk.at(-1)!) : ''
}
