/**
 * The answers that TRL's GRPO and RLOO trainers save with `log_completions`: `completions/completions_<step>.parquet` in the output folder.
 *
 * @module
 */
import { statSync } from 'node:fs'
import { readFile as readWhole } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { errorMessage, TelltaleError } from '../errors.ts'
import { MAX_SAMPLES } from '../log/encode.ts'
import { plainText } from '../text/plain-text.ts'
import type { Cut } from './line-cutter.ts'
import { type ParquetColumn, parquetRows } from './parquet-rows.ts'
import type { SourceFormat } from './source.ts'
import { stepFiles } from './step-files.ts'

const FILE = /^completions_(\d{5,15})\.parquet$/
/** A larger file is not looked at: a thousand answers of 16 kB are 16 MB before they are compressed. */
const MAX_BYTES = 64 * 1024 * 1024

/** Folders of TRL's saved answers. */
export const completionsFormat: SourceFormat = {
  name: 'completions',
  recognises: (path, _head, isFolder) => !isFolder && FILE.test(basename(path)),
  belongsTo: dirname,
  home: (folder) => (basename(folder) === 'completions' ? dirname(folder) : folder),
  async runs(folder) {
    return [{ id: '', name: basename(dirname(folder)) }]
  },
  async open(folder, _id, position) {
    return stepFiles({ name: 'completions', folder, position, file: FILE, readFile })
  },
}

async function readFile(step: number, path: string, cut: Cut): Promise<number> {
  const { size } = statSync(path)
  if (size > MAX_BYTES) {
    cut.damage.push({ path, offset: 0, problem: `${size} bytes: larger than ${MAX_BYTES}, not looked at` })
    return 0
  }
  const bytes = await wholeFile(path)
  const read = await parquetRows(bytes, MAX_SAMPLES)
  if ('problem' in read) {
    cut.damage.push({ path, offset: 0, problem: `no Parquet that can be read: ${plainText(read.problem, 200)}` })
    return size
  }
  const { columns } = read
  const texts = (name: string) => columns.find((one) => one.name === name)?.values.map((one) => String(one ?? ''))
  const responses = texts('completion')
  if (responses === undefined || responses.length === 0) {
    cut.damage.push({ path, offset: 0, problem: 'no answers: expected a column completion' })
    return size
  }
  const prompts = texts('prompt')
  const rewards = rewardsOf(columns)
  cut.records.push({
    type: 'samples',
    step,
    time: null,
    ...(prompts ? { prompts } : {}),
    responses,
    ...(rewards ? { rewards } : {}),
  })
  return size
}

async function wholeFile(path: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await readWhole(path)
  } catch (error) {
    throw new TelltaleError('not-readable', `${path} cannot be read: ${errorMessage(error)}`)
  }
}

/**
 * TRL has a column for each reward function between the answer and its advantage; the reward is their sum, as with its default weights of 1. A
 * function that does not judge an answer leaves its place empty. Null where there is none.
 */
function rewardsOf(columns: readonly ParquetColumn[]): readonly number[] | null {
  const names = columns.map(({ name }) => name)
  const from = names.indexOf('completion') + 1
  const to = names.indexOf('advantage')
  const judged = columns
    .slice(from, to < 0 ? from : to)
    .filter(({ values }) => values.every((one) => one === null || typeof one === 'number'))
  const first = judged[0]
  if (first === undefined) return null
  return first.values.map((_, i) => {
    const given = judged.map(({ values }) => values[i]).filter((one) => typeof one === 'number' && !Number.isNaN(one))
    return given.length === 0 ? Number.NaN : given.reduce<number>((sum, one) => sum + (one as number), 0)
  })
}
