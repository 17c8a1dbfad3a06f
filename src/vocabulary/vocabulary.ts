/**
 * What a trainer's name for a series means.
 *
 * @module
 */
import { TelltaleError } from '../errors.ts'
import type { Alias, AliasAttributes, AliasPattern, TrainerTable } from './alias.ts'
import { canonicalMetric } from './canonical.ts'
import type { SeriesInfo } from './series.ts'
import { CLEANRL } from './trainers/cleanrl.ts'
import { LIGHTNING } from './trainers/lightning.ts'
import { OPEN_INSTRUCT } from './trainers/open-instruct.ts'
import { OPENRLHF } from './trainers/openrlhf.ts'
import { OWN_LOOP } from './trainers/own-loop.ts'
import { TRL_DPO } from './trainers/trl-dpo.ts'
import { TRL_GRPO } from './trainers/trl-grpo.ts'
import { TRL_ONLINE_DPO } from './trainers/trl-online-dpo.ts'
import { TRL_PPO } from './trainers/trl-ppo.ts'
import { TRL_REWARD } from './trainers/trl-reward.ts'
import { TRL_RLOO } from './trainers/trl-rloo.ts'
import { TRL_SFT } from './trainers/trl-sft.ts'
import { VERL } from './trainers/verl.ts'

/** The tables, in the order in which {@link recognizeTrainer} tries them: the more telling signature first. */
export const TRAINER_TABLES = {
  verl: VERL,
  'open-instruct': OPEN_INSTRUCT,
  openrlhf: OPENRLHF,
  'trl-online-dpo': TRL_ONLINE_DPO,
  'trl-ppo': TRL_PPO,
  'trl-grpo': TRL_GRPO,
  'trl-rloo': TRL_RLOO,
  'trl-dpo': TRL_DPO,
  'trl-reward': TRL_REWARD,
  'trl-sft': TRL_SFT,
  cleanrl: CLEANRL,
  lightning: LIGHTNING,
  'own-loop': OWN_LOOP,
} as const satisfies Record<string, TrainerTable>

/** A trainer whose names Telltale knows; `own-loop` is any loop that uses the plan's keys or canonical names. */
export type TrainerName = keyof typeof TRAINER_TABLES

/** All of {@link TrainerName}. */
export const TRAINERS: readonly TrainerName[] = Object.freeze(Object.keys(TRAINER_TABLES) as TrainerName[])

/** Whether a string is one of {@link TRAINERS}. */
export function isTrainerName(value: unknown): value is TrainerName {
  return typeof value === 'string' && Object.hasOwn(TRAINER_TABLES, value)
}

/** Infos kept of one trainer; a run has at most 2,000 names. */
const MAX_CACHED = 4096
const MAX_CACHED_LENGTH = 250
const caches = new Map<TrainerName, Map<string, SeriesInfo>>()

/**
 * What a series means. A canonical name means itself in every table; `train/x` means `x` where the table knows it, `eval_x`
 * and `eval/x` are the evaluation of `x`; a name that no table knows keeps itself as canonical name.
 *
 * @param original the name that the trainer logs; any string is safe.
 * @param trainer the table; `own-loop` by default.
 * @throws TelltaleError `bad-option` for a trainer without a table.
 *
 * @example
 * ```ts
 * import { seriesInfo } from 'telltale'
 * const { canonical, estimator, unit } = seriesInfo('train/objective/kl', 'trl-ppo')
 * console.log(canonical, estimator, unit) // kl_ref/seq k1 nats/sequence
 * console.log(seriesInfo('my_metric').canonical) // my_metric
 * ```
 */
export function seriesInfo(original: string, trainer: TrainerName = 'own-loop'): SeriesInfo {
  let cache = caches.get(trainer)
  if (!cache) {
    if (!isTrainerName(trainer)) {
      throw new TelltaleError(
        'bad-option',
        `trainer is ${JSON.stringify(trainer)}; expected one of ${TRAINERS.join(', ')}`,
      )
    }
    cache = new Map()
    caches.set(trainer, cache)
  }
  const known = cache.get(original)
  if (known) return known
  const info = Object.freeze(lookUp(original, trainer))
  if (original.length <= MAX_CACHED_LENGTH) {
    // Only a hostile run has more names than this: forgetting all of them is simple and still correct.
    if (cache.size >= MAX_CACHED) cache.clear()
    cache.set(original, info)
  }
  return info
}

/** A value in the meaning of a canonical series. */
export interface CanonicalPoint {
  readonly canonical: string
  readonly value: number
}

/**
 * What further canonical values follow from one that was logged, such as the share of answers that ended from the share
 * that was truncated.
 */
export function derivedPoints(original: string, value: number, trainer: TrainerName): readonly CanonicalPoint[] {
  const alias = aliasOf(original, trainer) ?? aliasOf(withoutTrain(original), trainer)
  return (alias?.derives ?? []).map(({ canonical, transform }) => ({
    canonical,
    value: transform === 'one-minus' ? 1 - value : -value,
  }))
}

/**
 * The trainer that logs such names, or `own-loop` where none is recognised. RLOO logs the names of GRPO with other meanings
 * (its `kl` may be negative), so it is taken for `trl-grpo` and has to be named by who knows.
 *
 * @param names names of a run, with or without a leading `train/`.
 *
 * @example
 * ```ts
 * import { recognizeTrainer } from 'telltale'
 * console.log(recognizeTrainer(['actor/pg_loss', 'actor/ppo_kl', 'critic/score/mean'])) // verl
 * ```
 */
export function recognizeTrainer(names: Iterable<string>): TrainerName {
  const present = new Set<string>()
  for (const name of names) {
    if (typeof name !== 'string') continue
    present.add(name)
    present.add(withoutTrain(name))
  }
  for (const trainer of TRAINERS) {
    const table: TrainerTable = TRAINER_TABLES[trainer]
    if (table.signatures.some((signature) => signature.every((name) => present.has(name)))) return trainer
  }
  return 'own-loop'
}

/** The names by which {@link recognizeTrainer} told a trainer from the names of a run; empty where it did not. */
export function tellingNames(trainer: TrainerName, names: Iterable<string>): readonly string[] {
  const present = new Set([...names].flatMap((name) => [name, withoutTrain(name)]))
  const table: TrainerTable = TRAINER_TABLES[trainer]
  return table.signatures.find((signature) => signature.every((name) => present.has(name))) ?? []
}

function lookUp(original: string, trainer: TrainerName): SeriesInfo {
  return (
    resolve(original, original, trainer) ??
    resolve(original, withoutTrain(original), trainer) ??
    evaluation(original, trainer) ?? {
      canonical: original,
      original,
      unit: '',
      reduction: '',
      masked: null,
      badDirection: null,
      reliability: 'exact',
    }
  )
}

function resolve(original: string, name: string, trainer: TrainerName): SeriesInfo | undefined {
  if (canonicalMetric(name)) return describe(original, name, {})
  const alias = aliasOf(name, trainer)
  // A known name without a canonical meaning stays what it is, prefix and all.
  if (alias) return describe(original, alias.canonical ?? original, alias)
  const table: TrainerTable = TRAINER_TABLES[trainer]
  for (const pattern of table.patterns ?? []) {
    const canonical = matched(name, pattern)
    if (canonical !== undefined) return describe(original, canonical, pattern)
  }
  return undefined
}

/** `eval_x` and `eval/x`: the evaluation of `x`, with the attributes of `x`. */
function evaluation(original: string, trainer: TrainerName): SeriesInfo | undefined {
  if (!/^eval[_/]./s.test(original)) return undefined
  const of = original.slice('eval/'.length)
  const info = resolve(of, of, trainer)
  return info ? { ...info, original, canonical: `eval/${of}` } : describe(original, `eval/${of}`, {})
}

function describe(original: string, canonical: string, attributes: AliasAttributes): SeriesInfo {
  const meaning = canonicalMetric(canonical)
  const estimator = attributes.estimator ?? meaning?.estimator
  return {
    canonical,
    original,
    unit: attributes.unit ?? meaning?.unit ?? '',
    ...(estimator ? { estimator } : {}),
    reduction: attributes.reduction ?? meaning?.reduction ?? '',
    masked: attributes.masked ?? null,
    badDirection: meaning?.badDirection ?? null,
    reliability: attributes.reliability ?? 'exact',
    ...(attributes.why === undefined ? {} : { why: attributes.why }),
  }
}

function matched(name: string, pattern: AliasPattern): string | undefined {
  const suffix = pattern.suffix ?? ''
  if (!name.startsWith(pattern.prefix) || !name.endsWith(suffix)) return undefined
  if (name.length <= pattern.prefix.length + suffix.length) return undefined
  const middle = name.slice(pattern.prefix.length, name.length - suffix.length)
  return `${pattern.canonicalPrefix}${middle}${pattern.canonicalSuffix ?? ''}`
}

function aliasOf(name: string, trainer: TrainerName): Alias | undefined {
  const { aliases }: TrainerTable = TRAINER_TABLES[trainer]
  return Object.hasOwn(aliases, name) ? aliases[name] : undefined
}

function withoutTrain(name: string): string {
  return name.startsWith('train/') && name.length > 'train/'.length ? name.slice('train/'.length) : name
}
