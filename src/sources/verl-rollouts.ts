/**
 * What verl leaves in its `rollout_data_dir`: the answers of each step in a file `<step>.jsonl`, written as a whole.
 *
 * @module
 */
import { readdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { errorMessage, TelltaleError } from '../errors.ts'
import { MAX_SAMPLES } from '../log/encode.ts'
import { parseJsonLine } from '../log/flat-line.ts'
import { fileVersion, growingFile } from './growing-file.ts'
import { headLines } from './head-lines.ts'
import { type Cut, type LineReader, lineCutter } from './line-cutter.ts'
import type { Json, Source, SourceFormat } from './source.ts'

const FILE = /^(\d{1,15})\.jsonl$/
const PIECE_BYTES = 1024 * 1024
/** Files that are read in one batch. */
const FILES_A_BATCH = 16

/** A folder of files `<step>.jsonl` with one answer a line. */
export const verlRolloutsFormat: SourceFormat = {
  name: 'verl',
  recognises(path, head, isFolder) {
    if (isFolder || !FILE.test(basename(path))) return false
    const { lines, torn } = headLines(head)
    // An answer may be longer than what is looked at.
    return /^\{"input": ?"/.test(lines[0] ?? torn)
  },
  belongsTo: dirname,
  /** `rollouts/` beside the file with the numbers. */
  home: (folder) => (/roll|gener|sample/i.test(basename(folder)) ? dirname(folder) : folder),
  async runs(folder) {
    return [{ id: '', name: basename(folder) }]
  },
  async open(folder, _id, position) {
    return rolloutsSource(folder, position)
  },
}

interface Answer {
  readonly prompt: string
  readonly response: string
  readonly reward: number
}

function rolloutsSource(folder: string, position: Json | undefined): Source {
  /** Step of the newest file that was read; a file of an earlier step that is written anew is another attempt's. */
  const versions = new Map<number, string>(parsePosition(position))
  /** Versions that were met once: a file counts as whole where a look later it is the same, or a later one is there. */
  const met = new Map<number, string>()

  async function readFile(step: number, cut: Cut): Promise<number> {
    const path = join(folder, `${step}.jsonl`)
    const answers: Answer[] = []
    const cutter = lineCutter({ path, reader: answerReader(answers) })
    const file = growingFile(path)
    let bytes = 0
    for (;;) {
      const piece = file.read(PIECE_BYTES)
      bytes += piece.bytes.length
      cutter.take(piece.bytes, cut)
      if (!piece.more || answers.length >= MAX_SAMPLES) break
    }
    if (answers.length < MAX_SAMPLES) cutter.finish(cut)
    if (answers.length === 0) return bytes
    cut.records.push({
      type: 'samples',
      step,
      time: null,
      prompts: answers.map(({ prompt }) => prompt),
      responses: answers.map(({ response }) => response),
      ...(answers.every(({ reward }) => Number.isNaN(reward)) ? {} : { rewards: answers.map(({ reward }) => reward) }),
    })
    return bytes
  }

  return {
    name: 'verl',
    async read({ finished = false, signal } = {}) {
      signal?.throwIfAborted()
      const cut: Cut = { records: [], damage: [] }
      const steps = stepsIn(folder)
      const newest = steps.at(-1)
      let bytes = 0
      let left = FILES_A_BATCH
      let more = false
      for (const step of steps) {
        const path = join(folder, `${step}.jsonl`)
        const version = fileVersion(path)
        if (version === null || versions.get(step) === version) continue
        if (left-- === 0) {
          more = true
          break
        }
        const whole = finished || step !== newest || met.get(step) === version
        met.set(step, version)
        if (!whole) continue
        met.delete(step)
        bytes += await tryFile(step, path, cut)
        versions.set(step, version)
      }
      return { ...cut, position: [...versions], bytes, more }
    },
    close() {},
  }

  /** One that cannot be read does not hold up the others. */
  async function tryFile(step: number, path: string, cut: Cut): Promise<number> {
    try {
      return await readFile(step, cut)
    } catch (error) {
      if (!(error instanceof TelltaleError)) throw error
      cut.damage.push({ path, offset: 0, problem: error.message })
      return 0
    }
  }
}

function answerReader(answers: Answer[]): LineReader {
  return {
    name: 'verl',
    take(text, torn) {
      if (answers.length >= MAX_SAMPLES) return null
      const parsed = parseJsonLine(text)
      if ('problem' in parsed) return torn ? 'torn: the last line has no end' : parsed.problem
      const value = parsed.value as Readonly<Record<string, unknown>> | null
      if (typeof value !== 'object' || value === null || typeof value.output !== 'string') {
        return 'no answer: expected a text under output'
      }
      answers.push({
        prompt: typeof value.input === 'string' ? value.input : '',
        response: value.output,
        reward: typeof value.score === 'number' ? value.score : Number.NaN,
      })
      return null
    },
    anew() {},
    end() {},
    state: () => null,
  }
}

function stepsIn(folder: string): readonly number[] {
  try {
    return readdirSync(folder)
      .flatMap((name) => FILE.exec(name)?.[1] ?? [])
      .map(Number)
      .sort((a, b) => a - b)
  } catch (error) {
    throw new TelltaleError('not-readable', `${folder} cannot be read: ${errorMessage(error)}`)
  }
}

function parsePosition(position: Json | undefined): readonly (readonly [number, string])[] {
  if (!Array.isArray(position)) return []
  return position.flatMap((pair) =>
    Array.isArray(pair) && typeof pair[0] === 'number' ? [[pair[0], String(pair[1])] as const] : [],
  )
}
