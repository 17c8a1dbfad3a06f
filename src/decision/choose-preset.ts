/**
 * Which preset suits a run, from its trainer and from what its first iterations log.
 *
 * @module
 */
import type { Preset } from '../detectors/calibrated/preset.ts'
import type { Json, Observation } from '../detectors/detector.ts'
import type { TrainerName } from '../vocabulary/vocabulary.ts'

/** Iterations after which the choice stands. */
const SETTLED_AFTER = 10

/** Trainers that do one thing; the others are told apart by what they log. */
const BY_TRAINER: Readonly<Partial<Record<TrainerName, Preset>>> = {
  'trl-ppo': 'ppo',
  'trl-grpo': 'grpo',
  'trl-rloo': 'grpo',
  'trl-online-dpo': 'grpo',
  'trl-dpo': 'dpo',
  'trl-sft': 'sft',
  'trl-reward': 'sft',
}

const SIGNS = {
  value: ['value/explained_variance', 'loss/value', 'value/mean', 'value/clip_fraction', 'value/head_update_norm'],
  groups: ['reward/frac_zero_std'],
  reward: ['reward/score', 'reward/total', 'kl_ref/token', 'kl_ref/seq', 'ppo/clip_fraction', 'ppo/approx_kl'],
  preference: ['pref/margin', 'pref/accuracy', 'pref/reward_chosen', 'pref/logp_chosen'],
  supervised: ['loss/total', 'loss/mean_token_accuracy'],
} as const

type Sign = keyof typeof SIGNS

/** Follows the first iterations of a run. */
export interface PresetChoice {
  readonly preset: Preset
  /** Takes a closed iteration; true where the choice has changed. */
  update(observation: Observation): boolean
  snapshot(): Json
  restore(state: Json): void
}

/** A choice that starts from what the trainer's name says, `ppo` where it says nothing. */
export function choosePreset(trainer: TrainerName): PresetChoice {
  const said = BY_TRAINER[trainer]
  let seen: readonly Sign[] = []
  let iterations = 0
  const choice = (): Preset => {
    if (said) return said
    const has = (sign: Sign) => seen.includes(sign)
    if (has('value')) return 'ppo'
    if (has('preference') && !has('groups')) return 'dpo'
    if (has('groups')) return 'grpo'
    // An online run without any sign of a critic may be one that does not log it: better to say that it is not watched.
    if (has('reward')) return 'ppo'
    return has('supervised') ? 'sft' : 'ppo'
  }
  return {
    get preset() {
      return choice()
    },
    update(observation) {
      if (iterations >= SETTLED_AFTER) return false
      const before = choice()
      iterations++
      seen = (Object.keys(SIGNS) as Sign[]).filter(
        (sign) => seen.includes(sign) || SIGNS[sign].some((name) => observation.get(name) !== undefined),
      )
      return choice() !== before
    },
    snapshot: () => ({ seen: [...seen], iterations }),
    restore(state) {
      const saved = state as { readonly seen: readonly Sign[]; readonly iterations: number }
      seen = [...saved.seen]
      iterations = saved.iterations
    },
  }
}
