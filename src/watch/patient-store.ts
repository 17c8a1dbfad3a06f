import { errorMessage, TelltaleError } from '../errors.ts'
import type { RunStore } from '../stores/store.ts'

/** Seconds between two tries to open a store: less than between two tries to write into it. */
const RETRY_SECONDS = 25

/** What may be over in a while: no room, or somebody who holds the file. */
const PASSING = /\b(SQLITE_(BUSY|LOCKED|FULL|IOERR)|ENOSPC|EDQUOT|EFBIG|EAGAIN|database is locked|disk I\/O error)/

/** Whether a store that could not be opened may be later. */
export function mayPass(error: unknown): boolean {
  if (!(error instanceof TelltaleError) || error.code !== 'not-writable') return false
  const { code } = (error.cause ?? {}) as { readonly code?: unknown }
  return PASSING.test(`${code} ${errorMessage(error)}`)
}

/** A store that is opened when it is first asked, and tried again where that failed: until then each of its methods throws why. */
export function patientStore(open: () => RunStore, now: () => number): RunStore {
  let store: RunStore | null = null
  let failed: { readonly error: unknown; readonly seconds: number } | null = null

  function opened(): RunStore {
    if (store !== null) return store
    // Each try may wait for a lock.
    if (failed !== null && now() >= failed.seconds && now() - failed.seconds < RETRY_SECONDS) throw failed.error
    try {
      store = open()
      return store
    } catch (error) {
      failed = { error, seconds: now() }
      throw error
    }
  }

  return new Proxy({} as RunStore, {
    get(_target, name: keyof RunStore) {
      if (name === 'close') return () => store?.close()
      return (...given: never[]) => (opened()[name] as (...given: never[]) => unknown)(...given)
    },
  })
}
