import type { Source, SourceBatch } from '../sources/source.ts'
import { yieldToEventLoop } from '../time.ts'

/** A source whose `read` does not wait. */
export interface PolledSource extends Source {
  /** Whether nothing follows. */
  readonly ended: boolean
}

/**
 * A source of a stream, read without waiting for what has not come yet, so that the files beside it are not held up.
 *
 * @param opening what opens it, which may wait for the first line.
 */
export function polledSource(opening: Promise<Source>, stream: { destroy(): unknown }): PolledSource {
  let source: Source | null = null
  const opened = opening.then((one) => {
    source = one
    return one
  })
  let pending: Promise<SourceBatch> | null = null
  let arrived: SourceBatch | null = null
  let failure: { readonly error: unknown } | null = null
  let ended = false
  return {
    get name() {
      return source?.name ?? 'console'
    },
    get ended() {
      return ended
    },
    async read(options = {}) {
      if (pending === null) {
        pending = opened.then((one) => one.read(options))
        pending.then(
          (batch) => {
            arrived = batch
          },
          (error: unknown) => {
            failure = { error }
          },
        )
      }
      await yieldToEventLoop()
      if (failure) throw (failure as { readonly error: unknown }).error
      if (arrived === null) return { records: [], position: null, damage: [], bytes: 0, more: false }
      const batch: SourceBatch = arrived
      arrived = null
      pending = null
      ended = !batch.more
      return batch
    },
    close: () => void stream.destroy(),
  }
}
