import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SampleGenerator } from '../callbacks.ts'
import type { TrainingEvent } from '../events.ts'
import { systemClock } from '../time.ts'
import { floats, startBackend } from './backend.ts'
import { maskedMoments } from './gae.ts'
import { liveTensorCounter } from './live-tensors.fixture.ts'
import { cloneModel, createModel, modelFrom, weightsOf, withScalarHead } from './model.ts'
import { resolvePPOOptions } from './ppo-options.ts'
import { randomStream } from './random.ts'
import { createScorer } from './reward-model.ts'
import { readSafetensors } from './safetensors.ts'
import { toyConfig, toyPrompts, toyTokenizer, toyTrainer, yesReward } from './toy.fixture.ts'
import type { TrainerMonitor } from './trainer-types.ts'
import { TrainingRun } from './training-run.ts'

const dir = mkdtempSync(join(tmpdir(), 'telltale-run-'))
beforeAll(() => startBackend())
afterAll(() => rmSync(dir, { recursive: true, force: true }))

/** The least that a trainer needs of a monitor, so that nothing but the trainer is tested. */
function recorder(onEvent: (event: TrainingEvent) => void = () => {}) {
  const events: TrainingEvent[] = []
  let generator: SampleGenerator | undefined
  const monitor: TrainerMonitor = {
    clock: systemClock,
    onEvent(event) {
      events.push(event)
      onEvent(event)
    },
    async settle() {
      if (!generator) return
      const responses = await generator.generate(['a ?', 'b ?'], { seed: events.length })
      await generator.embed?.(responses)
      await generator.refPerplexity?.(['a ?', 'b ?'], responses)
    },
    shouldStopEarly: () => ({ shouldStop: false, reason: null }),
    getStop: () => null,
    registerGenerator(given) {
      generator = given
    },
  }
  const values = (name: string) => events.flatMap(({ metrics }) => metrics[name] ?? [])
  return { monitor, events, values }
}

const scalarHeaded = (seed: number) => {
  const model = withScalarHead(createModel(toyConfig(), seed))
  const weights = weightsOf(model)
  const random = randomStream(seed)
  for (const { data } of Object.values(weights)) for (let i = 0; i < data.length; i++) data[i]! += 0.2 * random.normal()
  return modelFrom(model.config, weights)
}

function toyRun(
  options: Parameters<typeof resolvePPOOptions>[0] = {},
  rewardModel: ConstructorParameters<typeof TrainingRun>[0]['rewardModel'] = yesReward,
) {
  const policyModel = createModel(toyConfig(), 1)
  const refPolicyModel = cloneModel(createModel(toyConfig(), 2))
  const models = { policyModel, refPolicyModel, valueModel: scalarHeaded(3), rewardModel, tokenizer: toyTokenizer }
  const counts = { numIterations: 4, batchSize: 16, evalEvery: 10 }
  const run = new TrainingRun(models, resolvePPOOptions(options), { prompts: toyPrompts }, counts)
  const { prompts, responses, rollout } = run.generate()
  return { run, rollout, scored: run.reward(prompts, responses, rollout) }
}

describe('rewards', () => {
  it('of answers that do not end are lowered by the penalty, those of the others are not', () => {
    const { rollout, scored } = toyRun({ missingEosPenalty: 0.75 }, { score: (_, texts) => texts.map(() => 1) })
    expect(new Set(rollout.ended).size).toBe(2)
    expect(scored.rawRewards).toEqual(rollout.ended.map((ended) => (ended ? 1 : 0.25)))
  })

  it("of a reward model are its scores on the scale of its own typical answers'", () => {
    const model = scalarHeaded(9)
    const { rollout, scored } = toyRun({}, { model, padId: 0, mean: 0.5, std: 4 })
    const raw = createScorer(model.config, { batchSize: 16, padId: 0 })(model.parameters, rollout.rows)
    expect(maskedMoments(raw, new Float32Array(16).fill(1)).std).toBeGreaterThan(0.01)
    for (const [i, reward] of scored.rawRewards.entries()) expect(reward).toBeCloseTo((raw[i]! - 0.5) / 4, 5)
  })

  it('of a reward model that are no numbers end the training before they reach the weights', async () => {
    const model = scalarHeaded(9)
    model.parameters['head.bias'] = floats([Number.NaN], [1])
    const { trainer, policyModel } = toyTrainer({ rewardModel: { model, padId: 0, mean: 0, std: 1 } })
    const before = weightsOf(policyModel)
    await expect(trainer.train({ prompts: toyPrompts, numIterations: 2 })).rejects.toMatchObject({
      code: 'bad-option',
      message: /the reward model gave NaN for response 0/,
    })
    expect(weightsOf(policyModel)).toEqual(before)
  })
})

describe('advantages', () => {
  it('are learned from whitened, and measured as they were', () => {
    const { run, rollout, scored } = toyRun()
    const { whitened, metrics } = run.advantages(rollout, scored)
    const { mean, std } = maskedMoments(whitened, rollout.mask)
    expect(mean).toBeCloseTo(0, 5)
    expect(std).toBeCloseTo(1, 4)
    expect(Math.abs(metrics['adv/std']! - 1)).toBeGreaterThan(0.01)
  })

  it('come with the share of the variance of returns that the values explain', () => {
    const { run, rollout, scored } = toyRun()
    const { returns, metrics } = run.advantages(rollout, scored)
    const real = Array.from(rollout.mask.keys()).filter((i) => rollout.mask[i] === 1)
    const variance = (of: (i: number) => number) => {
      const mean = real.reduce((sum, i) => sum + of(i), 0) / real.length
      return real.reduce((sum, i) => sum + (of(i) - mean) ** 2, 0) / (real.length - 1)
    }
    const unexplained = variance((i) => returns[i]! - scored.values[i]!) / variance((i) => returns[i]!)
    expect(metrics['value/explained_variance']).toBeCloseTo(1 - unexplained, 4)
    expect(unexplained).not.toBeCloseTo(1, 2)
  })

  it('say nothing of an explained variance where all returns are equal', async () => {
    const { monitor, events, values } = recorder()
    const rewardModel = { score: (_: readonly string[], texts: readonly string[]) => texts.map(() => 0) }
    const { trainer } = toyTrainer({ monitor, rewardModel })
    await trainer.train({ prompts: toyPrompts, numIterations: 1 })
    expect(values('value/explained_variance')).toEqual([])
    for (const { metrics } of events)
      for (const [name, value] of Object.entries(metrics)) expect(Number.isFinite(value), name).toBe(true)
  })
})

describe('over the iterations', () => {
  it.each([
    ['falls below its target', 1e6],
    ['rises above it', 1e-6],
  ])("the adaptive KL coefficient %s, by the controller's rule", async (_, targetNats) => {
    const { monitor, values } = recorder()
    const { trainer } = toyTrainer({
      monitor,
      // Far enough from the reference that the estimate of the KL, which may be negative, is not.
      learningRate: 0.03,
      klControl: 'adaptive',
      klCoefficient: 0.1,
      adaptiveKl: { targetNats, horizon: 40 },
    })
    await trainer.train({ prompts: toyPrompts, numIterations: 5, batchSize: 8 })
    const [coefficients, kl] = [values('kl_ref/coef'), values('kl_ref/seq')]
    expect(coefficients[0]).toBe(0.1)
    for (let i = 1; i < 5; i++) {
      const error = Math.min(0.2, Math.max(-0.2, kl[i - 1]! / targetNats - 1))
      expect(coefficients[i]).toBeCloseTo(coefficients[i - 1]! * (1 + (error * 8) / 40), 10)
    }
    expect(kl[3]).toBeGreaterThan(0.1)
    expect(Math.sign(coefficients[4]! - coefficients[3]!)).toBe(targetNats > 1 ? -1 : 1)
  })

  it('both learning rates follow the schedule', async () => {
    const { monitor, values } = recorder()
    const rates = { learningRate: 8e-3, valueLearningRate: 4e-3, learningRateSchedule: 'linear' } as const
    await toyTrainer({ monitor, ...rates }).trainer.train({ prompts: toyPrompts, numIterations: 4 })
    for (const [i, share] of [1, 0.75, 0.5, 0.25].entries()) {
      expect(values('optim/lr')[i]).toBeCloseTo(8e-3 * share, 10)
      expect(values('optim/value_lr')[i]).toBeCloseTo(4e-3 * share, 10)
    }
  })

  it('more padding before the prompts changes nothing', async () => {
    const history = async (promptLength: number) =>
      (
        await toyTrainer({ promptLength, responseLength: 5 }).trainer.train({
          prompts: toyPrompts.slice(0, 2),
          numIterations: 4,
          batchSize: 4,
        })
      ).history
    const [tight, padded] = [await history(2), await history(5)]
    for (const [i, { reward, klNats, loss }] of tight.entries()) {
      expect(padded[i]!.reward).toBeCloseTo(reward, 6)
      expect(padded[i]!.klNats).toBeCloseTo(klNats, 4)
      expect(padded[i]!.loss).toBeCloseTo(loss, 4)
    }
    expect(tight.at(-1)!.klNats).not.toBeCloseTo(0, 4)
  })

  it('not one array is forgotten, those for the monitor included, and the moments are given back at the end', async () => {
    const count = liveTensorCounter()
    const { monitor } = recorder()
    const { trainer, policyModel, valueModel } = toyTrainer({ monitor })
    const counts: number[] = []
    const measure = () => {
      counts.push(count())
      return {}
    }
    const options = { prompts: toyPrompts, batchSize: 4, measure }
    await trainer.train({ ...options, numIterations: 40 })
    const between = count()
    expect(new Set(counts.slice(2)).size).toBe(1)
    const weights = [policyModel, valueModel].flatMap(({ parameters }) => Object.keys(parameters)).length
    expect(counts.at(-1)! - between).toBe(2 * weights)
    // That the count sees one small array.
    const witness = floats([0, 1], [2])
    expect(count()).toBe(between + 1)
    witness.dispose()
  })
})

describe('weights that are no numbers', () => {
  const finite = (path: string) =>
    ['policy', 'policy-adam', 'value', 'value-adam'].every((name) =>
      Object.values(readSafetensors(join(path, `${name}.safetensors`)).tensors).every(({ data }) =>
        data.every(Number.isFinite),
      ),
    )
  const checkpoints = (name: string) => ({
    checkpointEvery: 1,
    keepCheckpoints: 1,
    checkpointDir: join(dir, name),
  })

  it('never push the last good checkpoint out', async () => {
    let calls = 0
    const { monitor, events } = recorder()
    const { trainer } = toyTrainer({
      monitor,
      ...checkpoints('diverged'),
      rewardModel: {
        score: (_, texts) => {
          calls++
          return texts.map((_, i) => (calls === 4 ? (i % 2 ? 3e38 : -3e38) : i))
        },
      },
    })
    await expect(trainer.train({ prompts: toyPrompts, numIterations: 8 })).rejects.toMatchObject({ code: 'diverged' })
    expect(readdirSync(join(dir, 'diverged'))).toEqual(['iteration-2'])
    expect(finite(join(dir, 'diverged', 'iteration-2'))).toBe(true)
    expect(events.map(({ phase }) => phase).slice(-2)).toEqual(['iteration_end', 'training_end'])
    const { trainer: again } = toyTrainer()
    const resumeFrom = join(dir, 'diverged', 'iteration-2')
    expect(await again.train({ prompts: toyPrompts, numIterations: 4, resumeFrom })).toMatchObject({
      iterations: 4,
      status: 'completed',
    })
  })

  it.each(['policyModel', 'valueModel'] as const)('are noticed in %s though its loss was finite', async (name) => {
    const { monitor, events } = recorder(({ phase, iteration }) => {
      if (phase !== 'value_update' || iteration !== 2) return
      const { parameters } = toy[name]
      parameters['ln_f.bias']!.dispose()
      parameters['ln_f.bias'] = floats(new Float32Array(16).fill(Number.POSITIVE_INFINITY), [16])
    })
    const toy = toyTrainer({ monitor, ...checkpoints(name) })
    await expect(toy.trainer.train({ prompts: toyPrompts, numIterations: 8 })).rejects.toMatchObject({
      code: 'diverged',
      message: /the weights after iteration 2 are not all finite/,
    })
    expect(readdirSync(join(dir, name))).toEqual(['iteration-1'])
    expect(
      Number.isFinite(
        events
          .filter(({ phase }) => phase === 'iteration_end')
          .at(-1)!
          .getMetric('loss'),
      ),
    ).toBe(true)
  })
})

describe('what cannot be', () => {
  const model = () => withScalarHead(createModel(toyConfig(), 5))

  it.each([
    [{ klCoeficient: 3 }, /"klCoeficient" is no option; expected one of .*klCoefficient/],
    [{ adaptiveKl: { target: 3 } }, /"target" is no adaptiveKl option; expected one of targetNats, horizon/],
    [{ rewardModel: {} }, /neither a model nor a function/],
    [{ rewardModel: null }, /neither a model nor a function/],
    [{ rewardModel: () => ({ model: model(), padId: 0, mean: 0, std: 0 }) }, /rewardModel.std is 0/],
    [{ rewardModel: () => ({ model: model(), padId: 0, mean: Number.NaN, std: 1 }) }, /rewardModel.mean is NaN/],
    [
      { rewardModel: () => ({ model: createModel(toyConfig(), 5), padId: 0, mean: 0, std: 1 }) },
      /rewardModel.model has no scalar head/,
    ],
    [
      { rewardModel: () => ({ model: withScalarHead(createModel(toyConfig(8), 5)), padId: 0, mean: 0, std: 1 }) },
      /shorter context than policyModel/,
    ],
  ])('%o is refused at construction', (options, message) => {
    // Models are made when the back end runs, which is after this table is.
    const resolved = Object.fromEntries(
      Object.entries(options).map(([name, value]) => [name, typeof value === 'function' ? value() : value]),
    )
    expect(() => toyTrainer(resolved as never)).toThrowError(
      expect.objectContaining({ code: 'bad-option', message: expect.stringMatching(message) }),
    )
  })

  it('a value model that is the reward model, or a reference that shares the weights, is refused', () => {
    const shared = model()
    const rewardModel = { model: shared, padId: 0, mean: 0, std: 1 }
    expect(() => toyTrainer({ valueModel: shared, rewardModel })).toThrowError(/valueModel is the reward model itself/)
    const policyModel = createModel(toyConfig(), 1)
    expect(() => toyTrainer({ policyModel, refPolicyModel: { ...policyModel } })).toThrowError(
      /refPolicyModel is policyModel itself/,
    )
    expect(() => toyTrainer({ valueModel: cloneModel(shared), rewardModel })).not.toThrow()
  })

  it.each([
    [{ evalEvery: 0 }, /evalEvery is 0; expected an integer of at least 1/],
    [{ evalEvery: 1.5 }, /evalEvery is 1.5/],
    [{ batchSize: 1 }, /numMinibatches is 2; a batchSize of 1 gives at most as many/],
  ])('%o is refused by train', async (options, message) => {
    await expect(toyTrainer().trainer.train({ prompts: toyPrompts, ...options })).rejects.toThrowError(
      expect.objectContaining({ code: 'bad-option', message: expect.stringMatching(message) }),
    )
  })
})
