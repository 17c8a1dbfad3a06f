/**
 * What verl leaves in its `rollout_data_dir`: the answers of each step in a file `<step>.jsonl`, written as a whole.
 *
 * @module
 */
import { basename, dirname } from 'node:path'
import { MAX_SAMPLES } from '../log/encode.ts'
import { parseJsonLine } from '../log/flat-line.ts'
import { growingFile } from './growing-file.ts'
import { headLines } from './head-lines.ts'
import { type Cut, type LineReader, lineCutter } from './line-cutter.ts'
import type { SourceFormat } from './source.ts'
import { stepFiles } from './step-files.ts'

const FILE = /^(\d{1,15})\.jsonl$/
const PIECE_BYTES = 1024 * 1024

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
    return stepFiles({ name: 'verl', folder, position, file: FILE, readFile })
  },
}

interface Answer {
  readonly prompt: string
  readonly response: string
  readonly reward: number
}

async function readFile(step: number, path: string, cut: Cut): Promise<number> {
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
