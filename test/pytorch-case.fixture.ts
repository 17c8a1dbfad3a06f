/**
 * The case that is worked through twice: here and in PyTorch (scripts/golden/ppo_update.py). Made from seeds, so that both
 * start from the same numbers.
 */
import { createModel, type Model, modelFrom, weightsOf, withScalarHead } from '../src/trainer/model.ts'
import { randomStream } from '../src/trainer/random.ts'

export const CASE = {
  config: { vocabSize: 13, contextLength: 10, width: 16, layers: 2, heads: 2, head: 'token' },
  promptLength: 4,
  options: {
    klCoefficient: 0.1,
    gamma: 0.99,
    lambda: 0.95,
    clipRange: 0.2,
    valueClipRange: 0.2,
    entropyCoefficient: 0.01,
    learningRate: 1e-3,
    valueLearningRate: 2e-3,
    rewardLearningRate: 3e-3,
    maxGradientNorm: 1,
    epsilon: 1e-5,
    temperature: 1,
    promptLength: 4,
  },
} as const

/** Models whose weights are far from their start, so that no part is idle, and a rollout with all kinds of padding. */
export function makeCase(): {
  policy: Model
  reference: Model
  value: Model
  rows: Int32Array[]
  mask: number[][]
  scores: number[]
  oldLogProbs: number[][]
  valueShift: number[][]
} {
  const random = randomStream(11, 'pytorch')
  const stirred = (model: Model, scale: number): Model => {
    const weights = weightsOf(model)
    for (const { data } of Object.values(weights))
      for (let i = 0; i < data.length; i++) data[i] = data[i]! + scale * random.normal()
    return modelFrom(model.config, weights)
  }
  const policy = stirred(createModel(CASE.config, 1), 0.2)
  const reference = stirred(policy, 0.05)
  const value = stirred(withScalarHead(createModel(CASE.config, 2)), 0.2)
  const lengths = [6, 3, 1, 6, 5, 2]
  const rows = lengths.map((length, r) =>
    Int32Array.from({ length: 10 }, (_, t) =>
      t < r % 4 || t >= 4 + length ? 0 : t === 3 + length && length < 6 ? 1 : 2 + random.integer(11),
    ),
  )
  const grid = (make: (r: number, t: number) => number) =>
    lengths.map((_, r) => Array.from({ length: 6 }, (_, t) => make(r, t)))
  return {
    policy,
    reference,
    value,
    rows,
    mask: grid((r, t) => (t < lengths[r]! ? 1 : 0)),
    scores: lengths.map(() => random.normal()),
    oldLogProbs: grid(() => Math.fround(-2.5 + 0.4 * random.normal())),
    valueShift: grid(() => Math.fround(0.3 * random.normal())),
  }
}
