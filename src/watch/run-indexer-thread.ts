/**
 * The thread of a {@link RunIndexer}: follows one run's log, and keeps it in the store.
 *
 * @module
 */
import { parentPort, workerData } from 'node:worker_threads'
import { errorMessage } from '../errors.ts'
import { keyOfPart } from '../sources/find-runs.ts'
import { telltaleFormat } from '../sources/telltale-run.ts'
import { sqliteStore } from '../stores/sqlite.ts'
import { sleep, systemClock } from '../time.ts'
import { keepRuns } from './keep-runs.ts'
import { type WatchedRunOptions, watchRun } from './watched-run.ts'

/** What the thread is told. */
export interface IndexerData {
  readonly folder: string
  readonly run: string
  readonly path: string
  readonly analyzer: WatchedRunOptions['analyzer']
}

/** What it answers: a question with its number, or a line for a person. */
export type IndexerAnswer = { readonly id: number; readonly problem: string | null } | { readonly said: string }

/** Between two looks at the log. */
const LOOK_INTERVAL_MS = 500

async function index({ folder, run: name, path, analyzer }: IndexerData): Promise<void> {
  const port = parentPort!
  const asked: { readonly id: number; readonly what: 'flush' | 'close' }[] = []
  let wake = new AbortController()
  port.on('message', (question: (typeof asked)[number]) => {
    asked.push(question)
    wake.abort()
  })
  const say = (said: string): void => port.postMessage({ said } satisfies IndexerAnswer)
  const keeper = keepRuns(sqliteStore({ path, now: systemClock.unixSeconds, say }), systemClock, say)
  const { onBegin, resume } = keeper
  // Where a watch of the same folder finds it, it is the same run.
  const part = { format: telltaleFormat, path: folder, id: '' }
  const found = { key: keyOfPart(part), name, parts: [part] }
  const run = watchRun(found, { analyzer, now: systemClock.unixSeconds, onBegin, resume })
  for (let closing = false; !closing; ) {
    const questions = asked.splice(0)
    while ((await run.read()).more);
    if (questions.length === 0) keeper.round([run])
    else {
      const stored = keeper.flush([run])
      const problem = run.problem ?? (stored ? null : `the run cannot be stored in ${path}`)
      closing = questions.some(({ what }) => what === 'close')
      if (closing) keeper.close([run])
      for (const { id } of questions) port.postMessage({ id, problem } satisfies IndexerAnswer)
    }
    if (!closing && asked.length === 0) {
      wake = new AbortController()
      await sleep(LOOK_INTERVAL_MS, wake.signal)
    }
  }
  run.close()
  port.close()
}

index(workerData as IndexerData).catch((error: unknown) => {
  parentPort?.postMessage({ said: `the run is not stored: ${errorMessage(error)}` } satisfies IndexerAnswer)
  throw error
})
