/**
 * How stored runs differ: in their settings, in their series, in their alerts, in their answers to the same prompts.
 *
 * @module
 */
import type { Alert } from '../detectors/detector.ts'
import { t975 } from '../stats/student-t.ts'
import type { RunStore, StoredRun } from '../stores/store.ts'
import { flatSettings, MAX_SETTINGS } from './flat-settings.ts'

/** A setting that is not the same in all runs; null where a run has none. */
export interface SettingDifference {
  readonly name: string
  readonly values: readonly (string | null)[]
}

/** A level: what a series came to in the last third of a run. */
export interface Level {
  readonly mean: number
  /** Standard error from the means of blocks, which neighbouring values that are alike do not make too small; NaN where there are too few. */
  readonly error: number
  readonly blocks: number
}

/** A series that all runs have. */
export interface SeriesComparison {
  readonly name: string
  readonly unit: string
  readonly levels: readonly Level[]
  /** Each run's level less the first one's, with a 95 % interval; null where it is not known how sure it is. */
  readonly differences: readonly ({ readonly mean: number; readonly interval: readonly [number, number] } | null)[]
  /** Means over equal pieces of the longest run's iterations: a curve a run, NaN where it has none. */
  readonly curves: readonly (readonly number[])[]
}

/** Newest answers of all runs to one prompt. */
export interface AnswerComparison {
  readonly prompt: string
  readonly answers: readonly { readonly iteration: number; readonly response: string; readonly reward: number }[]
}

/** Several runs beside each other; lists have one entry a run, in their order. */
export interface RunComparison {
  readonly runs: readonly StoredRun[]
  readonly settings: readonly SettingDifference[]
  readonly series: readonly SeriesComparison[]
  readonly alerts: readonly (readonly Alert[])[]
  readonly answers: readonly AnswerComparison[]
}

const PIECES = 48
const BLOCKS = 8
const MAX_VALUES = 20_000
const MAX_ANSWERS = 5

export function compareRuns(store: RunStore, runs: readonly StoredRun[]): RunComparison {
  return {
    runs,
    settings: settingsOf(runs.map(({ config }) => flatSettings(config))),
    series: seriesOf(store, runs),
    alerts: runs.map(({ key }) => store.alerts(key)),
    answers: answersOf(store, runs),
  }
}

function settingsOf(all: readonly ReadonlyMap<string, string>[]): readonly SettingDifference[] {
  const names = [...new Set(all.flatMap((one) => [...one.keys()]))].sort()
  return names
    .map((name) => ({ name, values: all.map((one) => one.get(name) ?? null) }))
    .filter(({ values }) => values.some((value) => value !== values[0]))
    .slice(0, MAX_SETTINGS)
}

function seriesOf(store: RunStore, runs: readonly StoredRun[]): readonly SeriesComparison[] {
  const [first, ...others] = runs.map(({ key }) => store.series(key))
  const common = (first ?? []).filter(({ name }) => others.every((series) => series.some((one) => one.name === name)))
  const longest = Math.max(0, ...runs.map(({ lastIteration }) => lastIteration ?? 0))
  return common.map(({ name, unit }) => {
    const levels = runs.map((run) => levelOf(store, run, name))
    return {
      name,
      unit,
      levels,
      differences: levels.map((level) => difference(levels[0]!, level)),
      curves: runs.map((run) => curveOf(store, run, name, longest)),
    }
  })
}

/** The last third of the values, in blocks whose means are as good as independent. */
function levelOf(store: RunStore, run: StoredRun, name: string): Level {
  const last = run.lastIteration ?? 0
  const { values } = store.points(run.key, name, { from: last - Math.ceil(last / 3) })
  const finite = values.slice(-MAX_VALUES).filter(Number.isFinite)
  const mean = meanOf(finite)
  const blocks = Math.min(BLOCKS, Math.floor(finite.length / 3))
  if (blocks < 3) return { mean, error: Number.NaN, blocks: 0 }
  const means = Array.from({ length: blocks }, (_, i) =>
    meanOf(finite.slice(Math.floor((i * finite.length) / blocks), Math.floor(((i + 1) * finite.length) / blocks))),
  )
  const centre = meanOf(means)
  const variance = means.reduce((sum, one) => sum + (one - centre) ** 2, 0) / (blocks - 1)
  return { mean, error: Math.sqrt(variance / blocks), blocks }
}

/** Welch's interval, with the degrees of freedom of the shorter run, which are fewer than his. */
function difference(first: Level, other: Level): SeriesComparison['differences'][number] {
  if (first === other || first.blocks < 3 || other.blocks < 3) return null
  const mean = other.mean - first.mean
  const half = t975(Math.min(first.blocks, other.blocks) - 1) * Math.hypot(first.error, other.error)
  return { mean, interval: [mean - half, mean + half] }
}

function curveOf(store: RunStore, run: StoredRun, name: string, longest: number): readonly number[] {
  // A run of a few iterations has no more pieces than these: the others would be empty.
  const pieces = Math.min(PIECES, longest + 1)
  const width = (longest + 1) / pieces
  const sums = Array.from({ length: pieces }, () => ({ sum: 0, count: 0 }))
  for (const { firstIteration, lastIteration, mean, count } of store.zoom(run.key, name, { buckets: 4 * pieces })) {
    const piece = sums[Math.min(pieces - 1, Math.floor((firstIteration + lastIteration) / 2 / width))]!
    if (count === 0) continue
    piece.sum += mean * count
    piece.count += count
  }
  return sums.map(({ sum, count }) => (count > 0 ? sum / count : Number.NaN))
}

function answersOf(store: RunStore, runs: readonly StoredRun[]): readonly AnswerComparison[] {
  // The newest answer to a prompt is the one that stays.
  const all = runs.map(({ key }) => new Map(store.samples(key).map((sample) => [sample.prompt, sample])))
  const [first, ...others] = all
  const prompts = [...(first?.keys() ?? [])].filter((prompt) => prompt !== '' && others.every((one) => one.has(prompt)))
  return prompts.slice(-MAX_ANSWERS).map((prompt) => ({
    prompt,
    answers: all.map((one) => {
      const { iteration, response, reward } = one.get(prompt)!
      return { iteration, response, reward }
    }),
  }))
}

function meanOf(values: readonly number[]): number {
  return values.length === 0 ? Number.NaN : values.reduce((sum, value) => sum + value / values.length, 0)
}
