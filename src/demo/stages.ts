/**
 * What comes before PPO: drafts and revisions, fine-tuning on them, preferences, the reward model.
 *
 * @module
 */
import { TelltaleError } from '../errors.ts'
import { yieldToEventLoop } from '../time.ts'
import { createGenerator, type Generator } from '../trainer/generate.ts'
import { cloneModel, type Model, withScalarHead } from '../trainer/model.ts'
import { type RandomStream, randomStream } from '../trainer/random.ts'
import {
  createScorer,
  type PreferencePair,
  preferenceAccuracy,
  type RewardModel,
  trainRewardModel,
} from '../trainer/reward-model.ts'
import { joined, trainSupervised } from '../trainer/supervised.ts'
import type { Tokenizer } from '../trainer/tokenizer.ts'
import { pick } from './constitution.ts'
import { prefersFirst } from './judge.ts'
import { exampleOf, promptRow } from './pretrain.ts'
import type { Progress } from './progress.ts'
import { HELD_OUT_PROMPTS, PROMPT_LENGTH, type Prompt, RESPONSE_LENGTH, TRAINING_PROMPTS } from './prompts.ts'
import { type Revision, reviseDraft } from './revision.ts'

/** Sizes and rates of the stages, chosen on the demo's model (docs/demo-world.md). */
export const STAGES = {
  /** Drafts that are criticised; about half of them get another answer. */
  drafts: 256,
  revisionSteps: 40,
  revisionLearningRate: 5e-4,
  /** Pairs that the judge labels, and further ones of held-out prompts that measure the reward model. */
  preferencePairs: 1500,
  heldOutPairs: 384,
  rewardEpochs: 2,
  rewardLearningRate: 1e-3,
  samplingBatch: 64,
} as const

/** What all stages share. */
export interface World {
  readonly tokenizer: Tokenizer
  readonly seed: number
  readonly progress: Progress
  readonly signal: AbortSignal | undefined
}

/** A prompt, an answer of the model, and its token ids. */
interface Draft {
  readonly prompt: Prompt
  readonly text: string
  readonly response: Int32Array
}

/**
 * The first phase of Constitutional AI: drafts, critiques by a principle, revisions, and fine-tuning on the revisions.
 * The model's weights are replaced.
 */
export async function learnFromRevisions(model: Model, world: World): Promise<readonly Revision[]> {
  const { tokenizer, seed, progress, signal } = world
  const random = randomStream(seed, 'revisions')
  const drafts = await sample(
    model,
    world,
    'Drafts',
    Array.from({ length: STAGES.drafts }, () => pick(TRAINING_PROMPTS, random)),
    random,
  )
  const revisions = drafts.map(({ prompt, text }) => reviseDraft(prompt, text, random))
  const criticised = revisions.filter(({ draft, revised }) => revised !== draft)
  progress.start('Learning from revisions', STAGES.revisionSteps)
  const losses = await trainSupervised(model, {
    examples: revisions.map(({ prompt, revised }) => exampleOf(tokenizer, prompt.text, revised)),
    padId: tokenizer.padId,
    steps: STAGES.revisionSteps,
    schedule: { learningRate: STAGES.revisionLearningRate, shape: 'cosine', warmupSteps: 5, finalFraction: 0.1 },
    seed,
    onStep: (step) => progress.update(step),
    ...(signal ? { signal } : {}),
  })
  progress.done(`${criticised.length} of ${drafts.length} drafts revised, loss ${losses.at(-1)!.toFixed(2)}`)
  return revisions
}

/** A reward model with how it was measured. */
export interface LearnedReward {
  readonly rewardModel: RewardModel
  /** Share of held-out pairs that it orders as the judge did (whose own noise bounds this). */
  readonly heldOutAccuracy: number
}

/** Preferences of the judge between pairs of the model's own answers, and a reward model trained on them. */
export async function learnReward(policy: Model, world: World): Promise<LearnedReward> {
  const { tokenizer, seed, progress, signal } = world
  const random = randomStream(seed, 'preferences')
  const prompts = Array.from({ length: STAGES.preferencePairs }, () => pick(TRAINING_PROMPTS, random))
  const heldOut = Array.from({ length: STAGES.heldOutPairs }, () => pick(HELD_OUT_PROMPTS, random))
  const asked = [...prompts, ...heldOut].flatMap((prompt) => [prompt, prompt])
  const answers = await sample(policy, world, 'Answers for the judge', asked, random)
  const labelled = Array.from({ length: asked.length / 2 }, (_, i) =>
    labelledPair(answers[2 * i]!, answers[2 * i + 1]!, tokenizer, random),
  )
  const pairs = labelled.slice(0, prompts.length)
  const model = withScalarHead(policy)
  progress.start('Reward model', Math.ceil(pairs.length / 16) * STAGES.rewardEpochs)
  await trainRewardModel(model, {
    pairs,
    padId: tokenizer.padId,
    epochs: STAGES.rewardEpochs,
    learningRate: STAGES.rewardLearningRate,
    seed,
    onStep: (step) => progress.update(step),
    ...(signal ? { signal } : {}),
  })
  const scorer = createScorer(model.config, { batchSize: STAGES.samplingBatch, padId: tokenizer.padId })
  const heldOutAccuracy = preferenceAccuracy(scorer, model, labelled.slice(prompts.length))
  const typical = scorer(
    model.parameters,
    pairs.slice(0, 256).flatMap(({ chosen, rejected }) => [chosen, rejected]),
  )
  const mean = typical.reduce((a, b) => a + b, 0) / typical.length
  const std = Math.sqrt(typical.reduce((sum, score) => sum + (score - mean) ** 2, 0) / (typical.length - 1))
  progress.done(`orders ${(100 * heldOutAccuracy).toFixed(0)} % of held-out pairs as the judge does`)
  return { rewardModel: { model, padId: tokenizer.padId, mean, std }, heldOutAccuracy }
}

/**
 * The value model begins as the reward model, on the scale of the standardised reward: what an answer will get is close to
 * what its beginning would get.
 */
export function valueModelFrom(reward: RewardModel): Model {
  const model = cloneModel(reward.model)
  const { mean, std } = reward
  model.parameters['head.weight'] = model.parameters['head.weight']!.div(std)
  model.parameters['head.bias'] = model.parameters['head.bias']!.sub(mean).div(std)
  return model
}

async function sample(
  model: Model,
  world: World,
  stage: string,
  prompts: readonly Prompt[],
  random: RandomStream,
): Promise<Draft[]> {
  const { tokenizer, progress, signal } = world
  const batch = STAGES.samplingBatch
  const generate: Generator = createGenerator(model.config, {
    batchSize: batch,
    promptLength: PROMPT_LENGTH,
    responseLength: RESPONSE_LENGTH,
    padId: tokenizer.padId,
    eosId: tokenizer.eosId,
  })
  progress.start(stage, prompts.length)
  const drafts: Draft[] = []
  for (let from = 0; from < prompts.length; from += batch) {
    const part = prompts.slice(from, from + batch)
    const rows = Array.from({ length: batch }, (_, i) => promptRow(tokenizer, (part[i] ?? part[0]!).text))
    const { responses } = generate(model.parameters, rows, random)
    drafts.push(
      ...part.map((prompt, i) => ({ prompt, text: tokenizer.decode(responses[i]!), response: responses[i]! })),
    )
    progress.update(drafts.length)
    await yieldToEventLoop()
    if (signal?.aborted) throw new TelltaleError('interrupted', `${stage}: interrupted`)
  }
  progress.done()
  return drafts
}

function labelledPair(first: Draft, second: Draft, tokenizer: Tokenizer, random: RandomStream): PreferencePair {
  const prompt = promptRow(tokenizer, first.prompt.text)
  const [a, b] = [first, second].map(({ response }) => joined(prompt, response)) as [Int32Array, Int32Array]
  return prefersFirst(first.prompt, first.text, second.text, random)
    ? { chosen: a, rejected: b }
    : { chosen: b, rejected: a }
}
