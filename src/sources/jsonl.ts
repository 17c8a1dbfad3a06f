/**
 * JSON lines: our own wire format, flat dictionaries such as `{"step":3,"loss":0.1}`, and verl's `{"step":3,"data":{…}}`. The first good
 * line of a file says which of them it is.
 *
 * @module
 */
import { dirname } from 'node:path'
import { type FlatLine, flatLine, parseJsonLine } from '../log/flat-line.ts'
import { checkLine } from '../log/wire.ts'
import { headLines } from './head-lines.ts'
import type { LineReader } from './line-cutter.ts'
import { lineSource } from './line-source.ts'
import { nameOfFile } from './run-name.ts'
import type { Json, SourceFormat, SourceName, SourceRecord } from './source.ts'

type LineKind = 'telltale' | 'jsonl' | 'verl'

/** Any file whose lines are JSON with a step; verl's and single files of our own log included. */
export const jsonlFormat: SourceFormat = {
  name: 'jsonl',
  recognises(path, head, isFolder) {
    if (isFolder) return false
    const { lines, torn } = headLines(head)
    // A document has a step now and then; it has not one a line.
    if (/\.json$/i.test(path)) return lines.length > 1 && lines.slice(0, 2).every((line) => kindOf(line) !== null)
    if (lines.length === 0) return torn.startsWith('{"') && /^\{"(v|step|global_step|_step|iteration)":/.test(torn)
    return lines.slice(0, 5).some((line) => line.startsWith('{') && kindOf(line) !== null)
  },
  home: dirname,
  async runs(path) {
    return [{ id: '', name: nameOfFile(path) }]
  },
  async open(path, _id, position) {
    return lineSource({ path, reader: jsonlReader, position })
  },
}

/** What kind of line a text is; null where it is none of them. */
export function kindOf(text: string): LineKind | null {
  const parsed = parseJsonLine(text)
  return 'problem' in parsed ? null : kindOfValue(parsed.value)
}

function kindOfValue(value: unknown): LineKind | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null
  // A trainer may log a "v" and a "type", too; lines of ours have no step.
  if ('v' in value && 'type' in value && !('step' in value)) return 'telltale'
  if ('problem' in flatLine(value)) return null
  return isVerl(value) ? 'verl' : 'jsonl'
}

function isVerl(value: object): boolean {
  return 'data' in value && typeof value.data === 'object' && value.data !== null
}

/** @param state what a reader of the same file said. */
export function jsonlReader(state?: Json): LineReader {
  let kind: LineKind | null = state === 'telltale' || state === 'jsonl' || state === 'verl' ? state : null
  /** Whether the file before this one had anything. */
  let any = kind !== null
  return {
    get name(): SourceName {
      return kind ?? 'jsonl'
    },
    take(text, torn, records) {
      const parsed = parseJsonLine(text)
      if ('problem' in parsed) return torn ? 'torn: the last line has no end' : parsed.problem
      const { value } = parsed
      if (kind === null) {
        const found = kindOfValue(value)
        if (found === null) return notOurs(value)
        kind = found
      }
      any = true
      if (kind === 'telltale') {
        const checked = checkLine(value)
        if ('problem' in checked) return checked.problem
        records.push({ type: 'wire', line: checked.line })
        return null
      }
      const line = flatLine(value)
      if ('problem' in line) return line.problem
      takeFlat(line, records)
      return null
    },
    anew(records) {
      // Lines of ours say themselves which run and which attempt they belong to.
      if (any && kind !== 'telltale') records.push({ type: 'attempt' })
      any = false
      kind = null
    },
    end() {},
    state: () => kind,
  }
}

function takeFlat({ step, time, metrics, metadata }: FlatLine, records: SourceRecord[]): void {
  records.push({ type: 'points', step, time, metrics })
  const responses = metadata.responses
  if (!Array.isArray(responses)) return
  const { prompts, rewards } = metadata
  records.push({
    type: 'samples',
    step,
    time,
    responses: texts(responses),
    ...(Array.isArray(prompts) ? { prompts: texts(prompts) } : {}),
    ...(Array.isArray(rewards) ? { rewards: rewards.map((one) => (typeof one === 'number' ? one : Number.NaN)) } : {}),
  })
}

function texts(values: readonly unknown[]): readonly string[] {
  return values.map((value) => (typeof value === 'string' ? value : ''))
}

function notOurs(value: unknown): string {
  const neither = 'neither a line of a run log nor a flat line'
  const flat = flatLine(value)
  return Array.isArray(value) || typeof value !== 'object' || !('problem' in flat)
    ? `${neither} with a step`
    : `${neither}: ${flat.problem}`
}
