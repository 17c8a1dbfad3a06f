import type { RunState } from './store.ts'

/** A run of which nothing has come yet. */
export const NEW_RUN: RunState = {
  ...{ name: 'r', project: '', trainer: 'own-loop', status: 'running', preset: null, process: null },
  ...{ iterations: 0, loggedIterations: 0, followed: true, lastIteration: null, totalIterations: null },
  ...{ startedUnixSeconds: null, newestUnixSeconds: null, config: {}, checkpoints: [], coverage: [], missingLines: 0 },
  attempts: [{ attempt: 1, fromIteration: 0 }],
}
