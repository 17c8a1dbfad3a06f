/**
 * What trainers print: dictionaries of transformers (raw, or in quotes through tqdm), verl's `step:3 - name:value`, OpenRLHF's
 * `Global step 3: {…}`, and JSON lines with a step among other text.
 *
 * A dictionary of transformers does not say its step. The progress bar does: tqdm clears it, writes the dictionary, and draws it again, at the
 * step that the dictionary belongs to. Where the program's output is buffered, the dictionaries come later than the clearings, in the same order.
 *
 * @module
 */
import { dirname } from 'node:path'
import { flatLine, parseJsonLine } from '../log/flat-line.ts'
import { isText } from './head-lines.ts'
import type { LineReader } from './line-cutter.ts'
import { lineSource } from './line-source.ts'
import { numberOf, pythonDict } from './python-dict.ts'
import { nameOfFile } from './run-name.ts'
import { someLine } from './some-line.ts'
import type { Json, SourceFormat, SourceRecord } from './source.ts'

/** Bytes of a log that are looked through for a first line with numbers. */
const LOOK_BYTES = 8 * 1024 * 1024
/** Writes through a progress bar whose dictionaries have not come yet. */
const MAX_WAITING = 1000

/** Text that a program printed. */
export const consoleFormat: SourceFormat = {
  name: 'console',
  recognises(path, head, isFolder) {
    return !isFolder && /(\.(log|out|err|txt)|^nohup\.out)$/i.test(path) && isText(head)
  },
  home: dirname,
  /** None in a text without numbers: most are no logs of a training. */
  async runs(path) {
    return holdsNumbers(path) ? [{ id: '', name: nameOfFile(path) }] : []
  },
  async open(path, _id, position) {
    return lineSource({ path, reader: consoleReader, carriageReturns: true, position })
  },
}

function holdsNumbers(path: string): boolean {
  return someLine(path, LOOK_BYTES, /[\r\n]/, (line) => {
    const text = plain(line)
    return verlLine(text) !== null || globalStep(text) !== null || dictionary(text) !== null || jsonLine(text) !== null
  })
}

type Metrics = Readonly<Record<string, number>>

interface Progress {
  /** Step of the newest dictionary. */
  last: number | null
  /** Where the training's progress bar stands. */
  bar: number | null
  /** Whether the bar was cleared and is not drawn again yet. */
  cleared: boolean
  /** Steps at which something was written whose dictionary has not come yet. */
  waiting: number[]
  /** A dictionary whose step the bar says next. */
  open: Metrics | null
  /** Whether anything was read. */
  any: boolean
}

const BEGIN: Progress = { last: null, bar: null, cleared: false, waiting: [], open: null, any: false }

export function consoleReader(state?: Json): LineReader {
  let progress: Progress = parseState(state)

  function points(step: number, metrics: Metrics, records: SourceRecord[]): void {
    progress.any = true
    records.push({ type: 'points', step, time: null, metrics })
  }

  function give(step: number, metrics: Metrics, records: SourceRecord[]): void {
    progress.last = step
    points(step, metrics, records)
    if ('train_runtime' in metrics) records.push({ type: 'end', status: 'completed' })
  }

  /** The step of a dictionary where no bar tells it: an evaluation and the summary belong to the newest, the rest count on. */
  function guess(metrics: Metrics): number {
    const { last, bar } = progress
    if (last === null) return bar ?? 1
    if ('train_runtime' in metrics || Object.keys(metrics).some((name) => name.startsWith('eval_'))) return last
    return bar !== null && bar > last ? bar : last + 1
  }

  function takeDictionary(metrics: Metrics, records: SourceRecord[]): void {
    settle(records)
    const named = metrics.global_step ?? metrics.step
    if (named !== undefined && Number.isSafeInteger(named) && named >= 0) give(named, withoutStep(metrics), records)
    else if (progress.cleared) {
      progress.waiting = []
      progress.open = metrics
    } else give(progress.waiting.shift() ?? guess(metrics), metrics, records)
  }

  /** Gives a dictionary that the bar said nothing of. */
  function settle(records: SourceRecord[]): void {
    const { open } = progress
    progress.open = null
    if (open !== null) give(guess(open), open, records)
  }

  function takeBar(step: number, records: SourceRecord[]): void {
    progress.bar = step
    if (!progress.cleared) return
    progress.cleared = false
    const { open } = progress
    progress.open = null
    if (open !== null) give(step, open, records)
    else if (progress.waiting.length < MAX_WAITING) progress.waiting.push(step)
  }

  function takeText(text: string, records: SourceRecord[]): string | null {
    const bar = barStep(text)
    if (bar !== null) takeBar(bar, records)
    const known = verlLine(text) ?? globalStep(text) ?? jsonLine(text)
    if (known) {
      points(known.step, known.metrics, records)
      return null
    }
    const metrics = dictionary(text)
    if (metrics) takeDictionary(metrics, records)
    return metrics === null && /\{'(?:loss|eval_loss|train_runtime)': /.test(text)
      ? 'the dictionary has no end: other output stands in the middle of it'
      : null
  }

  return {
    name: 'console',
    take(line, torn, records) {
      if (torn && /\bstep:\d+ - /.test(line)) return 'torn: the last line has no end'
      if (!mayMean(line)) return null
      return takeText(plain(line), records)
    },
    blank(line) {
      // tqdm clears its bar with as many spaces before it writes.
      if (line.length >= 10 && /^ +$/.test(line)) progress.cleared = true
    },
    peek(line, records) {
      // A bar has no end of line until the next one is drawn, which may be a minute later.
      const bar = progress.cleared && progress.open !== null ? barStep(plain(line)) : null
      if (bar !== null) takeBar(bar, records)
    },
    anew(records) {
      if (progress.any) records.push({ type: 'attempt' })
      progress = { ...BEGIN, waiting: [] }
    },
    end: settle,
    state: () => savedState(progress),
  }
}

/** Whether a line can be one of those that mean something; nearly all others are told from it at once. */
function mayMean(line: string): boolean {
  return line.includes('{') || line.includes('%|') || line.includes('step:')
}

const ESCAPE = '\u001b'
const UP = `${ESCAPE}A`
const SEQUENCE = new RegExp(`${ESCAPE}\\[[0-9;?]*[A-Za-z]?`, 'g')

/** Without the colours of a terminal; of its movements only the one up is kept, which follows a bar below another one. */
function plain(line: string): string {
  return line.includes(ESCAPE) ? line.replace(SEQUENCE, (all) => (all.endsWith('A') ? UP : '')) : line
}

/** Where the training's own bar stands; bars with a description, and those below another one, are not it. */
function barStep(text: string): number | null {
  const bar = /^\s*\d{1,3}%\|[^|]{0,400}\|\s*(\d{1,15})\/\d{1,15} \[[^\]]{0,100}\]/.exec(text)
  if (!bar || text.startsWith(UP, bar[0].length)) return null
  return Number(bar[1])
}

interface Line {
  readonly step: number
  readonly metrics: Metrics
}

/** `step:3 - name:value - name:value`, behind the prefix that Ray puts before it. */
function verlLine(text: string): Line | null {
  const start = /(?:^|\)\s|\s)step:(\d{1,15}) - /.exec(text)
  if (!start) return null
  const metrics: Record<string, number> = Object.create(null)
  let any = false
  for (const part of text.slice(start.index + start[0].length).split(' - ')) {
    const colon = part.lastIndexOf(':')
    const value = colon > 0 ? numberOf(part.slice(colon + 1).trim()) : null
    if (value === null) continue
    metrics[part.slice(0, colon).trim()] = value
    any = true
  }
  return any ? { step: Number(start[1]), metrics } : null
}

/** `Global step 3: {…}`, behind the prefix of a logger. */
function globalStep(text: string): Line | null {
  const start = /\bGlobal step (\d{1,15}): (?=\{)/.exec(text)
  const metrics = start ? pythonDict(text, start.index + start[0].length) : null
  return start && metrics ? { step: Number(start[1]), metrics } : null
}

/** A line of JSON with a step. */
function jsonLine(text: string): Line | null {
  if (!text.startsWith('{"') || !text.trimEnd().endsWith('}')) return null
  const parsed = parseJsonLine(text)
  const line = 'problem' in parsed ? parsed : flatLine(parsed.value)
  return 'problem' in line || Object.keys(line.metrics).length === 0 ? null : line
}

/** Names of which a printed dictionary has one, if it is the log of a training and not some other dictionary. */
const TELLING = ['loss', 'eval_loss', 'train_loss', 'train_runtime', 'eval_runtime', 'reward', 'objective/kl']

/** A dictionary as transformers print it; a bar may stand before it. */
function dictionary(text: string): Metrics | null {
  const start = text.indexOf("{'")
  if (start < 0) return null
  const metrics = pythonDict(text, start)
  if (metrics === null) return null
  const telling = TELLING.some((name) => name in metrics) || ('epoch' in metrics && Object.keys(metrics).length > 1)
  return telling ? metrics : null
}

function withoutStep(metrics: Metrics): Metrics {
  const others: Record<string, number> = Object.create(null)
  for (const name of Object.keys(metrics)) if (name !== 'step' && name !== 'global_step') others[name] = metrics[name]!
  return others
}

function savedState({ open, waiting, ...rest }: Progress): Json {
  return {
    ...rest,
    waiting: [...waiting],
    open: open === null ? null : Object.entries(open).map(([k, v]) => [k, `${v}`]),
  }
}

function parseState(state: Json | undefined): Progress {
  if (typeof state !== 'object' || state === null || Array.isArray(state)) return { ...BEGIN, waiting: [] }
  const { last, bar, cleared, waiting, open, any } = state as { readonly [key: string]: Json }
  const count = (value: Json | undefined) => (typeof value === 'number' && Number.isSafeInteger(value) ? value : null)
  const metrics: Record<string, number> = Object.create(null)
  if (Array.isArray(open)) for (const pair of open) if (Array.isArray(pair)) metrics[String(pair[0])] = Number(pair[1])
  return {
    last: count(last),
    bar: count(bar),
    cleared: cleared === true,
    waiting: Array.isArray(waiting) ? waiting.filter((one): one is number => count(one) !== null) : [],
    open: Array.isArray(open) ? metrics : null,
    any: any === true,
  }
}
