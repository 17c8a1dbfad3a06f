import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { ADAM_DEFAULTS, adamScalars, globalNorm, newAdamState, type Trained } from '../src/trainer/adam.ts'
import {
  backend,
  floats,
  integers,
  share,
  startBackend,
  type Tensor,
  type TensorRecord,
  toFloats,
} from '../src/trainer/backend.ts'
import { generalizedAdvantages, whiten } from '../src/trainer/gae.ts'
import { type Model, weightShapes } from '../src/trainer/model.ts'
import { compilePolicyStep, compileValueStep } from '../src/trainer/ppo-update.ts'
import { bradleyTerryLoss, createScorer, lastTokens, trainRewardModel } from '../src/trainer/reward-model.ts'
import { tokenRewards } from '../src/trainer/rewards.ts'
import { createRolloutModels, rolloutOf } from '../src/trainer/rollout.ts'
import { supervisedBatch, supervisedLoss } from '../src/trainer/supervised.ts'
import { sequenceTensors } from '../src/trainer/transformer.ts'
import { CASE, makeCase } from './pytorch-case.fixture.ts'

type Expected = { readonly torch: string } & {
  readonly [name: string]: number | readonly number[] | Readonly<Record<string, readonly number[]>> | string
}

/** Made by PyTorch in float64: `npm run test:real` makes it anew and compares. */
const expected = JSON.parse(readFileSync(new URL('./golden/pytorch-update.json', import.meta.url), 'utf8')) as Expected

const { config, options, promptLength } = CASE
const length = config.contextLength - promptLength

/**
 * Largest difference over the largest magnitude: a relative error that small numbers beside large ones cannot blow up.
 *
 * @param least of a magnitude, for what is 0 but for rounding (a reward's gradient to a bias that all scores share).
 */
function relativeError(ours: ArrayLike<number>, theirs: readonly number[], least = 1e-12): number {
  expect(ours.length).toBe(theirs.length)
  let difference = 0
  let size = least
  for (let i = 0; i < theirs.length; i++) {
    difference = Math.max(difference, Math.abs(ours[i]! - theirs[i]!))
    size = Math.max(size, Math.abs(theirs[i]!))
  }
  return difference / size
}

const real = (values: ArrayLike<number>, mask: Float32Array) => Array.from(values).filter((_, i) => mask[i] === 1)

const PER_TOKEN = ['logProbs', 'entropy', 'refLogProbs', 'values', 'rewards', 'advantages', 'returns', 'whitened']
const SCALARS = [
  'klToken',
  'klTokenK3',
  'klSequence',
  'policyLoss',
  'policyLossUnclipped',
  'clipFraction',
  'approxKl',
  'meanEntropy',
  'ratioMean',
  'ratioMax',
  'policyGradientNorm',
  'valueLoss',
  'valueClipFraction',
  'valueGradientNorm',
  'supervisedLoss',
  'supervisedGradientNorm',
  'preferenceLoss',
  'preferenceGradientNorm',
]
const GRADIENTS = ['policyGradients', 'valueGradients', 'supervisedGradients', 'preferenceGradients']
const WEIGHTS = ['policyAfter', 'policyAfterTwo', 'valueAfter', 'valueAfterTwo', 'preferenceAfter']

describe('one PPO update, in ours and in PyTorch float64', () => {
  const ours: Record<string, number | ArrayLike<number>> = {}
  const tensors: Record<string, Record<string, Float32Array>> = {}
  const before: Record<string, Record<string, Float32Array>> = {}
  let mask: Float32Array

  beforeAll(async () => {
    await startBackend()
    const { policy, reference, value, rows, mask: maskRows, scores, oldLogProbs, valueShift } = makeCase()
    mask = Float32Array.from(maskRows.flat())
    Object.assign(before, { policy: plain(policy.parameters), value: plain(value.parameters) })
    const responses = rows.map((row) => row.slice(promptLength))
    const rollout = rolloutOf(
      rows.map((row) => row.slice(0, promptLength)),
      responses,
      rows.map(() => true),
      0,
    )
    expect([...rollout.mask]).toEqual([...mask])
    const models = createRolloutModels(config, value.config, {
      batchSize: rows.length,
      promptLength,
      responseLength: length,
      padId: 0,
      eosId: 1,
      temperature: 1,
    })
    const scored = models.score(policy.parameters, rollout)
    ours.logProbs = scored.logProbs
    ours.entropy = scored.entropy
    ours.refLogProbs = models.score(reference.parameters, rollout).logProbs
    ours.values = models.values(value.parameters, rollout)
    const old = Float32Array.from(oldLogProbs.flat())
    const shaped = tokenRewards(rollout, old, ours.refLogProbs as Float32Array, scores, options.klCoefficient)
    Object.assign(ours, {
      rewards: shaped.rewards,
      klToken: shaped.klToken,
      klTokenK3: shaped.klTokenK3,
      klSequence: shaped.klSequence,
    })
    const values = ours.values as Float32Array
    const { advantages, returns } = generalizedAdvantages({
      rewards: shaped.rewards,
      values,
      mask,
      length,
      gamma: options.gamma,
      lambda: options.lambda,
    })
    const whitened = whiten(advantages, mask)
    Object.assign(ours, { advantages, returns, whitened })

    const shape = [rows.length, length]
    const lent = (model: Model): Trained => {
      const { mean, square } = newAdamState(model.parameters)
      return { parameters: backend().tree.ref(model.parameters) as TensorRecord, mean, square }
    }
    /** What a step leaves behind, kept; the clipped gradients are Adam's first mean, which began at 0. */
    const noted = (name: string, { parameters, mean }: Trained) => {
      tensors[`${name}After`] = plain(parameters)
      const firstShare = 1 - ADAM_DEFAULTS.beta1
      tensors[`${name}Gradients`] = Object.fromEntries(
        Object.entries(plain(mean)).map(([weight, values]) => [weight, values.map((value) => value / firstShare)]),
      )
    }
    const policyStep = compilePolicyStep(config, options, options)
    const policyBatch = () => ({
      sequence: sequenceTensors(rows, 0),
      responses: integers(Int32Array.from(responses.flatMap((row) => [...row])), shape),
      mask: floats(mask, shape),
      oldLogProbs: floats(old, shape),
      advantages: floats(whitened, shape),
    })
    const { trained: policyTrained, stats } = policyStep(
      lent(policy),
      policyBatch(),
      adamScalars(options.learningRate, 1, options),
    )
    Object.assign(ours, {
      policyLoss: stats.loss,
      policyLossUnclipped: stats.lossUnclipped,
      clipFraction: stats.clipFraction,
      approxKl: stats.approxKl,
      meanEntropy: stats.entropy,
      ratioMean: stats.ratioMean,
      ratioMax: stats.ratioMax,
      policyGradientNorm: stats.gradientNorm,
    })
    noted('policy', policyTrained)
    const policyTwice = policyStep(policyTrained, policyBatch(), adamScalars(options.learningRate, 2, options))
    tensors.policyAfterTwo = plain(policyTwice.trained.parameters)

    const shifted = values.map((v, i) => v + valueShift.flat()[i]!)
    const valueStep = compileValueStep(value.config, options, options)
    const valueBatch = () => ({
      sequence: sequenceTensors(rows, 0),
      mask: floats(mask, shape),
      oldValues: floats(shifted, shape),
      returns: floats(returns, shape),
    })
    const valueOnce = valueStep(lent(value), valueBatch(), adamScalars(options.valueLearningRate, 1, options))
    Object.assign(ours, {
      valueLoss: valueOnce.stats.loss,
      valueClipFraction: valueOnce.stats.clipFraction,
      valueGradientNorm: valueOnce.stats.gradientNorm,
    })
    noted('value', valueOnce.trained)
    const valueTwice = valueStep(valueOnce.trained, valueBatch(), adamScalars(options.valueLearningRate, 2, options))
    tensors.valueAfterTwo = plain(valueTwice.trained.parameters)

    const measured = (loss: (p: TensorRecord) => Tensor, model: Model) => {
      const [result, gradients] = backend().valueAndGrad(loss)(
        backend().tree.ref(model.parameters) as TensorRecord,
      ) as unknown as [Tensor, TensorRecord]
      return { loss: toFloats(result)[0]!, norm: toFloats(globalNorm(gradients))[0]!, gradients: plain(gradients) }
    }
    const examples = rows.map((row) => ({ prompt: row.slice(0, promptLength), response: row.slice(promptLength) }))
    const supervised = measured((p) => supervisedLoss(p, supervisedBatch(examples, 0), config, promptLength), policy)
    tensors.supervisedGradients = supervised.gradients
    const preference = measured(
      (p) => bradleyTerryLoss(p, { sequence: sequenceTensors(rows, 0), last: lastTokens(rows, 0) }, value.config),
      value,
    )
    const clip = Math.min(1, options.maxGradientNorm / (preference.norm + 1e-6))
    tensors.preferenceGradients = Object.fromEntries(
      Object.entries(preference.gradients).map(([name, values]) => [name, values.map((x) => x * clip)]),
    )
    const half = rows.length / 2
    // One step of the real training: all pairs in one batch, whose order changes nothing.
    const rewardModel = { config: value.config, parameters: share(value.parameters) }
    await trainRewardModel(rewardModel, {
      ...options,
      pairs: rows.slice(0, half).map((chosen, i) => ({ chosen, rejected: rows[half + i]! })),
      padId: 0,
      epochs: 1,
      batchSize: half,
      learningRate: options.rewardLearningRate,
    })
    tensors.preferenceAfter = plain(rewardModel.parameters)
    ours.sequenceScores = createScorer(value.config, { batchSize: rows.length, padId: 0 })(value.parameters, rows)
    Object.assign(ours, {
      supervisedLoss: supervised.loss,
      supervisedGradientNorm: supervised.norm,
      preferenceLoss: preference.loss,
      preferenceGradientNorm: preference.norm,
    })
  })

  it('clips something and not everything, so that every branch is tested', () => {
    for (const share of [expected.clipFraction, expected.valueClipFraction]) {
      expect(share).toBeGreaterThan(0.1)
      expect(share).toBeLessThan(0.9)
    }
    for (const norm of [expected.policyGradientNorm, expected.valueGradientNorm, expected.preferenceGradientNorm])
      expect(norm).toBeGreaterThan(options.maxGradientNorm)
  })

  it.each(PER_TOKEN)('%s of the real tokens', (name) => {
    expect(
      relativeError(real(ours[name] as ArrayLike<number>, mask), real(expected[name] as number[], mask)),
    ).toBeLessThan(1e-4)
  })

  it.each(SCALARS)('%s', (name) => {
    expect(relativeError([ours[name] as number], [expected[name] as number])).toBeLessThan(1e-4)
  })

  it('the score of whole sequences', () => {
    expect(relativeError(ours.sequenceScores as ArrayLike<number>, expected.sequenceScores as number[])).toBeLessThan(
      1e-4,
    )
  })

  it.each(GRADIENTS)('%s: every one', (name) => {
    // Clipped to a norm of 1, but for the supervised ones.
    compareWeights(tensors[name]!, expected[name] as Record<string, number[]>, 1e-3)
  })

  it.each(WEIGHTS)('%s: every weight', (name) => {
    compareWeights(tensors[name]!, expected[name] as Record<string, number[]>)
  })

  it.each(WEIGHTS)('%s: how far every weight has moved, which its size would hide', (name) => {
    const from = before[name.startsWith('policy') ? 'policy' : 'value']!
    const theirs = expected[name] as Record<string, number[]>
    const rate = name.startsWith('preference')
      ? options.rewardLearningRate
      : name.startsWith('value')
        ? options.valueLearningRate
        : options.learningRate
    for (const [weight, start] of Object.entries(from)) {
      const moved = (values: ArrayLike<number>) => Array.from(values, (value, i) => value - start[i]!)
      expect(relativeError(moved(tensors[name]![weight]!), moved(theirs[weight]!), rate), weight).toBeLessThan(1e-3)
    }
  })

  it('compares everything that PyTorch has written', () => {
    const compared = [...PER_TOKEN, ...SCALARS, ...GRADIENTS, ...WEIGHTS, 'sequenceScores', 'torch']
    expect(Object.keys(expected).toSorted()).toEqual(compared.toSorted())
  })
})

function compareWeights(
  ours: Record<string, Float32Array>,
  theirs: Readonly<Record<string, number[]>>,
  least?: number,
): void {
  const head = Object.hasOwn(theirs, 'head.weight') ? 'scalar' : 'token'
  expect(Object.keys(theirs).toSorted()).toEqual([...weightShapes({ ...config, head }).keys()].toSorted())
  for (const [weight, values] of Object.entries(theirs))
    expect(relativeError(ours[weight]!, values, least), weight).toBeLessThan(1e-4)
}

/** The numbers of tensors, which are kept. */
function plain(tensors: TensorRecord): Record<string, Float32Array> {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, toFloats(tensor.ref)]))
}
