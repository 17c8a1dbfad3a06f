import type { ProcessInfo } from '../run-summary.ts'
import type { RunningProcess, RunStore, StoredRun } from './store.ts'

/**
 * Marks runs as crashed that have no end and whose process is gone.
 *
 * @param isAlive whether a process goes on; null where that cannot be known from here.
 * @returns the runs that were marked.
 */
export function markCrashed(
  store: RunStore,
  isAlive: (process: ProcessInfo) => boolean | null,
): readonly RunningProcess[] {
  const crashed = store.runningProcesses().filter(({ process }) => isAlive(process) === false)
  for (const { key } of crashed) store.markEnded(key, 'crashed')
  return crashed
}

/** When a run was last heard of, as the end of a sentence; nothing where its log has no times. */
export function lastHeardWords({ newestUnixSeconds }: Pick<StoredRun, 'newestUnixSeconds'>): string {
  return newestUnixSeconds ? `, last heard of at ${new Date(1000 * newestUnixSeconds).toISOString()}` : ''
}
