/**
 * The contract that every reader of foreign files keeps, as a list of checks for any test runner.
 *
 * @module
 */
import { mkdirSync, mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { TelltaleError } from '../errors.ts'
import type { Json, Source, SourceDamage, SourceFormat, SourceRecord } from '../sources/source.ts'

/** One check of a source's contract: a name and what throws where the contract is broken. */
export interface SourceCheck {
  /** What has to be so. */
  readonly name: string
  /** Resolves where it is so. @throws TelltaleError `bad-usage` saying what is not so. */
  run(): Promise<void>
}

/** What {@link testSource} needs. */
export interface SourceContract {
  /** The format under test. */
  readonly format: SourceFormat
  /** Where the file stands, such as `metrics.csv` or `checkpoint-4/trainer_state.json`; relative to a folder that is made for the check. */
  readonly file: string
  /** A small file of the format: each of its bytes is cut at and changed once, so 4 kB are plenty. At least one record. */
  readonly bytes: Uint8Array
  /** Another run's file of the format, shorter and different from the first bytes on. */
  readonly other: Uint8Array
  /** Whether each record has a checksum in the file: then a changed byte may invent nothing. False by default. */
  readonly checksummed?: boolean
}

/** A file that is garbage, and the memory that reading it may take, both in bytes. */
const HUGE_BYTES = 256 * 1024 * 1024
const MAX_MEMORY_BYTES = 128 * 1024 * 1024
/** Bytes that are changed, and places at which reading is interrupted, of a larger file: a selection. */
const MAX_FLIPS = 400
const MAX_CUTS = 60
/** Looks at a file that somebody still writes, after which a reader that waits has waited long enough. */
const PATIENT_LOOKS = 30
/** Looks at one file after which it counts as endless. */
const MAX_LOOKS = 100_000

/**
 * The checks that every source has to pass: it reads a whole file without damage, a truncated or damaged one as far as it is sound; it goes on
 * from any saved position and with a file that grows in any pieces, each record once; it sees that a file was replaced, truncated, deleted; it
 * survives garbage, and never holds a file.
 *
 * Each check makes a folder in the system's temporary one and removes it. Checks of a file of 4 kB take some seconds.
 *
 * @example
 * ```ts
 * import { readFileSync } from 'node:fs'
 * import { testSource, type SourceFormat } from 'telltale/testing'
 * const format: SourceFormat = {
 *   name: 'console',
 *   recognises: (path, head) => path.endsWith('.loss') && head.length > 0,
 *   runs: async () => [{ id: '', name: 'losses' }],
 *   async open(path, _id, position) {
 *     let step = Number(position ?? 0)
 *     return {
 *       name: 'console',
 *       async read() {
 *         const lines = readFileSync(path, 'utf8').split('\n').slice(step, -1)
 *         const records = lines.map((loss) => ({ type: 'points' as const, step: step++, time: null, metrics: { loss: Number(loss) } }))
 *         return { records, position: step, damage: [], bytes: 0, more: false }
 *       },
 *       close() {},
 *     }
 *   },
 * }
 * const checks = testSource({ format, file: 'run.loss', bytes: Buffer.from('0.5\n0.25\n'), other: Buffer.from('9\n') })
 * await checks.find(({ name }) => name.includes('grows'))?.run()
 * console.log(checks.length) // 12
 * ```
 */
export function testSource(contract: SourceContract): readonly SourceCheck[] {
  const { bytes, other, checksummed = false } = contract
  const check = (name: string, run: (place: Place) => Promise<void>): SourceCheck => ({
    name,
    async run() {
      const place = makePlace(contract)
      try {
        await run(place)
      } finally {
        place.remove()
      }
    },
  })
  return [
    check('recognises its file, and neither an empty one nor noise', async (place) => {
      const recognised = (head: Uint8Array) => contract.format.recognises(place.path, head.subarray(0, 4096), false)
      const noise = Uint8Array.from({ length: 4096 }, (_, i) => (i * 7919 + 13 * (i >> 3)) & 255)
      ensure(recognised(bytes), 'its own file is not recognised')
      for (const head of [new Uint8Array(), noise, Uint8Array.of(0)]) recognised(head)
      place.write(bytes)
      const runs = await contract.format.runs(place.root)
      ensure(runs.length > 0, 'no run in its own file')
    }),
    check('reads a whole file without damage', async (place) => {
      place.write(bytes)
      const { records, damage } = await drain(await place.open(), true)
      ensure(records.length > 0, 'no record in the whole file')
      ensure(damage.length === 0, `damage in a sound file: ${JSON.stringify(damage[0])}`)
      for (const record of records) checkRecord(record)
    }),
    check('reads a file that was truncated at any byte as far as it goes, and invents nothing', async (place) => {
      const all = await place.read(bytes)
      for (let length = 0; length < bytes.length; length++) {
        const { records, damage } = await place.read(bytes.subarray(0, length))
        ensurePrefix(records, all.records, `truncated at byte ${length}`)
        for (const one of damage) checkDamage(one, place, length)
      }
    }),
    check('gives what stands before a changed byte, and survives the rest', async (place) => {
      const all = new Set((await place.read(bytes)).records.map(text))
      for (const at of spread(bytes.length, MAX_FLIPS)) {
        const before = await place.grown(bytes.subarray(0, at))
        const changed = Uint8Array.from(bytes)
        changed[at]! ^= 1 << (at % 8)
        const { records, damage } = await place.read(changed)
        if (!restates(before, records)) ensurePrefix(before, records, `byte ${at} changed`)
        for (const one of damage) checkDamage(one, place, changed.length)
        for (const record of records) {
          checkRecord(record)
          if (checksummed && !all.has(text(record))) ensure(false, `byte ${at} changed: invented ${text(record)}`)
        }
      }
    }),
    check('goes on from every saved position', async (place) => {
      const { records: all } = await place.read(bytes)
      for (const cut of spread(bytes.length, MAX_CUTS)) {
        place.write(bytes.subarray(0, cut))
        const first = await place.openOrNothing()
        const begun = first ? await drain(first, false) : NOTHING
        place.append(bytes.subarray(cut))
        const rest = await drain(await place.open(JSON.parse(JSON.stringify(begun.position))), true)
        ensureSame([...begun.records, ...rest.records], all, `resumed at byte ${cut}`)
      }
    }),
    check('gives the same records however the file grows', async (place) => {
      const { records: all } = await place.read(bytes)
      for (let seed = 1; seed <= 8; seed++) {
        place.write(new Uint8Array())
        const source = await place.open()
        const records: SourceRecord[] = []
        for (const piece of pieces(bytes, seed)) {
          place.append(piece)
          records.push(...(await drain(source, false)).records)
        }
        records.push(...(await drain(source, true)).records)
        ensureSame(records, all, `grown with seed ${seed}`)
      }
    }),
    check('reads another file that takes the place of its own', async (place) => {
      const { records: expected } = await place.read(other)
      for (const resumed of [false, true]) {
        place.write(bytes)
        let source = await place.open()
        const { position } = await drain(source, false)
        writeFileSync(`${place.path}.new`, other)
        renameSync(`${place.path}.new`, place.path)
        if (resumed) source = await place.open(JSON.parse(JSON.stringify(position)))
        ensureSame(withoutAttempts(await waited(source)), withoutAttempts(expected), 'replaced by another file')
      }
    }),
    check('reads a file that was truncated and written anew', async (place) => {
      const { records: expected } = await place.read(other)
      place.write(bytes)
      const source = await place.open()
      await drain(source, false)
      place.write(new Uint8Array())
      await drain(source, false)
      place.append(other)
      ensureSame(withoutAttempts(await waited(source)), withoutAttempts(expected), 'written anew')
    }),
    check('says that a file is gone, and goes on when it is back', async (place) => {
      const { records: all } = await place.read(bytes)
      place.write(bytes)
      const source = await place.open()
      const first = await drain(source, false)
      rmSync(place.path)
      await drainOr(source, 'not-readable')
      place.write(bytes)
      const rest = await waited(source)
      ensureSame(
        withoutAttempts([...first.records, ...rest]).slice(0, all.length),
        withoutAttempts(all),
        'deleted and put back',
      )
    }),
    check('ends when it is told to', async (place) => {
      place.write(bytes)
      const source = await place.open()
      const controller = new AbortController()
      controller.abort()
      const thrown = await source.read({ signal: controller.signal }).then(
        () => null,
        (error: unknown) => error,
      )
      ensure(thrown !== null, 'an aborted read did not throw')
      source.close()
    }),
    check('survives garbage, long lines and deep nesting', async (place) => {
      const deep = '['.repeat(200_000)
      const garbage = [
        ...['{"step":1,"a":', '{"log_history": [', '{"log_history": [{"a":', "{'loss': "].map((start) => start + deep),
        `step,${'x,'.repeat(100_000)}\n`,
        `${'{"step":1}\n'.repeat(1000)}\0\0\0\0`,
        '\ud800\n\r\n\r\r\n',
      ]
      for (const one of garbage) {
        const whole = Buffer.from(one)
        for (const data of [whole, Buffer.concat([bytes, whole]), Buffer.concat([whole, Buffer.from(bytes)])]) {
          const { records } = await place.read(data)
          for (const record of records) checkRecord(record)
        }
      }
    }),
    check('never holds a file', async (place) => {
      place.write(bytes)
      // Zeros without an end of line, which take no room on the disk.
      truncateSync(place.path, HUGE_BYTES)
      const source = await place.openOrNothing()
      if (!source) return
      const start = memory()
      for (let looks = 0; ; looks++) {
        const batch = await lookOrNothing(source)
        if (batch === null) break
        const held = looks % 16 === 0 ? memory() - start : 0
        ensure(held < MAX_MEMORY_BYTES, `holds ${Math.round(held / 1e6)} MB of a file of ${HUGE_BYTES / 1e6} MB`)
        ensure(looks < MAX_LOOKS, 'reads without an end')
        if (!batch.more) break
      }
      source.close()
    }),
  ]
}

interface Read {
  readonly records: SourceRecord[]
  readonly damage: SourceDamage[]
  position: Json
}

const NOTHING: Read = { records: [], damage: [], position: null }

/** A folder with the file in it. */
interface Place {
  readonly path: string
  /** What the format opens. */
  readonly root: string
  write(bytes: Uint8Array): void
  append(bytes: Uint8Array): void
  open(position?: Json): Promise<Source>
  /** Null where a file that is only begun has no run yet, which is no fault. */
  openOrNothing(): Promise<Source | null>
  /** What a finished file of these bytes gives. */
  read(bytes: Uint8Array): Promise<Read>
  /** What a file of these bytes gives to which somebody still writes. */
  grown(bytes: Uint8Array): Promise<readonly SourceRecord[]>
  remove(): void
}

function makePlace({ format, file }: SourceContract): Place {
  const folder = mkdtempSync(join(tmpdir(), 'telltale-source-'))
  const path = join(folder, file)
  mkdirSync(dirname(path), { recursive: true })
  const root = format.belongsTo?.(path) ?? path
  let id = ''
  const open = async (position?: Json) => {
    id = (await runsOf(format, root))[0]?.id ?? id
    return format.open(root, id, position)
  }
  const openOrNothing = async () => {
    try {
      return await open()
    } catch (error) {
      if (error instanceof TelltaleError && ['not-readable', 'bad-format'].includes(error.code)) return null
      throw error
    }
  }
  const drained = async (bytes: Uint8Array, finished: boolean) => {
    writeFileSync(path, bytes)
    const source = await openOrNothing()
    if (source === null) return { ...NOTHING, records: [], damage: [] }
    try {
      return await drain(source, finished)
    } finally {
      source.close()
    }
  }
  return {
    path,
    root,
    write: (bytes) => writeFileSync(path, bytes),
    append: (bytes) => writeFileSync(path, bytes, { flag: 'a' }),
    open,
    openOrNothing,
    read: (bytes) => drained(bytes, true),
    grown: async (bytes) => (await drained(bytes, false)).records,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

async function runsOf(format: SourceFormat, root: string) {
  try {
    return await format.runs(root)
  } catch {
    return []
  }
}

async function drain(source: Source, finished: boolean): Promise<Read> {
  const all: Read = { records: [], damage: [], position: null }
  for (let looks = 0; looks < MAX_LOOKS; looks++) {
    const batch = await source.read({ finished })
    all.records.push(...batch.records)
    all.damage.push(...batch.damage)
    all.position = batch.position
    if (!batch.more) return all
  }
  throw new TelltaleError('bad-usage', 'source contract: reads without an end')
}

/** What comes of looking again and again, and of the end. */
async function waited(source: Source): Promise<readonly SourceRecord[]> {
  const records: SourceRecord[] = []
  for (let looks = 0; looks < PATIENT_LOOKS; looks++) records.push(...(await drain(source, false)).records)
  records.push(...(await drain(source, true)).records)
  return records
}

async function drainOr(source: Source, code: string): Promise<void> {
  try {
    await drain(source, false)
  } catch (error) {
    ensure(error instanceof TelltaleError && error.code === code, `a deleted file threw ${String(error)}`)
  }
}

async function lookOrNothing(source: Source) {
  try {
    return await source.read({ finished: true })
  } catch (error) {
    ensure(error instanceof TelltaleError, `garbage threw ${String(error)}`)
    return null
  }
}

function checkRecord(record: SourceRecord): void {
  const said = () => text(record).slice(0, 200)
  if ('step' in record) ensure(Number.isSafeInteger(record.step) && record.step >= 0, `a step that is none: ${said()}`)
  if ('time' in record) ensure(record.time === null || Number.isFinite(record.time), `a time that is none: ${said()}`)
  if (record.type === 'points')
    for (const value of Object.values(record.metrics)) ensure(typeof value === 'number', `no number: ${said()}`)
  if (record.type === 'samples') {
    const { responses, prompts = responses, rewards = responses } = record
    ensure(
      prompts.length === responses.length && rewards.length === responses.length,
      `not one prompt and one reward an answer: ${said()}`,
    )
  }
}

function checkDamage({ path, offset, problem }: SourceDamage, place: Place, size: number): void {
  ensure(path.startsWith(dirname(place.root)), `damage in ${path}, which is not the file`)
  ensure(Number.isInteger(offset) && offset >= 0 && offset <= size, `damage at byte ${offset} of ${size}`)
  ensure(problem.length > 0 && problem.length < 1000, 'damage without a problem, or with a very long one')
}

/** What stands before the damage may be told again where the damage makes it another run. */
function restates(before: readonly SourceRecord[], records: readonly SourceRecord[]): boolean {
  const at = records.findIndex(({ type }) => type === 'attempt')
  return at >= 0 && at <= before.length
}

function withoutAttempts(records: readonly SourceRecord[]): readonly SourceRecord[] {
  return records.filter(({ type }) => type !== 'attempt')
}

/** What happened in the run; facts about it, and its checkpoints, may be told again, and earlier or later. */
function happened(records: readonly SourceRecord[]): readonly SourceRecord[] {
  return records.filter(({ type }) => type !== 'config' && type !== 'checkpoint')
}

function ensurePrefix(records: readonly SourceRecord[], all: readonly SourceRecord[], when: string): void {
  const expected = happened(all)
  for (const [i, record] of happened(records).entries()) {
    const other = expected[i]
    ensure(
      other !== undefined && (text(record) === text(other) || isPart(record, other)),
      `${when}: record ${i} is ${text(record)} instead of ${other ? text(other) : 'none'}`,
    )
  }
}

/** Whether these are the first answers of a step whose others were cut off. */
function isPart(record: SourceRecord, whole: SourceRecord): boolean {
  if (record.type !== 'samples' || whole.type !== 'samples') return false
  const count = record.responses.length
  const lists = ({ prompts, responses, rewards }: typeof whole) =>
    JSON.stringify([prompts?.slice(0, count), responses.slice(0, count), rewards?.slice(0, count)])
  return record.step === whole.step && lists(record) === lists(whole)
}

function ensureSame(records: readonly SourceRecord[], all: readonly SourceRecord[], when: string): void {
  ensurePrefix(records, all, when)
  const [count, expected] = [happened(records).length, happened(all).length]
  ensure(count === expected, `${when}: ${count} records instead of ${expected}`)
}

/** A record as text that can be compared: times of files are not what it says. */
function text(record: SourceRecord): string {
  return JSON.stringify(record, (key, value) => {
    if (key === 'time' && record.type === 'checkpoint') return 'any'
    return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value
  })
}

/** At most `most` of the numbers below `length`, the first and last among them. */
function spread(length: number, most: number): readonly number[] {
  if (length <= most) return Array.from({ length }, (_, i) => i)
  return Array.from({ length: most }, (_, i) => Math.floor((i * (length - 1)) / (most - 1)))
}

/** The bytes in pieces of random lengths, from a fixed generator. */
function pieces(bytes: Uint8Array, seed: number): readonly Uint8Array[] {
  const all: Uint8Array[] = []
  let state = seed
  for (let at = 0; at < bytes.length; ) {
    state = (state * 48271) % 2147483647
    const length = 1 + (state % (seed % 2 === 0 ? 200 : 17))
    all.push(bytes.subarray(at, at + length))
    at += length
  }
  return all
}

function memory(): number {
  // Without it, what nobody holds any more would count, too.
  ;(globalThis as { gc?: () => void }).gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

function ensure(condition: boolean, problem: string): void {
  if (!condition) throw new TelltaleError('bad-usage', `source contract: ${problem}`)
}
