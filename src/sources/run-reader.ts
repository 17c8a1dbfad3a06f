/**
 * All files of one run as one stream of lines. The numbers come from one of them; the others add answers and checkpoints, each at its step,
 * whichever file is read first. Of a finished run of transformers the numbers come from its last checkpoint's state, which has all digits, and
 * from what was printed only after that.
 *
 * @module
 */
import type { WireLine } from '../log/wire.ts'
import type { TrainerName } from '../vocabulary/vocabulary.ts'
import { type Assembler, type AssemblerState, assemble } from './assemble.ts'
import type { FoundRun } from './find-runs.ts'
import { NUMBERS_FROM } from './formats.ts'
import { runIdOf } from './run-name.ts'
import type { Json, Source, SourceDamage, SourceName, SourceRecord } from './source.ts'

/** How a run is read. */
export interface RunReaderOptions {
  readonly emit: (line: WireLine) => void
  readonly onDamage?: ((damage: SourceDamage) => void) | undefined
  readonly trainer?: TrainerName | undefined
  readonly rename?: ReadonlyMap<string, string> | undefined
  /** Unix seconds for what has no time of its own, where the run is followed live. */
  readonly now?: (() => number) | undefined
  /** Of an earlier reader of the same files, to go on from. */
  readonly saved?: RunReaderState | undefined
}

/** What a {@link RunReader} knows. */
export interface RunReaderState {
  readonly parts: readonly {
    readonly format: SourceName
    readonly path: string
    readonly id: string
    /** Null before the first look. */
    readonly position: Json
    readonly queue: readonly SourceRecord[]
  }[]
  /** Which of the parts the numbers come from; null until one has given some. */
  readonly numbers: number | null
  readonly assembler: AssemblerState
}

/** One look at a run's files. */
export interface Look {
  readonly bytes: number
  /** Whether more can be read at once. */
  readonly more: boolean
}

/** A run that is being read. */
export interface RunReader {
  /**
   * Takes what is new, at most a few megabytes. With `finished` nobody writes any more: at the end the open iteration closes.
   *
   * @throws TelltaleError `not-readable` where the files can be read no longer; a later call may succeed.
   */
  read(options?: { readonly finished?: boolean; readonly signal?: AbortSignal | undefined }): Promise<Look>
  /** Gives what the open iteration has, so that it can be shown. */
  flush(): void
  /** The format that the numbers come from; of several, the first until one has given numbers. */
  readonly source: SourceName
  /** File or folder that the numbers come from. */
  readonly path: string
  readonly misjudged: boolean
  /** All that it knows, to go on from in another process; null for what was open already when it came. */
  save(): RunReaderState | null
  close(): void
}

interface Part {
  readonly source: Source
  readonly path: string
  /** What opens it again; null for a source that was open already. */
  readonly place: { readonly format: SourceName; readonly path: string; readonly id: string } | null
  position: Json
  /** Read and not taken yet. */
  queue: SourceRecord[]
  /** Whether the last look at it gave all that there was. */
  dry: boolean
}

/** A source that is open already, as {@link openRun} makes it of a {@link FoundRun}. */
export interface OpenPart {
  readonly source: Source
  readonly path: string
  readonly place?: Part['place']
}

/** The files of a run, the one whose numbers are preferred first. */
export function inPreference({ parts }: FoundRun): FoundRun['parts'] {
  const rank = (name: SourceName) => NUMBERS_FROM.indexOf(name)
  return parts.toSorted((a, b) => rank(a.format.name) - rank(b.format.name))
}

/** Whether what was saved is of the same files: one that came since changes what is read of the others. */
export function isOfSameFiles(saved: RunReaderState, found: FoundRun): boolean {
  const files = inPreference(found)
  return (
    files.length === saved.parts.length &&
    files.every(({ format, path, id }, i) => {
      const before = saved.parts[i]!
      return before.format === format.name && before.path === path && before.id === id
    })
  )
}

/** Opens all files of a run that was found. With `saved` of the same files it goes on where that was. */
export async function openRun(found: FoundRun, options: RunReaderOptions): Promise<RunReader> {
  const parts: OpenPart[] = []
  for (const [i, { format, path, id }] of inPreference(found).entries()) {
    const position = options.saved?.parts[i]?.position ?? null
    const source = await format.open(path, id, ...(position === null ? [] : [position]))
    parts.push({ source, path, place: { format: format.name, path, id } })
  }
  return readRunOf(parts, found.name, options)
}

/**
 * @param open the run's sources, the one whose numbers are preferred first.
 * @param name of the run, from which its id is made.
 */
export function readRunOf(open: readonly OpenPart[], name: string, options: RunReaderOptions): RunReader {
  const { saved } = options
  const parts: Part[] = open.map((part, i) => ({
    ...part,
    place: part.place ?? null,
    position: saved?.parts[i]?.position ?? null,
    queue: [...(saved?.parts[i]?.queue ?? [])],
    dry: false,
  }))
  /** The one that the numbers come from; null until one has given some. */
  let numbers: Part | null = parts[parts.length === 1 ? 0 : (saved?.numbers ?? -1)] ?? null
  const assembler: Assembler = assemble({ ...options, run: runIdOf(name), name, saved: saved?.assembler })
  let bytes = 0

  interface Options {
    readonly finished: boolean
    readonly signal?: AbortSignal | undefined
  }

  /** What goes on where the numbers' own part ends: text that was printed after the last checkpoint. */
  function tail(): Part | null {
    if (numbers?.source.name !== 'trainer-state') return null
    return parts.find(({ source }) => source.name === 'console') ?? null
  }

  async function look(part: Part, { finished, signal }: Options): Promise<readonly SourceRecord[]> {
    const batch = await part.source.read({ finished, ...(signal ? { signal } : {}) })
    bytes += batch.bytes
    part.position = batch.position
    part.dry = !batch.more
    for (const damage of batch.damage) options.onDamage?.(damage)
    return batch.records
  }

  /** Lets the other parts say what they have up to a step, before it closes. */
  async function bringUp(step: number, how: Options): Promise<void> {
    for (const part of parts) {
      if (part === numbers || part === tail()) continue
      for (;;) {
        if (part.queue.length === 0) {
          if (part.dry) break
          part.queue = besides(await look(part, how))
          if (part.queue.length === 0) continue
        }
        const at = stepOf(part.queue[0]!)
        if (at !== null && at > step) break
        assembler.takeBeside(part.queue.shift()!)
      }
    }
  }

  /** Takes what is queued of the numbers' own part. What a failing look at another part leaves is taken by the next call. */
  async function takeNumbers({ queue }: Part, how: Options): Promise<void> {
    const alone = parts.length === 1
    let taken = 0
    try {
      for (const record of queue) {
        const step = stepOf(record)
        if (!alone && step !== null && assembler.openStep !== null && step !== assembler.openStep)
          await bringUp(assembler.openStep, how)
        // Before it is taken: one that cannot be must not come again and again.
        taken++
        assembler.take(record)
      }
    } finally {
      queue.splice(0, taken)
    }
  }

  async function takeTail(part: Part, how: Options): Promise<void> {
    const last = assembler.openStep ?? -1
    let at = -1
    while (!part.dry) {
      for (const record of await look(part, how)) {
        if (record.type === 'points') at = record.step
        if ((record.type === 'points' && at > last) || (record.type === 'end' && at >= last)) assembler.take(record)
      }
    }
  }

  /** Reads the parts in the order of preference until one gives numbers. */
  async function chooseNumbers(how: Options): Promise<void> {
    const isState = ({ source }: Part) => source.name === 'trainer-state'
    const states = how.finished ? parts.filter(isState) : []
    const beforeText = parts.findIndex(({ source }) => source.name === 'console')
    const others = parts.filter((part) => !states.includes(part))
    const ordered = beforeText < 0 ? parts : others.toSpliced(beforeText, 0, ...states)
    for (const part of ordered) {
      while (!part.dry) {
        const records = await look(part, how)
        if (records.some(({ type }) => type === 'points' || type === 'wire')) {
          numbers = part
          for (const other of parts) if (other !== part) other.dry = false
          part.queue.push(...records)
          await takeNumbers(part, how)
          return
        }
        part.queue.push(...besides(records))
      }
    }
    // Nothing has numbers: the answers of the last one are all there is.
    if (how.finished) {
      numbers = parts.at(-1)!
      await takeNumbers(numbers, how)
    }
  }

  return {
    get source() {
      return (numbers ?? parts[0]!).source.name
    },
    get path() {
      return (numbers ?? parts[0]!).path
    },
    get misjudged() {
      return assembler.misjudged
    },
    async read({ finished = false, signal } = {}) {
      bytes = 0
      const how: Options = { finished, signal }
      for (const part of parts) part.dry = false
      if (numbers === null) await chooseNumbers(how)
      else {
        await takeNumbers(numbers, how)
        numbers.queue = [...(await look(numbers, how))]
        await takeNumbers(numbers, how)
      }
      const more = numbers !== null && !numbers.dry
      if (!more && numbers !== null) {
        await bringUp(finished ? Number.POSITIVE_INFINITY : (assembler.openStep ?? -1), how)
        const rest = finished ? tail() : null
        if (rest) await takeTail(rest, how)
        if (finished) assembler.end()
      }
      return { bytes, more }
    },
    flush: () => assembler.flush(),
    save() {
      const placed = parts.flatMap(({ place, position, queue }) =>
        place === null ? [] : [{ ...place, position, queue }],
      )
      if (placed.length < parts.length) return null
      const at = numbers === null ? -1 : parts.indexOf(numbers)
      return { parts: placed, numbers: at < 0 ? null : at, assembler: assembler.save() }
    },
    close() {
      for (const { source } of parts) source.close()
    },
  }
}

/** What a part that is not the numbers' own may say, by its step. */
function besides(records: readonly SourceRecord[]): SourceRecord[] {
  const at = (record: SourceRecord) => stepOf(record) ?? -1
  return records
    .filter(({ type }) => type === 'samples' || type === 'checkpoint' || type === 'config')
    .toSorted((a, b) => at(a) - at(b))
}

function stepOf(record: SourceRecord): number | null {
  return 'step' in record ? record.step : null
}
