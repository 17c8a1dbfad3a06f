import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { adamScalars, globalNorm, newAdamState } from '../src/trainer/adam.ts'
import {
  backend,
  floats,
  integers,
  startBackend,
  type Tensor,
  type TensorRecord,
  toFloats,
} from '../src/trainer/backend.ts'
import { generalizedAdvantages, whiten } from '../src/trainer/gae.ts'
import { type Model, weightShapes } from '../src/trainer/model.ts'
import { compilePolicyStep, compileValueStep } from '../src/trainer/ppo-update.ts'
import { bradleyTerryLoss, createScorer, lastTokens } from '../src/trainer/reward-model.ts'
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

/** Largest difference over the largest magnitude: a relative error that small numbers beside large ones cannot blow up. */
function relativeError(ours: ArrayLike<number>, theirs: readonly number[]): number {
  expect(ours.length).toBe(theirs.length)
  let difference = 0
  let size = 1e-12
  for (let i = 0; i < theirs.length; i++) {
    difference = Math.max(difference, Math.abs(ours[i]! - theirs[i]!))
    size = Math.max(size, Math.abs(theirs[i]!))
  }
  return difference / size
}

const real = (values: ArrayLike<number>, mask: Float32Array) => Array.from(values).filter((_, i) => mask[i] === 1)

describe('one PPO update, in ours and in PyTorch float64', () => {
  const ours: Record<string, number | ArrayLike<number>> = {}
  const after: Record<string, Record<string, Float32Array>> = {}
  let mask: Float32Array

  beforeAll(async () => {
    await startBackend()
    const { policy, reference, value, rows, mask: maskRows, scores, oldLogProbs, valueShift } = makeCase()
    mask = Float32Array.from(maskRows.flat())
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
    const lent = (model: Model) => ({
      parameters: backend().tree.ref(model.parameters) as TensorRecord,
      ...newAdamState(model.parameters),
    })
    const weights = (parameters: TensorRecord) =>
      Object.fromEntries(Object.entries(parameters).map(([name, tensor]) => [name, toFloats(tensor)]))
    const { steps: _p, ...policyLent } = lent(policy)
    const policyStep = compilePolicyStep(config, options, options)(
      policyLent,
      {
        sequence: sequenceTensors(rows, 0),
        responses: integers(Int32Array.from(responses.flatMap((row) => [...row])), shape),
        mask: floats(mask, shape),
        oldLogProbs: floats(old, shape),
        advantages: floats(whitened, shape),
      },
      adamScalars(options.learningRate, 1, options),
    )
    const { stats } = policyStep
    Object.assign(ours, {
      policyLoss: stats.loss,
      policyLossUnclipped: stats.lossUnclipped,
      clipFraction: stats.clipFraction,
      approxKl: stats.approxKl,
      meanEntropy: stats.entropy,
      policyGradientNorm: stats.gradientNorm,
    })
    after.policyAfter = weights(policyStep.trained.parameters)

    const { steps: _v, ...valueLent } = lent(value)
    const shifted = values.map((v, i) => v + valueShift.flat()[i]!)
    const valueStep = compileValueStep(value.config, options, options)(
      valueLent,
      {
        sequence: sequenceTensors(rows, 0),
        mask: floats(mask, shape),
        oldValues: floats(shifted, shape),
        returns: floats(returns, shape),
      },
      adamScalars(options.valueLearningRate, 1, options),
    )
    Object.assign(ours, { valueLoss: valueStep.stats.loss, valueGradientNorm: valueStep.stats.gradientNorm })
    after.valueAfter = weights(valueStep.trained.parameters)

    const measured = (loss: (p: TensorRecord) => Tensor, model: Model) => {
      const [result, gradients] = backend().valueAndGrad(loss)(
        backend().tree.ref(model.parameters) as TensorRecord,
      ) as unknown as [Tensor, TensorRecord]
      return { loss: toFloats(result)[0]!, norm: toFloats(globalNorm(gradients))[0]! }
    }
    const examples = rows.map((row) => ({ prompt: row.slice(0, promptLength), response: row.slice(promptLength) }))
    const supervised = measured((p) => supervisedLoss(p, supervisedBatch(examples, 0), config, promptLength), policy)
    const preference = measured(
      (p) => bradleyTerryLoss(p, { sequence: sequenceTensors(rows, 0), last: lastTokens(rows, 0) }, value.config),
      value,
    )
    ours.sequenceScores = createScorer(value.config, { batchSize: rows.length, padId: 0 })(value.parameters, rows)
    Object.assign(ours, {
      supervisedLoss: supervised.loss,
      supervisedGradientNorm: supervised.norm,
      preferenceLoss: preference.loss,
      preferenceGradientNorm: preference.norm,
    })
  })

  it('clips something and not everything, so that both branches are tested', () => {
    expect(expected.clipFraction).toBeGreaterThan(0.1)
    expect(expected.clipFraction).toBeLessThan(0.9)
  })

  it.each(['logProbs', 'entropy', 'refLogProbs', 'values', 'rewards', 'advantages', 'returns', 'whitened'])(
    '%s of the real tokens',
    (name) => {
      expect(
        relativeError(real(ours[name] as ArrayLike<number>, mask), real(expected[name] as number[], mask)),
      ).toBeLessThan(1e-4)
    },
  )

  it.each([
    'klToken',
    'klTokenK3',
    'klSequence',
    'policyLoss',
    'policyLossUnclipped',
    'clipFraction',
    'approxKl',
    'meanEntropy',
    'policyGradientNorm',
    'valueLoss',
    'valueGradientNorm',
    'supervisedLoss',
    'supervisedGradientNorm',
    'preferenceLoss',
    'preferenceGradientNorm',
  ])('%s', (name) => {
    expect(relativeError([ours[name] as number], [expected[name] as number])).toBeLessThan(1e-4)
  })

  it('the score of whole sequences', () => {
    expect(relativeError(ours.sequenceScores as ArrayLike<number>, expected.sequenceScores as number[])).toBeLessThan(
      1e-4,
    )
  })

  it.each(['policyAfter', 'valueAfter'])('%s: every weight after the Adam step', (name) => {
    const theirs = expected[name] as Record<string, number[]>
    expect(Object.keys(theirs).toSorted()).toEqual(
      [...weightShapes(name === 'policyAfter' ? config : { ...config, head: 'scalar' }).keys()].toSorted(),
    )
    for (const [weight, values] of Object.entries(theirs))
      expect(relativeError(after[name]![weight]!, values), weight).toBeLessThan(1e-4)
  })
})
