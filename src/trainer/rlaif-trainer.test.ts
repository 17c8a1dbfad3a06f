import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { TrainingEvent } from '../events.ts'
import { TrainingMonitor } from '../monitor.ts'
import { SampleComparator } from '../quality/sample-comparator.ts'
import { startBackend } from './backend.ts'
import { weightsOf } from './model.ts'
import { RLAIFTrainer } from './rlaif-trainer.ts'
import { toyPrompts, toyTrainer } from './toy.fixture.ts'

const dir = mkdtempSync(join(tmpdir(), 'telltale-trainer-'))
beforeAll(() => startBackend())
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const bytes = (model: Parameters<typeof weightsOf>[0]) =>
  Object.entries(weightsOf(model)).map(
    ([name, { data }]) => `${name} ${Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64')}`,
  )

function watched(options: { every?: number } = {}) {
  const monitor = new TrainingMonitor({ handleSignals: false })
  const events: TrainingEvent[] = []
  monitor.registerCallback({ onEvent: (event) => void events.push(event) })
  if (options.every)
    monitor.registerCallback(new SampleComparator({ sampleSize: 3, comparisonFrequency: options.every }))
  return { monitor, events }
}

describe('an iteration', () => {
  it('passes the eleven phases in order and logs every metric once', async () => {
    const { monitor, events } = watched()
    const { trainer } = toyTrainer({ monitor, checkpointEvery: 2, checkpointDir: join(dir, 'phases') })
    await trainer.train({
      prompts: toyPrompts,
      numIterations: 2,
      batchSize: 4,
      evalPrompts: ['f ?'],
      evalEvery: 2,
      evaluate: (_, answers) => ({ 'eval/answers': answers.length }),
      measure: () => ({ 'gold/total': 1 }),
    })
    const iteration = [
      'iteration_start',
      'response_generated',
      'reward_computed',
      'advantage_computed',
      'policy_update',
      'value_update',
      'iteration_end',
    ]
    expect(events.map(({ phase }) => phase)).toEqual([
      'training_start',
      ...iteration,
      ...iteration,
      'checkpoint_saved',
      'evaluation',
      'training_end',
    ])
    const second = events.slice(8, 15)
    const names = second.flatMap(({ metrics }) => Object.keys(metrics))
    expect(new Set(names).size).toBe(names.length)
    expect(names.toSorted()).toMatchInlineSnapshot(`
      [
        "adv/max",
        "adv/mean",
        "adv/min",
        "adv/q10",
        "adv/q50",
        "adv/q90",
        "adv/reward_corr",
        "adv/std",
        "entropy/token",
        "eos/fraction",
        "gold/total",
        "grad/norm",
        "grad/value_norm",
        "kl_ref/coef",
        "kl_ref/penalty_reward",
        "kl_ref/seq",
        "kl_ref/token",
        "kl_ref/token_k3",
        "length/clip_ratio",
        "length/max",
        "length/mean",
        "loss/policy",
        "loss/policy_unclipped",
        "loss/total",
        "loss/value",
        "optim/lr",
        "optim/value_lr",
        "ppo/approx_kl",
        "ppo/approx_kl_first",
        "ppo/clip_fraction",
        "ppo/ratio_first",
        "ppo/ratio_max",
        "ppo/ratio_mean",
        "quality/ref_perplexity",
        "reward/score",
        "reward/std",
        "reward/total",
        "throughput/tokens_per_s",
        "time/step",
        "value/clip_fraction",
        "value/explained_variance",
        "value/head_update_norm",
        "value/mean",
        "value/return_mean",
      ]
    `)
    for (const { metrics } of second)
      for (const [name, value] of Object.entries(metrics)) expect(value, name).not.toBeNaN()
    const { prompts, responses, rewards } = second[2]!.metadata as Record<string, unknown[]>
    expect([prompts!.length, responses!.length, rewards!.length]).toEqual([4, 4, 4])
    expect(events[7]!.getMetric('reward')).toBeDefined()
    expect(events[0]!.metadata).toMatchObject({
      totalIterations: 2,
      config: { algorithm: 'ppo', clipRange: 0.2, batchSize: 4 },
    })
  })

  it('begins with ratio 1 and approximate KL 0 on its first minibatch, and with KL 0 to the reference', async () => {
    const { monitor, events } = watched()
    await toyTrainer({ monitor }).trainer.train({ prompts: toyPrompts, numIterations: 5, batchSize: 4 })
    const values = (name: string) => events.flatMap((event) => event.metrics[name] ?? [])
    for (const ratio of values('ppo/ratio_first')) expect(ratio).toBeCloseTo(1, 5)
    for (const kl of values('ppo/approx_kl_first')) expect(kl).toBeCloseTo(0, 6)
    expect(values('kl_ref/token')[0]).toBeCloseTo(0, 6)
    expect(values('kl_ref/token_k3').every((kl) => kl >= -1e-6)).toBe(true)
    expect(Math.abs(values('kl_ref/token').at(-1)!)).toBeGreaterThan(1e-4)
  })
})

describe('learning', () => {
  it('raises the reward for every seed', async () => {
    for (const seed of [1, 2, 3]) {
      const { trainer } = toyTrainer({ seed, modelSeed: seed, klCoefficient: 0 })
      const { history } = await trainer.train({ prompts: toyPrompts, numIterations: 80, batchSize: 8 })
      const mean = (from: number, to: number) =>
        history.slice(from, to).reduce((sum, { reward }) => sum + reward, 0) / (to - from)
      expect(mean(70, 80)).toBeGreaterThan(3 * mean(0, 10) + 0.1)
    }
  })

  it('is the same bit for bit with and without a monitor that asks for answers', async () => {
    const alone = toyTrainer()
    await alone.trainer.train({ prompts: toyPrompts, numIterations: 6, batchSize: 4 })
    const { monitor, events } = watched({ every: 2 })
    const seen = toyTrainer({ monitor })
    await seen.trainer.train({ prompts: toyPrompts, numIterations: 6, batchSize: 4 })
    expect(events.filter(({ metadata }) => metadata.kind === 'sample-comparison')).toHaveLength(3)
    expect(bytes(seen.policyModel)).toEqual(bytes(alone.policyModel))
    expect(bytes(seen.valueModel)).toEqual(bytes(alone.valueModel))
  })

  it('stays near the reference when the KL coefficient is large', async () => {
    const klAfter = async (klCoefficient: number) => {
      const { history } = await toyTrainer({ klCoefficient }).trainer.train({
        prompts: toyPrompts,
        numIterations: 60,
        batchSize: 8,
      })
      return history.slice(-10).reduce((sum, { klNats }) => sum + klNats, 0) / 10
    }
    expect(await klAfter(1)).toBeLessThan(0.3 * (await klAfter(0)))
  })
})

describe('checkpoints', () => {
  const at = (name: string) => ({ checkpointEvery: 3, checkpointDir: join(dir, name) })

  it('continue with the same numbers bit for bit', async () => {
    const whole = toyTrainer({ ...at('whole'), klControl: 'adaptive' })
    const { history } = await whole.trainer.train({ prompts: toyPrompts, numIterations: 8, batchSize: 3 })
    const resumed = toyTrainer({ ...at('resumed'), klControl: 'adaptive', modelSeed: 99 })
    // The reference is no part of a checkpoint: it never changes, and is given as it was.
    const { policyModel: fresh } = toyTrainer()
    const trainer = new RLAIFTrainer({
      ...resumed.trainer.options,
      policyModel: resumed.policyModel,
      refPolicyModel: fresh,
      valueModel: resumed.valueModel,
      rewardModel: (await import('./toy.fixture.ts')).yesReward,
      tokenizer: (await import('./toy.fixture.ts')).toyTokenizer,
    })
    const result = await trainer.train({
      prompts: toyPrompts,
      numIterations: 8,
      batchSize: 3,
      resumeFrom: join(dir, 'whole', 'iteration-5'),
    })
    expect(result.history).toEqual(history.slice(6))
    expect(bytes(resumed.policyModel)).toEqual(bytes(whole.policyModel))
    expect(bytes(resumed.valueModel)).toEqual(bytes(whole.valueModel))
  })

  it('are pruned to the newest, and those that are gone are reported', async () => {
    const { monitor, events } = watched()
    const { trainer } = toyTrainer({
      monitor,
      checkpointEvery: 1,
      keepCheckpoints: 2,
      checkpointDir: join(dir, 'pruned'),
    })
    const { checkpoint } = await trainer.train({ prompts: toyPrompts, numIterations: 4, batchSize: 2 })
    expect(readdirSync(join(dir, 'pruned')).toSorted()).toEqual(['iteration-2', 'iteration-3'])
    expect(checkpoint).toBe(join(dir, 'pruned', 'iteration-3'))
    expect(monitor.checkpoints).toEqual([2, 3])
    expect(events.filter(({ phase }) => phase === 'checkpoint_saved').map(({ metadata }) => metadata.removed)).toEqual([
      [],
      [],
      [0],
      [1],
    ])
  })

  it.each([
    [
      'a truncated file',
      (path: string) => truncateSync(join(path, 'policy.safetensors'), 900),
      /policy.safetensors is not a whole safetensors file/,
    ],
    [
      'a truncated state',
      (path: string) => writeFileSync(join(path, 'state.json'), '{"format"'),
      /state.json is damaged/,
    ],
    [
      'a state without its fields',
      (path: string) => writeFileSync(join(path, 'state.json'), '{"format":"telltale-checkpoint-1"}'),
      /is not the state of a checkpoint/,
    ],
    [
      'a missing file',
      (path: string) => rmSync(join(path, 'value-adam.safetensors')),
      /value-adam.safetensors cannot be read/,
    ],
  ])('with %s are refused, and the models stay as they were', async (_, damage, message) => {
    const path = join(dir, 'damaged')
    rmSync(path, { recursive: true, force: true })
    cpSync(join(dir, 'whole', 'iteration-5'), path, { recursive: true })
    damage(path)
    const { trainer, policyModel } = toyTrainer({ modelSeed: 99 })
    const before = bytes(policyModel)
    await expect(
      trainer.train({ prompts: toyPrompts, numIterations: 8, batchSize: 3, resumeFrom: path }),
    ).rejects.toThrowError(message)
    expect(bytes(policyModel)).toEqual(before)
  })
})

describe('a checkpoint of something else', () => {
  const path = join(dir, 'whole', 'iteration-5')

  it.each([
    [{ prompts: ['a ?', 'b ?', 'c c ?', 'f ?'], batchSize: 3 }, /trained on other prompts/],
    [{ prompts: toyPrompts, batchSize: 2 }, /trained with batchSize 3, not 2/],
  ])('%o is refused', async (options, message) => {
    await expect(toyTrainer().trainer.train({ ...options, numIterations: 8, resumeFrom: path })).rejects.toThrowError(
      message,
    )
  })

  it('of another configuration, or with an order that is none, is refused', async () => {
    const other = join(dir, 'other')
    cpSync(path, other, { recursive: true })
    const state = JSON.parse(readFileSync(join(path, 'state.json'), 'utf8')) as { promptOrder: number[] }
    writeFileSync(join(other, 'state.json'), JSON.stringify({ ...state, promptOrder: [0, 7, -1, 2] }))
    await expect(
      toyTrainer().trainer.train({ prompts: toyPrompts, numIterations: 8, batchSize: 3, resumeFrom: other }),
    ).rejects.toThrowError(/is not the state of a checkpoint/)
  })
})

describe('the end', () => {
  it('comes with a stop request between two iterations, and says where to go back to', async () => {
    const { monitor, events } = watched()
    monitor.registerCallback({
      onEvent: (event) =>
        void (
          event.phase === 'iteration_end' &&
          event.iteration === 2 &&
          monitor.requestEarlyStop('enough', { rollbackTo: 1 })
        ),
    })
    const result = await toyTrainer({ monitor }).trainer.train({ prompts: toyPrompts, numIterations: 9, batchSize: 2 })
    expect(result).toMatchObject({
      iterations: 3,
      status: 'stopped',
      stop: { reason: 'enough', iteration: 2, rollbackTo: 1 },
    })
    expect(events.at(-1)!.metadata).toEqual({ status: 'stopped' })
  })

  it('comes with the signal', async () => {
    const controller = new AbortController()
    const result = await toyTrainer().trainer.train({
      prompts: toyPrompts,
      numIterations: 9,
      batchSize: 2,
      signal: controller.signal,
      measure() {
        controller.abort()
        return {}
      },
    })
    expect(result).toMatchObject({ iterations: 1, status: 'stopped', stop: { reason: 'aborted by the caller' } })
  })

  it('is failed, and thrown on, where the reward fails', async () => {
    const { monitor, events } = watched()
    const { trainer } = toyTrainer({ monitor, rewardModel: { score: () => [1] } })
    await expect(trainer.train({ prompts: toyPrompts, numIterations: 2, batchSize: 3 })).rejects.toThrowError(
      /gave 1 scores for 3 responses/,
    )
    expect(events.at(-1)).toMatchObject({ phase: 'training_end', metadata: { status: 'failed' } })
  })
})

describe('numbers that are none', () => {
  it('in the rewards end the training before they reach the weights', async () => {
    const { trainer, policyModel } = toyTrainer({
      rewardModel: { score: (_, responses) => responses.map((_, i) => (i === 1 ? Number.NaN : 1)) },
    })
    const before = bytes(policyModel)
    await expect(trainer.train({ prompts: toyPrompts, numIterations: 3, batchSize: 4 })).rejects.toMatchObject({
      code: 'bad-option',
      message: /gave NaN for response 1/,
    })
    expect(bytes(policyModel)).toEqual(before)
  })

  it('in the loss end it as failed, after the monitor has seen them', async () => {
    const { monitor, events } = watched()
    const { trainer } = toyTrainer({
      monitor,
      learningRate: 10,
      maxGradientNorm: 0,
      klCoefficient: 0,
      rewardModel: { score: (_, responses) => responses.map((_, i) => i * 1e30) },
    })
    await expect(trainer.train({ prompts: toyPrompts, numIterations: 20, batchSize: 4 })).rejects.toMatchObject({
      code: 'diverged',
    })
    const last = events.filter(({ phase }) => phase === 'iteration_end').at(-1)!
    expect(Number.isFinite(last.getMetric('loss'))).toBe(false)
    expect(monitor.summary().status).toBe('failed')
  })
})

describe('what cannot be', () => {
  it.each([
    [{ clipRange: -1 }, /clipRange is -1; expected a number from/],
    [{ ppoEpochs: 1.5 }, /ppoEpochs is 1.5; expected an integer/],
    [{ klCoefficient: Number.NaN }, /klCoefficient is NaN/],
    [{ klControl: 'wild' }, /klControl is "wild"; expected 'fixed' or 'adaptive'/],
    [{ checkpointEvery: 2 }, /checkpointDir is not/],
    [{ adaptiveKl: { targetNats: 0 } }, /adaptiveKl.targetNats is 0/],
  ])('%o is refused at construction', (options, message) => {
    expect(() => toyTrainer(options as never)).toThrowError(
      expect.objectContaining({ code: 'bad-option', message: expect.stringMatching(message) }),
    )
  })

  it.each([
    [{ prompts: [] }, /prompts is empty/],
    [{ prompts: ['a', '  '] }, /prompt 1 is empty/],
    [{ prompts: ['a', 7] }, /prompt 1 is a number/],
    [{ prompts: ['a b c d e f a b c d e'] }, /do not fit into the model's context of 10/],
    [{ prompts: ['a'], batchSize: 0 }, /batchSize is 0/],
    [{ prompts: ['a'], numIterations: -3 }, /numIterations is -3/],
    [{ prompts: ['a'], resumeFrom: '/nonexistent' }, /no checkpoint at/],
  ])('%o is refused by train', async (options, message) => {
    await expect(toyTrainer().trainer.train(options as never)).rejects.toThrowError(message)
  })

  it('a device that is not there is refused', async () => {
    await expect(toyTrainer({ device: 'cuda' }).trainer.train({ prompts: ['a'] })).rejects.toMatchObject({
      code: 'bad-option',
    })
  })
})

describe('memory', () => {
  it('does not grow over 300 iterations', async () => {
    // Without a monitor, whose buffers fill up at first; that those are bounded is tested in test/integration.test.ts.
    const { trainer } = toyTrainer()
    const used: number[] = []
    await trainer.train({
      prompts: toyPrompts,
      numIterations: 300,
      batchSize: 4,
      measure() {
        // Twice, since what a first collection finalises the second one frees.
        if (used.length % 10 === 0) for (let i = 0; i < 2; i++) globalThis.gc?.()
        const { heapUsed, external } = process.memoryUsage()
        used.push(used.length % 10 === 0 ? heapUsed + external : Number.POSITIVE_INFINITY)
        return {}
      },
    })
    expect(globalThis.gc).toBeDefined()
    const [early, late] = [Math.min(...used.slice(50, 120)), Math.min(...used.slice(230))] as [number, number]
    // A forgotten array of this small model is at least 64 bytes, and an iteration makes thousands.
    expect(late - early).toBeLessThan(1e6)
  })
})
