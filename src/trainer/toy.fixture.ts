import { cloneModel, createModel, type Model, withScalarHead } from './model.ts'
import { RLAIFTrainer } from './rlaif-trainer.ts'
import { type Tokenizer, wordTokenizer } from './tokenizer.ts'
import type { RLAIFTrainerOptions } from './trainer-types.ts'

/** A model small enough to train in a test, and a world of a few words. */
export const toyTokenizer: Tokenizer = wordTokenizer(['yes', 'no', 'maybe', '?', 'a', 'b', 'c', 'd', 'e', 'f'])
export const toyPrompts = ['a ?', 'b ?', 'c c ?', 'd e f ?']

export function toyConfig(contextLength = 10) {
  return { vocabSize: toyTokenizer.vocabSize, contextLength, width: 16, layers: 1, heads: 2, head: 'token' } as const
}

/** Share of an answer's eight places that say "yes". */
export const yesReward = {
  score: (_: readonly string[], responses: readonly string[]) =>
    responses.map((text) => text.split(' ').filter((word) => word === 'yes').length / 8),
}

export function toyTrainer(options: Partial<RLAIFTrainerOptions> & { readonly modelSeed?: number } = {}): {
  trainer: RLAIFTrainer
  policyModel: Model
  valueModel: Model
} {
  const { modelSeed = 1, ...rest } = options
  const policyModel = createModel(toyConfig(), modelSeed)
  const valueModel = withScalarHead(policyModel)
  const trainer = new RLAIFTrainer({
    policyModel,
    refPolicyModel: cloneModel(policyModel),
    valueModel,
    rewardModel: yesReward,
    tokenizer: toyTokenizer,
    learningRate: 3e-3,
    ppoEpochs: 2,
    numMinibatches: 2,
    ...rest,
  })
  return { trainer, policyModel, valueModel }
}
