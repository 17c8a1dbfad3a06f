/**
 * The first rows of a Parquet file, decoded in a thread of their own that is ended where it takes too long or too much memory: a file that is
 * damaged on purpose must not hold up whoever watches.
 *
 * @module
 */
import { Worker } from 'node:worker_threads'
import { sleep } from '../time.ts'

/** A column in the order of the file; whole numbers are numbers here. */
export interface ParquetColumn {
  readonly name: string
  readonly values: readonly unknown[]
}

/** The columns, or what is wrong with the file. */
export type ParquetRows = { readonly columns: readonly ParquetColumn[] } | { readonly problem: string }

const MAX_MILLISECONDS = 10_000
const MAX_MEGABYTES = 256
/** Characters of a text that are kept. */
const MAX_CHARACTERS = 64 * 1024

/** The body of the thread, as a text: no file of its own has to be found, wherever this one was built to. */
const BODY = `
const { parentPort, workerData } = require('node:worker_threads')
const hyparquet = import(workerData.hyparquet)
parentPort.on('message', async ({ bytes, rows }) => {
  try {
    const { parquetMetadata, parquetReadObjects } = await hyparquet
    const metadata = parquetMetadata(bytes)
    const names = metadata.schema.slice(1).filter(({ num_children }) => !num_children).map(({ name }) => name)
    const objects = await parquetReadObjects({ file: bytes, metadata, rowEnd: Math.min(rows, Number(metadata.num_rows)) })
    const plain = (value) =>
      typeof value === 'bigint' ? Number(value) : typeof value === 'string' ? value.slice(0, workerData.characters) : value
    const kept = (value) => ['bigint', 'string', 'number', 'boolean'].includes(typeof value) ? plain(value) : null
    parentPort.postMessage({ columns: names.map((name) => ({ name, values: objects.map((row) => kept(row[name])) })) })
  } catch (error) {
    parentPort.postMessage({ problem: String(error && error.message) })
  }
})`

/** One thread for all files, one after the other; it does not keep the process alive. */
let thread: Worker | null = null
let turn: Promise<unknown> = Promise.resolve()

/** @param rows how many at most. */
export function parquetRows(bytes: Uint8Array<ArrayBuffer>, rows: number): Promise<ParquetRows> {
  const answer = turn.then(() => decode(bytes, rows))
  turn = answer
  return answer
}

async function decode(bytes: Uint8Array<ArrayBuffer>, rows: number): Promise<ParquetRows> {
  if (Buffer.from(bytes.subarray(-4)).toString('latin1') !== 'PAR1') return { problem: 'torn: it has no end' }
  thread ??= begin()
  const worker = thread
  worker.ref()
  const over = new AbortController()
  let settle: (answer: ParquetRows) => void = () => {}
  const answer = new Promise<ParquetRows>((resolve) => {
    settle = resolve
  })
  const failed = (problem: string) => {
    thread = null
    settle({ problem })
  }
  const onError = (error: Error) => failed(error.message)
  const onExit = () => failed('the decoder ended without an answer')
  worker.on('message', settle).on('error', onError).on('exit', onExit)
  void sleep(MAX_MILLISECONDS, over.signal).then(() => {
    if (over.signal.aborted) return
    failed(`not decoded within ${MAX_MILLISECONDS / 1000} s`)
    void worker.terminate()
  })
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)
  worker.postMessage({ bytes: buffer, rows }, [buffer])
  const said = await answer
  over.abort()
  worker.off('message', settle).off('error', onError).off('exit', onExit)
  worker.unref()
  return said
}

function begin(): Worker {
  const worker = new Worker(BODY, {
    eval: true,
    workerData: { hyparquet: import.meta.resolve('hyparquet'), characters: MAX_CHARACTERS },
    resourceLimits: { maxOldGenerationSizeMb: MAX_MEGABYTES },
  })
  // What a thread comes to that nobody waits for any more is nobody's.
  worker.on('error', () => {})
  return worker
}
