/**
 * The run's log: one append-only file a writing process, one line an event, one synchronous write each, so that what it has
 * taken survives `kill -9` of the process.
 *
 * @module
 */
import { closeSync, existsSync, openSync, readdirSync, readSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { errorMessage, TelltaleError } from '../errors.ts'
import { type TrainingEvent, TrainingPhase } from '../events.ts'
import { makeFolder } from '../make-folder.ts'
import type { ProcessInfo } from '../run-summary.ts'
import { plainJson } from '../text/plain-json.ts'
import { appendFile } from './append-file.ts'
import { type EncodedSamples, encodeEventBody, encodeNumber, sameTexts, samplesOf } from './encode.ts'
import { type LineWorth, type LineWriter, lineWriter } from './line-writer.ts'

/** What a run says of itself in its first line. */
export interface RunHeader {
  readonly runId: string
  readonly project: string
  readonly name: string
  /** What a replay has to know to come to the same end: the table of names, and whether critical requests stop. */
  readonly trainer: string
  readonly earlyStop: string
}

/** Longest line, from the wire format. */
export const MAX_LINE_BYTES = 16 * 1024 * 1024

/** Appends wire format v1 to `<dir>/events-<writer>.jsonl`. No method throws after construction. */
export class RunLog {
  readonly path: string
  /** Attempt of this writer: one more than the newest of the same run in the folder. */
  readonly attempt: number
  /** Logs of the earlier attempts, oldest first. */
  readonly earlier: readonly string[]
  readonly #writer: LineWriter
  readonly #head: { readonly [type: string]: string }
  #seq = 0
  /** Whether the newest line stands in the file. */
  #isWritten = false
  #droppedSamples = 0
  #lastSamples: {
    readonly seq: number
    readonly iteration: number
    readonly prompts: readonly string[]
    readonly responses: readonly string[]
  } | null = null

  /**
   * Opens the log; logs of other runs in the folder are moved to `previous-runs/<run>/`.
   *
   * @param say takes a line for the person who trains, where lines cannot be written.
   * @throws TelltaleError `not-writable`
   */
  constructor(dir: string, header: RunHeader, writer: string, say: (text: string) => void = () => {}) {
    this.path = join(dir, `events-${writer}.jsonl`)
    try {
      makeFolder(dir)
      const earlier = setEarlierRunsAside(dir, header.runId)
      this.attempt = (earlier.at(-1)?.attempt ?? 0) + 1
      this.earlier = earlier.map(({ path }) => path)
      this.#writer = lineWriter({
        ...{ path: this.path, file: appendFile(this.path), say },
        gap: ({ samples, numbers, kept, since, why }, time) =>
          this.#lineOf('gap', time, plainFields({ dropped: samples + numbers + kept, samples, numbers, since, why })),
      })
    } catch (error) {
      throw new TelltaleError(
        'not-writable',
        `The run folder ${dir} cannot be written (${errorMessage(error)}). Give an outputDir that you may write to.`,
        { cause: error },
      )
    }
    const tail = `,"run":${JSON.stringify(header.runId)},"writer":${JSON.stringify(writer)},"seq":`
    const head = (type: string) => `{"v":1,"type":"${type}"${tail}`
    this.#head = Object.fromEntries(LINE_TYPES.map((type) => [type, head(type)]))
  }

  get droppedLines(): number {
    return this.#writer.dropped
  }

  get droppedSamples(): number {
    return this.#droppedSamples
  }

  /** First line of a writer. */
  run(time: number, header: RunHeader, process: ProcessInfo): void {
    this.#write(
      'run',
      time,
      plainFields({
        attempt: this.attempt,
        project: header.project,
        name: header.name,
        trainer: header.trainer,
        earlyStop: header.earlyStop,
        process,
      }),
    )
  }

  event(event: TrainingEvent, time: number): void {
    const samplesSeq = this.#samples(event, time)
    const { text, cut } = encodeEventBody(event, samplesSeq)
    if (cut) this.#droppedSamples++
    this.#write('event', time, text, SAID_ONCE.has(event.phase) ? 'kept' : 'numbers')
  }

  /** Any other line; `gap` lines it writes by itself. */
  line(
    type: 'announce' | 'tick' | 'alert' | 'stop' | 'end',
    time: number,
    fields: Readonly<Record<string, unknown>>,
  ): void {
    this.#write(type, time, plainFields(fields))
  }

  close(): void {
    this.#writer.close()
  }

  /** Writes the samples that an event carries in a line of their own and returns its sequence number. */
  #samples(event: TrainingEvent, time: number): number | null {
    let samples: EncodedSamples | null
    try {
      samples = samplesOf(event)
    } catch {
      // A list that throws when it is read: the event is worth more than its samples.
      this.#droppedSamples++
      return null
    }
    if (!samples) return null
    this.#droppedSamples += samples.dropped
    const { prompts, responses, rewards } = samples
    const before = this.#lastSamples
    const rewardText = rewards.length > 0 ? `,"rewards":[${rewards.map(encodeNumber).join(',')}]` : ''
    if (
      responses.length > 0 &&
      before?.iteration === event.iteration &&
      sameTexts(before.responses, responses) &&
      sameTexts(before.prompts, prompts)
    ) {
      if (rewardText === '') return before.seq
      return this.#write('samples', time, `,"iteration":${event.iteration},"of":${before.seq}${rewardText}`)
    }
    const promptText = prompts.length > 0 ? `,"prompts":${JSON.stringify(prompts)}` : ''
    const responseText = responses.length > 0 ? `,"responses":${JSON.stringify(responses)}` : ''
    const seq = this.#write('samples', time, `,"iteration":${event.iteration}${promptText}${responseText}${rewardText}`)
    if (responses.length > 0 && this.#isWritten)
      this.#lastSamples = { seq, iteration: event.iteration, prompts, responses }
    return seq
  }

  #write(type: LineType, time: number, body: string, worth: LineWorth = WORTH[type]): number {
    const line = this.#lineOf(type, time, body)
    const seq = this.#seq
    if (line.length > MAX_LINE_BYTES) {
      this.#isWritten = false
      this.#writer.leaveOut(worth, time)
    } else this.#isWritten = this.#writer.write(worth, line, time)
    return seq
  }

  #lineOf(type: LineType, time: number, body: string): string {
    return `${this.#head[type]}${++this.#seq},"time":${time}${body}}\n`
  }
}

const LINE_TYPES = ['run', 'event', 'samples', 'announce', 'tick', 'alert', 'stop', 'gap', 'end'] as const

type LineType = (typeof LINE_TYPES)[number]

/** What is left out where there is no room. */
const WORTH: Readonly<Record<LineType, LineWorth>> = {
  ...{ samples: 'samples', event: 'numbers', tick: 'numbers' },
  ...{ run: 'kept', announce: 'kept', alert: 'kept', stop: 'kept', gap: 'kept', end: 'kept' },
}

/** Events without which the others say less: settings, the checkpoints to go back to, how it ended. */
const SAID_ONCE: ReadonlySet<TrainingPhase> = new Set([
  TrainingPhase.TRAINING_START,
  TrainingPhase.CHECKPOINT_SAVED,
  TrainingPhase.TRAINING_END,
])

function plainFields(fields: Readonly<Record<string, unknown>>): string {
  const { text } = plainJson(fields)
  return text.length > 2 && text.startsWith('{') ? `,${text.slice(1, -1)}` : ''
}

/** The logs of earlier attempts of `runId`, oldest first; logs of other runs are moved out of the way, never deleted. */
function setEarlierRunsAside(
  dir: string,
  runId: string,
): readonly { readonly path: string; readonly attempt: number }[] {
  const earlier: { readonly path: string; readonly attempt: number }[] = []
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    // Anything but a file (a pipe would block) is not ours.
    if (!entry.isFile()) continue
    const file = entry.name
    if (!/^events-[A-Za-z0-9_-]+\.jsonl$/.test(file)) continue
    const header = firstLine(join(dir, file))
    if (header.run === runId) {
      earlier.push({ path: join(dir, file), attempt: header.attempt ?? 0 })
      continue
    }
    const aside = join(dir, 'previous-runs', header.run ?? 'unknown')
    makeFolder(aside)
    if (!existsSync(join(aside, file))) renameSync(join(dir, file), join(aside, file))
  }
  return earlier.sort((a, b) => a.attempt - b.attempt)
}

/** Run and attempt from the beginning of a log; of a line that a crash has torn, what is there. */
function firstLine(path: string): { readonly run?: string; readonly attempt?: number } {
  const bytes = Buffer.alloc(4096)
  const descriptor = openSync(path, 'r')
  try {
    const head = bytes.toString('utf8', 0, readSync(descriptor, bytes, 0, bytes.length, 0))
    const run = /^\{"v":1,"type":"run","run":"([A-Za-z0-9_-]{1,64})"/.exec(head)?.[1]
    // The attempt stands before anything that comes from outside and may be long.
    const attempt = /^[^\n]{0,300}?"attempt":(\d{1,9})/.exec(head)?.[1]
    return { ...(run ? { run } : {}), ...(attempt ? { attempt: Number(attempt) } : {}) }
  } finally {
    closeSync(descriptor)
  }
}
