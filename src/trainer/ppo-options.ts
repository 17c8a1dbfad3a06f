/**
 * PPO's hyper-parameters: defaults with their sources, and their check.
 *
 * @module
 */
import { TelltaleError } from '../errors.ts'
import { ADAM_DEFAULTS, type AdamOptions } from './adam.ts'
import type { AdaptiveKlOptions } from './kl-controller.ts'

/** Hyper-parameters of {@link RLAIFTrainer}; all have defaults. */
export interface PPOOptions extends AdamOptions {
  /** Tokens that a prompt is padded to; the longest prompt by default. */
  readonly promptLength?: number
  /** Tokens that a response may have, end of sequence included; what the context leaves by default. */
  readonly responseLength?: number
  /** Divides the logits in sampling and scoring; 1, so that what is sampled is what is optimised. */
  readonly temperature?: number
  /** Sample only from the k likeliest tokens; 0 (off), since truncation biases the KL (TRL's guide). */
  readonly topK?: number
  /** Sample only from the likeliest tokens of this total probability; 1 (off), for the same reason. */
  readonly topP?: number
  /** Coefficient beta of the per-token KL penalty; 0.05 (TRL). 0 switches the penalty off. */
  readonly klCoefficient?: number
  /** `fixed` (TRL) or `adaptive` (Ziegler et al. 2019). */
  readonly klControl?: 'fixed' | 'adaptive'
  /** Target and horizon of `klControl: 'adaptive'`; 6 nats a sequence and 10,000 sequences by default. */
  readonly adaptiveKl?: AdaptiveKlOptions
  /** Discount; 1 (TRL; Huang et al. 2024): a response is an episode of a few tokens. */
  readonly gamma?: number
  /** GAE's lambda; 0.95 (Schulman et al. 2016; TRL). */
  readonly lambda?: number
  /** Policy ratio's clipping range; 0.2 (Schulman et al. 2017; TRL). */
  readonly clipRange?: number
  /** Value's clipping range, in reward units; 0.2 (TRL). */
  readonly valueClipRange?: number
  /** Passes over a rollout; 4 (TRL). */
  readonly ppoEpochs?: number
  /**
   * Minibatches a pass, at most the batch size; 1 (TRL). All have ceil(batchSize / numMinibatches) responses; where that does
   * not divide the batch, the last is filled up from the beginning of the pass's order.
   */
  readonly numMinibatches?: number
  /** Policy's peak rate; 2e-4, for models of 1e5 parameters trained from scratch (TRL's 3e-6 is for billions). */
  readonly learningRate?: number
  /** Value model's peak rate; 1e-3, for the same models. */
  readonly valueLearningRate?: number
  /** How both rates go over the run; `constant` by default. */
  readonly learningRateSchedule?: 'constant' | 'linear' | 'cosine'
  /** Weight of the entropy bonus; 0 (TRL). A negative one rewards certainty and collapses the policy. */
  readonly entropyCoefficient?: number
  /** Taken from the reward of a response that does not end; 0 by default (TRL's "EOS trick" uses 1). */
  readonly missingEosPenalty?: number
  /** Seed of everything random; 1 by default. */
  readonly seed?: number
  /** Iterations between checkpoints; 0 (default) writes none. */
  readonly checkpointEvery?: number
  /** Folder of the checkpoints; needed with `checkpointEvery`. */
  readonly checkpointDir?: string
  /** Newest checkpoints that are kept; 20 by default. Older ones are deleted and reported as gone. */
  readonly keepCheckpoints?: number
}

/** {@link PPOOptions} with every default filled in. */
export type ResolvedPPOOptions = Required<
  Omit<PPOOptions, 'promptLength' | 'responseLength' | 'checkpointDir' | 'adaptiveKl'>
> &
  Pick<PPOOptions, 'promptLength' | 'responseLength' | 'checkpointDir'> & {
    readonly adaptiveKl: Required<AdaptiveKlOptions>
  }

/** Defaults of {@link PPOOptions}, sources there. */
export const PPO_DEFAULTS = {
  ...ADAM_DEFAULTS,
  temperature: 1,
  topK: 0,
  topP: 1,
  klCoefficient: 0.05,
  klControl: 'fixed',
  adaptiveKl: { targetNats: 6, horizon: 10_000 },
  gamma: 1,
  lambda: 0.95,
  clipRange: 0.2,
  valueClipRange: 0.2,
  ppoEpochs: 4,
  numMinibatches: 1,
  learningRate: 2e-4,
  valueLearningRate: 1e-3,
  learningRateSchedule: 'constant',
  entropyCoefficient: 0,
  missingEosPenalty: 0,
  seed: 1,
  checkpointEvery: 0,
  keepCheckpoints: 20,
} as const

const NAMES: ReadonlySet<string> = new Set([
  ...Object.keys(PPO_DEFAULTS),
  'promptLength',
  'responseLength',
  'checkpointDir',
])

/** Smallest and largest value of each number, and whether it is an integer. */
const RANGES: readonly (readonly [name: keyof PPOOptions, min: number, max: number, integer?: true])[] = [
  ['promptLength', 1, 100_000, true],
  ['responseLength', 1, 100_000, true],
  ['temperature', 0.01, 100],
  ['topK', 0, 1_000_000, true],
  ['topP', 0.001, 1],
  ['klCoefficient', 0, 1000],
  ['gamma', 0, 1],
  ['lambda', 0, 1],
  ['clipRange', 0.0001, 10],
  ['valueClipRange', 0.0001, 1e9],
  ['ppoEpochs', 1, 1000, true],
  ['numMinibatches', 1, 10_000, true],
  ['learningRate', 0, 10],
  ['valueLearningRate', 0, 10],
  ['entropyCoefficient', -100, 100],
  ['missingEosPenalty', 0, 1e6],
  ['seed', 0, 2 ** 32 - 1, true],
  ['checkpointEvery', 0, 1e9, true],
  ['keepCheckpoints', 1, 1e9, true],
  ['beta1', 0, 0.999999],
  ['beta2', 0, 0.999999999],
  ['epsilon', 1e-12, 1],
  ['maxGradientNorm', 0, 1e9],
]

/**
 * Fills in the defaults and checks every number.
 *
 * @throws TelltaleError `bad-option` naming the option, what came and what was expected.
 */
export function resolvePPOOptions(options: PPOOptions): ResolvedPPOOptions {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as PPOOptions
  known('option', Object.keys(given), NAMES)
  known('adaptiveKl option', Object.keys(given.adaptiveKl ?? {}), new Set(Object.keys(PPO_DEFAULTS.adaptiveKl)))
  const resolved = { ...PPO_DEFAULTS, ...given, adaptiveKl: { ...PPO_DEFAULTS.adaptiveKl, ...given.adaptiveKl } }
  for (const [name, min, max, integer] of RANGES) {
    const value = (resolved as PPOOptions)[name]
    if (value === undefined) continue
    const right = typeof value === 'number' && value >= min && value <= max && (!integer || Number.isSafeInteger(value))
    if (!right)
      throw new TelltaleError(
        'bad-option',
        `${name} is ${String(value)}; expected ${integer ? 'an integer' : 'a number'} from ${min} to ${max}`,
      )
  }
  for (const [name, value] of Object.entries(resolved.adaptiveKl)) {
    if (!(typeof value === 'number' && value > 0 && Number.isFinite(value)))
      throw new TelltaleError('bad-option', `adaptiveKl.${name} is ${String(value)}; expected a number above 0`)
  }
  oneOf('klControl', resolved.klControl, ['fixed', 'adaptive'])
  oneOf('learningRateSchedule', resolved.learningRateSchedule, ['constant', 'linear', 'cosine'])
  if (resolved.checkpointEvery > 0 && !given.checkpointDir) {
    throw new TelltaleError('bad-option', 'checkpointEvery is set, checkpointDir is not; say where checkpoints go')
  }
  return resolved as ResolvedPPOOptions
}

/** A misspelt option would silently leave its default in place. */
function known(what: string, names: readonly string[], expected: ReadonlySet<string>): void {
  const unknown = names.find((name) => !expected.has(name))
  if (unknown === undefined) return
  throw new TelltaleError(
    'bad-option',
    `${JSON.stringify(unknown.slice(0, 80))} is no ${what}; expected one of ${[...expected].join(', ')}`,
  )
}

function oneOf(name: string, value: unknown, choices: readonly string[]): void {
  if (choices.includes(value as string)) return
  throw new TelltaleError(
    'bad-option',
    `${name} is ${JSON.stringify(value)}; expected ${choices.map((choice) => `'${choice}'`).join(' or ')}`,
  )
}
