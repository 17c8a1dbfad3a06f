/**
 * A stored run as a file for other tools: JSON lines and CSV with a row an iteration, or a TensorBoard event file. Parquet is in `export-parquet.ts`, whose
 * library the other formats need not load.
 *
 * @module
 */
import { maskedCrc32c } from '../sources/crc32c.ts'
import type { RunStore, StoredRun } from '../stores/store.ts'
import { iterationWindows } from './iteration-windows.ts'

/** Formats of an exported run. */
export const EXPORT_FORMATS = ['jsonl', 'csv', 'tensorboard', 'parquet'] as const

/** One of {@link EXPORT_FORMATS}. */
export type ExportFormat = (typeof EXPORT_FORMATS)[number]

/** Values that are held in memory at once, in about ten megabytes. */
const VALUES_AT_ONCE = 1 << 17

/** How a run is written. */
export interface ExportOptions {
  /** Told how many values each piece of the run had. */
  readonly onValues?: ((values: number) => void) | undefined
  /** Values that are held at once; 131,072 by default. */
  readonly atOnce?: number | undefined
}

/** The pieces of the file, one after the other, made of some iterations at a time: memory does not grow with the run. */
export function* exportRun(
  store: RunStore,
  run: StoredRun,
  format: Exclude<ExportFormat, 'parquet'>,
  { onValues = () => {}, atOnce = VALUES_AT_ONCE }: ExportOptions = {},
): Generator<Buffer> {
  const names = store.series(run.key).map(({ name }) => name)
  yield beginning(run, names, format)
  for (const window of iterationWindows(store, run.key, atOnce)) {
    const series = names.map((name) => ({ name, ...store.points(run.key, name, window) }))
    if (format === 'tensorboard') yield* events(run, series)
    else yield* rows(series, format)
    onValues(series.reduce((sum, { values }) => sum + values.length, 0))
  }
}

function beginning(
  { startedUnixSeconds }: StoredRun,
  names: readonly string[],
  format: Exclude<ExportFormat, 'parquet'>,
): Buffer {
  if (format === 'csv') return Buffer.from(`step,${names.map(csvCell).join(',')}\n`)
  if (format === 'jsonl') return Buffer.alloc(0)
  return record(Buffer.concat([double(1, startedUnixSeconds ?? 0), bytes(3, Buffer.from('brain.Event:2'))]))
}

interface Series {
  readonly name: string
  readonly iterations: readonly number[]
  readonly values: readonly number[]
}

const ROWS_A_PIECE = 1000

function* rows(series: readonly Series[], format: 'jsonl' | 'csv'): Generator<Buffer> {
  // A value that came twice for one iteration is the later one.
  const byName = series.map(({ name, iterations, values }) => ({
    name,
    at: new Map(iterations.map((iteration, i) => [iteration, values[i]!])),
  }))
  const all = [...new Set(byName.flatMap(({ at }) => [...at.keys()]))].sort((a, b) => a - b)
  let text = ''
  for (const [i, iteration] of all.entries()) {
    const cells = byName.map(({ at }) => at.get(iteration))
    if (format === 'csv')
      text += `${iteration},${cells.map((value) => (value === undefined ? '' : numberText(value))).join(',')}\n`
    else {
      const logged = byName.flatMap(({ name }, j) =>
        cells[j] === undefined ? [] : [`${JSON.stringify(name)}:${jsonNumber(cells[j])}`],
      )
      text += `{"step":${iteration}${logged.map((one) => `,${one}`).join('')}}\n`
    }
    if (i % ROWS_A_PIECE !== ROWS_A_PIECE - 1) continue
    yield Buffer.from(text)
    text = ''
  }
  if (text !== '') yield Buffer.from(text)
}

function csvCell(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** As Python's float reads it. */
function numberText(value: number): string {
  if (Number.isNaN(value)) return 'nan'
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf'
  return Object.is(value, -0) ? '-0.0' : String(value)
}

function jsonNumber(value: number | undefined): string {
  return value === undefined || !Number.isFinite(value) ? `"${value}"` : Object.is(value, -0) ? '-0.0' : String(value)
}

/** Records of an event file, in the order of the steps: TensorBoard takes a step back for a restart. */
function* events({ startedUnixSeconds }: StoredRun, series: readonly Series[]): Generator<Buffer> {
  const time = startedUnixSeconds ?? 0
  const all = series.flatMap(({ name, iterations, values }) =>
    iterations.map((iteration, i) => ({ name, iteration, value: values[i]! })),
  )
  for (const { name, iteration, value } of all.sort((a, b) => a.iteration - b.iteration)) {
    const scalar = Buffer.concat([bytes(1, Buffer.from(name)), float(2, value)])
    yield record(Buffer.concat([double(1, time), varint(2, iteration), bytes(5, bytes(1, scalar))]))
  }
}

/** Length, its checksum, the data, its checksum. */
function record(data: Buffer): Buffer {
  const whole = Buffer.alloc(16 + data.length)
  whole.writeBigUInt64LE(BigInt(data.length), 0)
  whole.writeUInt32LE(maskedCrc32c(whole, 0, 8), 8)
  data.copy(whole, 12)
  whole.writeUInt32LE(maskedCrc32c(data, 0, data.length), 12 + data.length)
  return whole
}

function varintBytes(value: number): Buffer {
  const found: number[] = []
  let left = BigInt(value)
  do {
    const low = Number(left & 127n)
    left >>= 7n
    found.push(left > 0n ? low | 128 : low)
  } while (left > 0n)
  return Buffer.from(found)
}

function varint(field: number, value: number): Buffer {
  return Buffer.concat([varintBytes(field << 3), varintBytes(value)])
}

function double(field: number, value: number): Buffer {
  const whole = Buffer.alloc(9)
  whole[0] = (field << 3) | 1
  whole.writeDoubleLE(value, 1)
  return whole
}

function float(field: number, value: number): Buffer {
  const whole = Buffer.alloc(5)
  whole[0] = (field << 3) | 5
  whole.writeFloatLE(value, 1)
  return whole
}

function bytes(field: number, data: Buffer): Buffer {
  return Buffer.concat([varintBytes((field << 3) | 2), varintBytes(data.length), data])
}
