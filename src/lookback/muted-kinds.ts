import type { AlertKind } from '../detectors/detector.ts'
import type { RunStore } from '../stores/store.ts'
import { findStoredRun } from './find-stored-run.ts'

/**
 * The kinds that whoever watched a stored run had muted, as far as it had alerts of them.
 *
 * @param text names the run as {@link findStoredRun} takes it.
 * @param open opens the store, or gives null where there is none yet.
 */
export function mutedKindsOf(text: string, open: () => RunStore | null): readonly AlertKind[] {
  const store = open()
  if (store === null) return []
  try {
    const alerts = store.alerts(findStoredRun(store.runs(), text).key)
    return [...new Set(alerts.filter(({ muted }) => muted).map(({ kind }) => kind))]
  } finally {
    store.close()
  }
}
