/**
 * Checkpoints from which training goes on with the same numbers: weights, moments, chance and counters.
 *
 * @module
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { errorMessage, TelltaleError } from '../errors.ts'
import { TELLTALE_VERSION } from '../version.ts'
import type { AdamState } from './adam.ts'
import { type TensorRecord, toFloats } from './backend.ts'
import { type Model, modelFrom, type WeightRecord, weightShapes, weightsOf } from './model.ts'
import { readSafetensors, writeSafetensors } from './safetensors.ts'

/** Counters and chance of a training, as JSON. */
export interface TrainerState {
  readonly format: 'telltale-checkpoint-1'
  readonly telltale: string
  /** Newest finished iteration. */
  readonly iteration: number
  /** What has to be the same when training goes on: prompts an iteration, and a hash of all prompts. */
  readonly batchSize: number
  readonly prompts: string
  readonly klCoefficient: number
  readonly random: {
    readonly rollout: readonly number[]
    readonly prompts: readonly number[]
    readonly minibatches: readonly number[]
  }
  /** Order of the prompts in the current pass, and how many of them have been used. */
  readonly promptOrder: readonly number[]
  readonly promptCursor: number
  readonly policySteps: number
  readonly valueSteps: number
}

/** What a checkpoint holds. */
export interface TrainerCheckpoint {
  readonly state: TrainerState
  readonly policy: Model
  readonly value: Model
  readonly policyAdam: AdamState
  readonly valueAdam: AdamState
}

/**
 * Writes `<dir>/iteration-<n>/`, complete under its name or not at all.
 *
 * @returns the path of the new checkpoint and the iterations of older ones that were deleted to keep `keep`.
 * @throws TelltaleError `not-writable`
 */
export function saveCheckpoint(
  dir: string,
  checkpoint: TrainerCheckpoint,
  keep: number,
): { readonly path: string; readonly removed: readonly number[] } {
  const path = join(dir, `iteration-${checkpoint.state.iteration}`)
  const temporary = `${path}.tmp`
  try {
    rmSync(temporary, { recursive: true, force: true })
    mkdirSync(temporary, { recursive: true })
    for (const [name, model, adam] of [
      ['policy', checkpoint.policy, checkpoint.policyAdam],
      ['value', checkpoint.value, checkpoint.valueAdam],
    ] as const) {
      writeSafetensors(join(temporary, `${name}.safetensors`), weightsOf(model), {
        format: 'telltale',
        config: JSON.stringify(model.config),
      })
      writeSafetensors(join(temporary, `${name}-adam.safetensors`), {
        ...prefixed('mean.', model, adam.mean),
        ...prefixed('square.', model, adam.square),
      })
    }
    writeFileSync(join(temporary, 'state.json'), `${JSON.stringify(checkpoint.state, null, 2)}\n`)
    rmSync(path, { recursive: true, force: true })
    renameSync(temporary, path)
  } catch (error) {
    throw new TelltaleError('not-writable', `The checkpoint ${path} cannot be written: ${errorMessage(error)}`, {
      cause: error,
    })
  }
  return { path, removed: prune(dir, checkpoint.state.iteration, keep) }
}

/**
 * Reads a checkpoint folder.
 *
 * @throws TelltaleError `not-readable` where it is not there, `bad-format` where a part is missing, truncated or of another
 * model.
 */
export function loadCheckpoint(path: string, policy: Model, value: Model): TrainerCheckpoint {
  if (!existsSync(path)) throw new TelltaleError('not-readable', `There is no checkpoint at ${path}.`)
  const state = readState(join(path, 'state.json'))
  const part = (name: string, model: Model, steps: number) => {
    const { tensors, metadata } = readSafetensors(join(path, `${name}.safetensors`))
    if (metadata.config !== JSON.stringify(model.config)) {
      throw new TelltaleError(
        'bad-format',
        `${name} in ${path} is of another configuration: ${metadata.config ?? 'none is named'}, expected ${JSON.stringify(model.config)}`,
      )
    }
    const moments = readSafetensors(join(path, `${name}-adam.safetensors`)).tensors
    const adam: AdamState = {
      mean: unprefixed('mean.', model, moments),
      square: unprefixed('square.', model, moments),
      steps,
    }
    return { model: modelFrom(model.config, tensors), adam }
  }
  const policyPart = part('policy', policy, state.policySteps)
  const valuePart = part('value', value, state.valueSteps)
  return {
    state,
    policy: policyPart.model,
    policyAdam: policyPart.adam,
    value: valuePart.model,
    valueAdam: valuePart.adam,
  }
}

function readState(path: string): TrainerState {
  let state: Partial<TrainerState>
  try {
    state = JSON.parse(readFileSync(path, 'utf8')) as Partial<TrainerState>
  } catch (error) {
    throw new TelltaleError('bad-format', `${path} is damaged or missing: ${errorMessage(error)}`)
  }
  const { random } = state
  const streams = [random?.rollout, random?.prompts, random?.minibatches]
  const whole =
    state.format === 'telltale-checkpoint-1' &&
    [state.iteration, state.batchSize, state.promptCursor, state.policySteps, state.valueSteps].every(isCount) &&
    Number.isFinite(state.klCoefficient) &&
    isPermutation(state.promptOrder) &&
    streams.every((words) => Array.isArray(words) && words.length === 4 && words.every(isCount))
  if (!whole)
    throw new TelltaleError(
      'bad-format',
      `${path} is not the state of a checkpoint (expected format telltale-checkpoint-1 with all its fields)`,
    )
  return state as TrainerState
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function isPermutation(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.every(isCount) &&
    new Set(value).size === value.length &&
    value.every((index) => index < value.length)
  )
}

function prefixed(prefix: string, model: Model, tensors: TensorRecord): WeightRecord {
  const entries = [...weightShapes(model.config)].map(
    ([name, shape]) => [`${prefix}${name}`, { shape, data: toFloats(tensors[name]!.ref) }] as const,
  )
  return Object.fromEntries(entries)
}

function unprefixed(prefix: string, model: Model, tensors: WeightRecord): TensorRecord {
  const own = Object.entries(tensors).filter(([name]) => name.startsWith(prefix))
  return modelFrom(model.config, Object.fromEntries(own.map(([name, tensor]) => [name.slice(prefix.length), tensor])))
    .parameters
}

function prune(dir: string, newest: number, keep: number): number[] {
  const iterations = readdirSync(dir)
    .filter((name) => /^iteration-\d+$/.test(name))
    .map((name) => Number(basename(name).slice('iteration-'.length)))
    .filter((iteration) => iteration <= newest)
    .sort((a, b) => a - b)
  const removed = iterations.slice(0, Math.max(0, iterations.length - keep))
  for (const iteration of removed) rmSync(join(dir, `iteration-${iteration}`), { recursive: true, force: true })
  return removed
}

/** The state of a training at the end of an iteration. */
export function trainerState(state: Omit<TrainerState, 'format' | 'telltale'>): TrainerState {
  return { format: 'telltale-checkpoint-1', telltale: TELLTALE_VERSION, ...state }
}
