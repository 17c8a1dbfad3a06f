/**
 * Where time comes from: the only file besides the trainer's seeded generator that may touch the machine's clock, so that
 * a test can move time by hand and a replay sees the times of the recorded run.
 */
export interface Clock {
  /** Wall time in seconds since the Unix epoch. */
  unixSeconds(): number
  /** Milliseconds of a clock that never steps back; only differences mean something. */
  monotonicMs(): number
}

// Read from the global object, it goes through a getter each time.
const { performance } = globalThis

/** The machine's own clock. */
export const systemClock: Clock = {
  unixSeconds: () => Date.now() / 1000,
  monotonicMs: () => performance.now(),
}

/**
 * A clock that moves only when told, for tests and replays.
 *
 * @example
 * ```ts
 * import { manualClock } from 'telltale/testing'
 * const clock = manualClock({ unixSeconds: 1000 })
 * clock.advanceMs(500)
 * console.log(clock.unixSeconds()) // 1000.5
 * ```
 */
export function manualClock(start: { readonly unixSeconds?: number } = {}): Clock & { advanceMs(ms: number): void } {
  let elapsedMs = 0
  const origin = start.unixSeconds ?? 0
  return {
    unixSeconds: () => origin + elapsedMs / 1000,
    monotonicMs: () => elapsedMs,
    advanceMs(ms) {
      elapsedMs += ms
    },
  }
}

/** Lets signals, timers and painting run once before going on. */
export function yieldToEventLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** A random identifier of `bytes` bytes in lower-case hexadecimal (not for secrets). */
export function randomId(bytes = 6): string {
  let id = ''
  for (let i = 0; i < bytes; i++)
    id += Math.floor(Math.random() * 256)
      .toString(16)
      .padStart(2, '0')
  return id
}

/** So many milliseconds, or by chance up to a quarter more. */
export function aboutMs(ms: number): number {
  return ms * (1 + Math.random() / 4)
}

/** Waits so many milliseconds, or until the signal is aborted, whichever comes first; never throws. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve()
    const end = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal?.addEventListener('abort', end)
  })
}
