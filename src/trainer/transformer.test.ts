import { beforeAll, describe, expect, it } from 'vitest'
import { backend, floats, integers, startBackend, type Tensor, type TensorRecord, toFloats } from './backend.ts'
import { createGenerator, drawToken } from './generate.ts'
import { createModel, modelFrom, weightsOf, withScalarHead } from './model.ts'
import { policyLoss, valueLoss } from './ppo-update.ts'
import { randomStream } from './random.ts'
import { bradleyTerryLoss, lastTokens } from './reward-model.ts'
import { joined, supervisedBatch, supervisedLoss } from './supervised.ts'
import { toyConfig } from './toy.fixture.ts'
import { hiddenStates, scalarHead, sequenceTensors, tokenLogits } from './transformer.ts'

const config = toyConfig()
const PAD = 0
const rows = [Int32Array.of(0, 0, 7, 6, 3, 4, 1, 0, 0, 0), Int32Array.of(8, 9, 10, 6, 5, 5, 4, 3, 3, 1)]

beforeAll(() => startBackend())

function logitsOf(parameters: TensorRecord, sequences: readonly Int32Array[]): Float32Array {
  const { jit, tree } = backend()
  const compiled = jit((p: TensorRecord, sequence: ReturnType<typeof sequenceTensors>) => {
    const logits = tokenLogits(p, hiddenStates(p, sequence, config))
    tree.dispose(p)
    return logits
  })
  return toFloats(compiled(tree.ref(parameters) as TensorRecord, sequenceTensors(sequences, PAD)) as unknown as Tensor)
}

describe('the transformer', () => {
  it('gives the same whatever padding stands before a prompt', () => {
    const { parameters } = createModel(config, 3)
    const tokens = [7, 6, 3, 4]
    const last = [0, 2, 6].map((padding) => {
      const row = Int32Array.from([...Array(padding).fill(PAD), ...tokens])
      return logitsOf(parameters, [row]).slice((row.length - 1) * config.vocabSize)
    })
    for (const logits of last.slice(1)) {
      for (let i = 0; i < logits.length; i++) expect(logits[i]).toBeCloseTo(last[0]![i]!, 5)
    }
    expect(Math.max(...last[0]!) - Math.min(...last[0]!)).toBeGreaterThan(1e-3)
  })

  it('sees no token that comes later', () => {
    const { parameters } = createModel(config, 3)
    const other = Int32Array.from(rows[1]!)
    other[9] = 12
    const [a, b] = [logitsOf(parameters, [rows[1]!]), logitsOf(parameters, [other])]
    expect([...a.subarray(0, 9 * config.vocabSize)]).toEqual([...b.subarray(0, 9 * config.vocabSize)])
    expect([...a.subarray(9 * config.vocabSize)]).not.toEqual([...b.subarray(9 * config.vocabSize)])
  })
})

describe('generation with a cache', () => {
  it('gives the tokens that the full forward pass gives, greedily and drawn', () => {
    const { parameters } = createModel({ ...config, contextLength: 10 }, 5)
    const prompts = [Int32Array.of(0, 0, 7, 6), Int32Array.of(8, 9, 10, 6)]
    const generate = createGenerator(config, { batchSize: 2, promptLength: 4, responseLength: 6, padId: PAD, eosId: 1 })
    for (const sampling of [{ temperature: 0 }, { temperature: 1 }, { temperature: 0.7, topK: 5 }]) {
      const { responses } = generate(parameters, prompts, randomStream(9), sampling)
      const random = randomStream(9)
      const naive = prompts.map((prompt) => Int32Array.from([...prompt, ...Array(6).fill(PAD)]))
      const ended = [false, false]
      for (let t = 0; t < 6 && !ended.every(Boolean); t++) {
        const logits = logitsOf(
          parameters,
          naive.map((row) => row.slice(0, 4 + t)),
        )
        for (let r = 0; r < 2; r++) {
          const u = random.uniform()
          if (ended[r]) continue
          const at = (r * (4 + t) + 3 + t) * config.vocabSize
          const token = drawToken(logits.slice(at, at + config.vocabSize), u, sampling)
          naive[r]![4 + t] = token
          ended[r] = token === 1
        }
      }
      expect(responses.map((row) => [...row])).toEqual(naive.map((row) => [...row.slice(4)]))
    }
  })

  it('draws in proportion, keeps to the k likeliest and to the nucleus', () => {
    const logits = Float32Array.from([0.5, 0.3, 0.15, 0.05].map(Math.log))
    const counts = (sampling: object) => {
      const random = randomStream(1)
      const seen = [0, 0, 0, 0]
      for (let i = 0; i < 4000; i++) seen[drawToken(logits, random.uniform(), sampling)]!++
      return seen.map((count) => count / 4000)
    }
    for (const [i, share] of counts({}).entries()) expect(share).toBeCloseTo([0.5, 0.3, 0.15, 0.05][i]!, 1)
    expect(counts({ topK: 2 }).slice(2)).toEqual([0, 0])
    expect(counts({ topP: 0.75 }).slice(2)).toEqual([0, 0])
    expect(counts({ temperature: 0 })).toEqual([1, 0, 0, 0])
  })
})

/** Central differences in float32 need a step that is large against rounding; the losses are smooth enough for it. */
const STEP = 1e-2

function checkGradients(make: (p: TensorRecord) => Tensor, head: 'token' | 'scalar'): void {
  const { valueAndGrad, tree } = backend()
  const base = createModel(config, 7)
  const model = head === 'token' ? base : withScalarHead(base)
  const random = randomStream(4)
  const weights = weightsOf(model)
  // Larger weights than at the start, so that no part of the model is idle.
  for (const { data } of Object.values(weights))
    for (let i = 0; i < data.length; i++) data[i] = data[i]! + 0.15 * random.normal()
  const { parameters } = modelFrom(model.config, weights)
  const [, gradients] = valueAndGrad(make)(tree.ref(parameters) as TensorRecord) as unknown as [Tensor, TensorRecord]
  for (const [name, { data }] of Object.entries(weights)) {
    const analytic = toFloats(gradients[name]!)
    // The entry with the largest gradient says most about whether it is right.
    let at = 0
    for (let i = 0; i < analytic.length; i++) if (Math.abs(analytic[i]!) > Math.abs(analytic[at]!)) at = i
    const lossAt = (shift: number) => {
      const original = data[at]!
      data[at] = original + shift
      const loss = toFloats(make(modelFrom(model.config, weights).parameters))[0]!
      data[at] = original
      return loss
    }
    const numeric = (lossAt(STEP) - lossAt(-STEP)) / (2 * STEP)
    expect(Math.abs(numeric - analytic[at]!), `${name}[${at}]: ${numeric} against ${analytic[at]}`).toBeLessThan(
      2e-3 + 0.03 * Math.abs(numeric),
    )
  }
}

describe('gradients agree with finite differences', () => {
  const examples = rows.map((row) => ({ prompt: row.slice(0, 4), response: row.slice(4) }))
  const mask = floats.bind(null, Float32Array.of(1, 1, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1), [2, 6])
  const options = { promptLength: 4, temperature: 1, clipRange: 0.2, valueClipRange: 0.2, entropyCoefficient: 0.01 }

  it('of the supervised loss', () =>
    checkGradients((p) => supervisedLoss(p, supervisedBatch(examples, PAD), config, 4), 'token'))

  it('of the Bradley-Terry loss', () =>
    checkGradients(
      (p) =>
        bradleyTerryLoss(
          p,
          { sequence: sequenceTensors(rows, PAD), last: lastTokens(rows, PAD) },
          { ...config, head: 'scalar' },
        ),
      'scalar',
    ))

  it('of the policy loss', () =>
    checkGradients((p) => {
      const flat = Int32Array.from(examples.flatMap(({ response }) => [...response]))
      const { objective, stats } = policyLoss(
        p,
        {
          sequence: sequenceTensors(rows, PAD),
          responses: integers(flat, [2, 6]),
          mask: mask(),
          oldLogProbs: floats(new Float32Array(12).fill(-2.6), [2, 6]),
          advantages: floats(
            Float32Array.from({ length: 12 }, (_, i) => ((i * 5) % 7) / 3 - 1),
            [2, 6],
          ),
        },
        config,
        options,
      )
      for (const stat of stats) stat.dispose()
      return objective
    }, 'token'))

  it('of the value loss', () =>
    checkGradients((p) => {
      const { objective, stats } = valueLoss(
        p,
        {
          sequence: sequenceTensors(rows, PAD),
          mask: mask(),
          oldValues: floats(new Float32Array(12).fill(0.1), [2, 6]),
          returns: floats(
            Float32Array.from({ length: 12 }, (_, i) => Math.sin(i)),
            [2, 6],
          ),
        },
        { ...config, head: 'scalar' },
        { ...options, valueClipRange: 100 },
      )
      for (const stat of stats) stat.dispose()
      return objective
    }, 'scalar'))
})

describe('the scalar head', () => {
  it('begins at zero everywhere', () => {
    const model = withScalarHead(createModel(config, 1))
    const values = toFloats(
      scalarHead(
        model.parameters,
        hiddenStates(model.parameters, sequenceTensors([joined(rows[0]!, new Int32Array(0))], PAD), model.config),
      ),
    )
    expect([...values].every((value) => value === 0)).toBe(true)
  })
})
