/**
 * Keeps the run of a monitor in the store while it trains: a thread of its own follows the run's log.
 *
 * @module
 */
import { resolve } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { MonitorHandle, TrainingCallback } from '../callbacks.ts'
import type { QualityAnalyzerOptions } from '../decision/quality-analyzer.ts'
import { TelltaleError } from '../errors.ts'
import { preparedStorePath } from '../stores/open-store.ts'
import { plainText } from '../text/plain-text.ts'
import type { IndexerAnswer, IndexerData } from './run-indexer-thread.ts'

/** The thread's file. Node's threads know no TypeScript: from the sources it is the built one. */
const THREAD = import.meta.url.endsWith('.ts') ? '../../dist/watch/run-indexer-thread.js' : './run-indexer-thread.js'

/** Options of {@link RunIndexer}; all may be left out. */
export interface RunIndexerOptions {
  /**
   * File of the store; that of the data folder by default: `TELLTALE_DIR`, or `.telltale` of the current folder. Where that is on a network file system,
   * the store is in the folder for caches, which is said.
   */
  readonly path?: string
  /** How the run is judged for the store; as {@link QualityAnalyzer} does without options by default. Give what your own analyzer has. */
  readonly analyzer?: Pick<QualityAnalyzerOptions, 'mode' | 'preset' | 'falseAlarmRate' | 'klThreshold' | 'mute'>
  /** Takes one line when something is wrong with the store; standard error by default. The training goes on. */
  readonly onWarning?: (message: string) => void
}

/**
 * Keeps a run in the store for `telltale ls`, `show` and `compare`, without taking time from the training: a thread of its own reads the run's log as it grows.
 * It costs the training nothing an event; the thread uses up to a core while it catches up.
 *
 * @throws TelltaleError `bad-option`, when it is registered, for a monitor without an `outputDir`: there is no log to follow.
 *
 * @example
 * ```ts
 * import { mkdtempSync } from 'node:fs'
 * import { tmpdir } from 'node:os'
 * import { join } from 'node:path'
 * import { RunIndexer, TrainingMonitor } from 'telltale'
 * const folder = mkdtempSync(join(tmpdir(), 'run-'))
 * const monitor = new TrainingMonitor({ outputDir: folder })
 * const indexer = new RunIndexer({ path: join(folder, 'telltale.db') })
 * monitor.registerCallback(indexer)
 * await monitor.run(async () => {
 *   for (let i = 0; i < 3; i++) monitor.onEvent({ phase: 'iteration_end', iteration: i, metrics: { reward: i } })
 *   await indexer.flush() // what came so far is in the store now
 * })
 * console.log(monitor.summary().status) // completed
 * ```
 */
export class RunIndexer implements TrainingCallback {
  readonly name = 'RunIndexer'
  /** None: it reads the log. */
  readonly phases = []
  readonly #options: RunIndexerOptions
  #thread: Worker | null = null
  #asked = 0
  readonly #waiting = new Map<number, { resolve(): void; reject(error: TelltaleError): void }>()

  constructor(options: RunIndexerOptions = {}) {
    this.#options = options
  }

  /** Begins to follow the monitor's log. */
  onRegister(monitor: MonitorHandle): void {
    if (this.#thread !== null) return
    if (monitor.outputDir === null)
      throw new TelltaleError('bad-option', 'RunIndexer needs a log to follow: give the monitor an outputDir')
    const data: IndexerData = {
      folder: resolve(monitor.outputDir),
      run: monitor.runId,
      path: this.#options.path ?? preparedStorePath(process.env, (text) => this.#say(text)),
      analyzer: this.#options.analyzer ?? {},
    }
    const thread = new Worker(new URL(THREAD, import.meta.url), {
      workerData: data,
      // Flags of the training's own, such as --input-type, are not for the thread.
      execArgv: [],
    })
    this.#thread = thread
    thread.on('message', (answer: IndexerAnswer) => this.#take(answer))
    thread.on('error', (error) => this.#end(error.message))
    thread.on('exit', () => this.#end('its thread has ended'))
    // It must not hold up the end of a training.
    thread.unref()
  }

  onEvent(): void {}

  /**
   * Resolves when everything that the monitor has taken so far is in the store, on the disk.
   *
   * @throws TelltaleError `not-writable` where it cannot be stored; it is in the run's log all the same.
   */
  flush(): Promise<void> {
    return this.#ask('flush')
  }

  /** Stores the rest and ends the thread; called by the monitor when it is closed. Never throws. */
  async close(): Promise<void> {
    try {
      await this.#ask('close')
    } catch {
      // It was said.
    }
    const thread = this.#thread
    this.#thread = null
    await thread?.terminate()
  }

  #ask(what: 'flush' | 'close'): Promise<void> {
    const thread = this.#thread
    if (thread === null)
      return Promise.reject(
        new TelltaleError('bad-usage', 'RunIndexer is not at work: register it with a monitor first'),
      )
    const id = ++this.#asked
    return new Promise<void>((done, reject) => {
      this.#waiting.set(id, { resolve: done, reject })
      thread.ref()
      thread.postMessage({ id, what })
    })
  }

  #take(answer: IndexerAnswer): void {
    if ('said' in answer) {
      this.#say(answer.said)
      return
    }
    const waiting = this.#waiting.get(answer.id)
    this.#waiting.delete(answer.id)
    if (this.#waiting.size === 0) this.#thread?.unref()
    if (answer.problem === null) waiting?.resolve()
    else waiting?.reject(new TelltaleError('not-writable', answer.problem))
  }

  #end(why: string): void {
    if (this.#thread === null) return
    this.#thread = null
    if (this.#waiting.size === 0) this.#say(`the run is not stored any more: ${why}`)
    for (const { reject } of this.#waiting.values())
      reject(new TelltaleError('not-writable', `the run is not stored: ${why}`))
    this.#waiting.clear()
  }

  #say(text: string): void {
    const say = this.#options.onWarning ?? ((message: string) => void process.stderr.write(`telltale: ${message}\n`))
    try {
      say(plainText(text, 500))
    } catch {
      // A warning that cannot be said is not the training's problem.
    }
  }
}
