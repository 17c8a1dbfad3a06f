/**
 * Runs in memory: for tests, and wherever nothing is to be left behind.
 *
 * @module
 */
import { sqliteStore } from './sqlite.ts'
import type { RunStore } from './store.ts'

/**
 * A store that keeps runs until it is closed, without a file: the same statements as in a file, on SQLite's own memory.
 *
 * @example
 * ```ts
 * import { memoryStore } from 'telltale/testing'
 * const store = memoryStore()
 * const epoch = store.claim({ key: 'place 1', run: 'run-1', name: 'first try', path: '/runs/1', source: 'jsonl' })
 * console.log(epoch, store.runs().length) // 1 0
 * store.close()
 * ```
 */
export function memoryStore(): RunStore {
  return sqliteStore({ path: ':memory:', now: () => 0 })
}
