import type { Readable } from 'node:stream'
import type { Unreadable } from '../check/check-path.ts'
import { TelltaleError } from '../errors.ts'
import { createProgress } from '../outputs/terminal/progress.ts'
import { plainText } from '../text/plain-text.ts'

/** Exit code of what was ended by Ctrl-C. */
export const INTERRUPTED = 130

/** Inputs from this size on show how far they are. */
const LONG_INPUT_BYTES = 4 * 1024 * 1024

/** How one path is read. */
export interface ReadHow {
  readonly stdin: Readable
  readonly signal: AbortSignal
  readonly onSize: (bytes: number) => void
  readonly onBytes: (bytes: number) => void
}

/** What is done with each of the paths that a verb was given. */
export interface ReadPathsOptions<Result> {
  read(path: string, how: ReadHow): Promise<Result>
  /** What could not be read beside the result. */
  unreadable(result: Result): readonly Unreadable[]
  /** Says one result as soon as it is there. */
  say(result: Result): Promise<void>
}

/**
 * Reads one path after the other, with progress for long ones; what cannot be read is said on standard error, and the others are read.
 *
 * @returns null where Ctrl-C ended it, which was said.
 * @throws TelltaleError `bad-usage` where standard input is named twice.
 */
export async function readPaths<Result>(
  paths: readonly string[],
  { read, unreadable, say }: ReadPathsOptions<Result>,
): Promise<{ readonly results: readonly Result[]; readonly errors: readonly Unreadable[] } | null> {
  if (paths.filter((path) => path === '-').length > 1)
    throw new TelltaleError('bad-usage', 'standard input (-) can be read once')
  const controller = new AbortController()
  const onInterrupt = () => controller.abort()
  process.once('SIGINT', onInterrupt)
  const results: Result[] = []
  const errors: Unreadable[] = []
  const refuse = (one: Unreadable) => {
    errors.push(one)
    process.stderr.write(`telltale: ${plainText(one.problem)} [not-readable]\n`)
  }
  try {
    for (const path of paths) {
      let progress: ReturnType<typeof progressFor> = null
      try {
        const result = await read(path, {
          onSize: (bytes) => {
            progress = progressFor(path, bytes)
          },
          onBytes: (bytes) => progress?.add(bytes),
          stdin: process.stdin,
          signal: controller.signal,
        })
        ended(progress, 'done')
        results.push(result)
        await say(result)
        for (const one of unreadable(result)) refuse(one)
      } catch (error) {
        ended(progress, 'close')
        if (controller.signal.aborted) {
          process.stderr.write('telltale: interrupted; nothing was changed\n')
          return null
        }
        if (!(error instanceof TelltaleError && error.code === 'not-readable')) throw error
        refuse({ path, problem: error.message })
      }
    }
  } finally {
    process.off('SIGINT', onInterrupt)
  }
  return { results, errors }
}

/** The progress is made in a callback, which the type checker does not see. */
function ended(progress: ReturnType<typeof progressFor>, how: 'done' | 'close'): void {
  progress?.[how]()
}

/** How far a long input is, on a terminal. */
function progressFor(path: string, bytes: number): { add(bytes: number): void; done(): void; close(): void } | null {
  if (!process.stderr.isTTY || bytes < LONG_INPUT_BYTES) return null
  const megabytes = (count: number) => Math.round(count / 1e6)
  const progress = createProgress({ stream: process.stderr })
  let read = 0
  progress.start(`Reading ${path}`, megabytes(bytes))
  return {
    add(more) {
      read += more
      progress.update(megabytes(read), 'MB')
    },
    done() {
      progress.done(`${megabytes(read)} MB`)
      progress.close()
    },
    close: () => progress.close(),
  }
}
