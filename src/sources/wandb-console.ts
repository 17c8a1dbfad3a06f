/**
 * What a W&B log keeps of the terminal: read for numbers where a program has printed its numbers and logged none to W&B.
 *
 * @module
 */
import { consoleReader } from './console.ts'
import type { Json, SourceRecord } from './source.ts'

/** Characters of a line that has no end yet. */
const MAX_LINE_CHARACTERS = 64 * 1024
/** Printed steps without any logged one after which the printed ones count: a program that logs both logs the first one long before. */
const PRINTED_STEPS = 20

type Points = Extract<SourceRecord, { type: 'points' }>

/** The printed side of a run. */
export interface WandbConsole {
  /** Takes a piece of one of the two streams. */
  take(stream: 'stdout' | 'stderr', text: string, time: number | null): void
  /** Something was logged to W&B: nothing that is printed counts from now on. */
  logged(): void
  /** Numbers that count, in order; each is given once. `atEnd`: nothing more is printed. */
  give(atEnd: boolean): readonly Points[]
  state(): Json
}

/** @param saved from {@link WandbConsole.state}. */
export function wandbConsole(saved: Json | undefined): WandbConsole {
  const state = isObject(saved) ? saved : {}
  const reader = consoleReader(state.reader)
  const lines = { stdout: textOf(state.stdout), stderr: textOf(state.stderr) }
  let counts: 'unknown' | 'yes' | 'no' = state.counts === 'yes' || state.counts === 'no' ? state.counts : 'unknown'
  let held: Points[] = heldOf(state.held)

  function takeLine(line: string, time: number | null): void {
    const records: SourceRecord[] = []
    if (line.trim() === '') reader.blank?.(line)
    else reader.take(line, false, records)
    for (const record of records) if (record.type === 'points') held.push({ ...record, time })
  }

  return {
    take(stream, text, time) {
      if (counts === 'no') return
      const pieces = (lines[stream] + text).split(/[\r\n]/)
      lines[stream] = pieces.pop()!.slice(0, MAX_LINE_CHARACTERS)
      for (const piece of pieces) if (piece !== '') takeLine(piece, time)
    },
    logged() {
      counts = 'no'
      held = []
      lines.stdout = ''
      lines.stderr = ''
    },
    give(atEnd) {
      if (atEnd && counts !== 'no') {
        // A progress bar has no end of its line.
        for (const stream of ['stdout', 'stderr'] as const) {
          if (lines[stream] !== '') takeLine(lines[stream], null)
          lines[stream] = ''
        }
        const records: SourceRecord[] = []
        reader.end(records)
        for (const record of records) if (record.type === 'points') held.push(record)
      }
      if (counts === 'unknown' && (held.length >= PRINTED_STEPS || (atEnd && held.length > 0))) counts = 'yes'
      if (counts !== 'yes') return []
      const given = held
      held = []
      return given
    },
    state: () => ({
      counts,
      ...lines,
      reader: reader.state(),
      held: held.map(({ step, time, metrics }) => [step, time, Object.entries(metrics).map(([k, v]) => [k, `${v}`])]),
    }),
  }
}

function isObject(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : ''
}

function heldOf(value: Json | undefined): Points[] {
  if (!Array.isArray(value)) return []
  return value.flatMap((one): Points[] => {
    if (!Array.isArray(one) || typeof one[0] !== 'number' || !Array.isArray(one[2])) return []
    const metrics: Record<string, number> = Object.create(null)
    for (const pair of one[2]) if (Array.isArray(pair)) metrics[String(pair[0])] = Number(pair[1])
    return [{ type: 'points', step: one[0], time: typeof one[1] === 'number' ? one[1] : null, metrics }]
  })
}
