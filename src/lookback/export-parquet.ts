/**
 * A stored run as a Parquet file: a row a value, superseded ones too.
 *
 * @module
 */
import { ByteWriter, ParquetWriter } from 'hyparquet-writer'
import type { RunStore, StoredRun } from '../stores/store.ts'
import { supersededFrom } from '../stores/superseded.ts'
import { TELLTALE_VERSION } from '../version.ts'

/** Rows that are held in memory before they are written: about ten megabytes. */
const ROWS_A_GROUP = 1 << 17

/** Every column is required: a value that was not logged has no row. */
const SCHEMA: ConstructorParameters<typeof ParquetWriter>[0]['schema'] = [
  { name: 'root', num_children: 6 },
  { name: 'run', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'REQUIRED' },
  { name: 'series', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'REQUIRED' },
  { name: 'iteration', type: 'INT64', repetition_type: 'REQUIRED' },
  { name: 'attempt', type: 'INT32', repetition_type: 'REQUIRED' },
  { name: 'superseded', type: 'BOOLEAN', repetition_type: 'REQUIRED' },
  { name: 'value', type: 'DOUBLE', repetition_type: 'REQUIRED' },
]

/**
 * The pieces of the file, one after the other, each a group of rows: memory does not grow with the run, but for about a kilobyte a group, of which the
 * end of the file is made.
 *
 * @param onRows told how many rows each group has.
 */
export function* exportParquet(
  store: RunStore,
  run: StoredRun,
  onRows: (rows: number) => void = () => {},
): Generator<Buffer> {
  const writer = new ByteWriter()
  const parquet = new ParquetWriter({ writer, schema: SCHEMA, createdBy: `telltale version ${TELLTALE_VERSION}` })
  const taken = (): Buffer => {
    const bytes = Buffer.from(writer.getBytes())
    writer.index = 0
    return bytes
  }
  let rows = newRows()
  const write = (): Buffer => {
    void parquet.write({ columnData: columnsOf(run.run, rows), rowGroupSize: rows.count })
    onRows(rows.count)
    rows = newRows()
    return taken()
  }
  for (const { name, attempt, iterations, values } of store.everyPoint(run.key)) {
    const from = supersededFrom(run.attempts, attempt)
    for (let i = 0; i < values.length; i++) {
      const at = rows.count++
      rows.series.push(name)
      rows.iteration[at] = BigInt(iterations[i]!)
      rows.attempt[at] = attempt
      rows.superseded.push(iterations[i]! >= from)
      rows.value[at] = values[i]!
      if (rows.count === ROWS_A_GROUP) yield write()
    }
  }
  if (rows.count > 0) yield write()
  void parquet.finish()
  yield taken()
}

interface Rows {
  count: number
  readonly series: string[]
  readonly iteration: BigInt64Array
  readonly attempt: Int32Array
  readonly superseded: boolean[]
  readonly value: Float64Array
}

function newRows(): Rows {
  return {
    count: 0,
    series: [],
    iteration: new BigInt64Array(ROWS_A_GROUP),
    attempt: new Int32Array(ROWS_A_GROUP),
    superseded: [],
    value: new Float64Array(ROWS_A_GROUP),
  }
}

function columnsOf(run: string, { count, series, iteration, attempt, superseded, value }: Rows) {
  return [
    { name: 'run', data: new Array<string>(count).fill(run) },
    { name: 'series', data: series },
    { name: 'iteration', data: iteration.subarray(0, count), encoding: 'DELTA_BINARY_PACKED' as const },
    { name: 'attempt', data: attempt.subarray(0, count) },
    { name: 'superseded', data: superseded },
    // A dictionary of values would take -0 and 0 for one.
    { name: 'value', data: value.subarray(0, count), encoding: 'PLAIN' as const },
  ]
}
