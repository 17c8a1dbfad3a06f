/**
 * How the demo's model learns its English: the recipe of the checkpoint that ships with the package.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { errorMessage, TelltaleError } from '../errors.ts'
import { startBackend } from '../trainer/backend.ts'
import { padLeft } from '../trainer/encode-prompts.ts'
import { createModel, type Model, type ModelConfig, modelFrom, weightsOf } from '../trainer/model.ts'
import { randomStream } from '../trainer/random.ts'
import { readSafetensors, writeSafetensors } from '../trainer/safetensors.ts'
import { type SupervisedExample, trainSupervised } from '../trainer/supervised.ts'
import { loadTokenizer, saveTokenizer, type Tokenizer, wordTokenizer } from '../trainer/tokenizer.ts'
import { corpusAnswer, vocabularyWords } from './corpus.ts'
import { ALL_SENTENCES, PHRASINGS, TOPICS } from './language.ts'
import { PROMPT_LENGTH, RESPONSE_LENGTH, TRAINING_PROMPTS } from './prompts.ts'

/** Everything that the checkpoint depends on, beside the code. */
export const PRETRAINING_RECIPE = {
  model: { width: 64, layers: 2, heads: 4 },
  examples: 12_000,
  steps: 900,
  batchSize: 32,
  schedule: { learningRate: 4e-3, shape: 'cosine', warmupSteps: 20, finalFraction: 0.1 },
  seed: 1,
} as const

/** What ships: the recipe, the loss it came to, and a hash of the recipe with the language. */
export interface PretrainingRecord {
  readonly recipe: typeof PRETRAINING_RECIPE
  readonly recipeHash: string
  /** Loss of the first 20 steps and the mean of the last 50, in nats per token. */
  readonly firstLosses: readonly number[]
  readonly finalLoss: number
}

/** Names the recipe and the language: a checkpoint with another hash was not made from this code's data. */
export function recipeHash(): string {
  const data = JSON.stringify([PRETRAINING_RECIPE, TOPICS, PHRASINGS, ALL_SENTENCES, PROMPT_LENGTH, RESPONSE_LENGTH])
  return createHash('sha256').update(data).digest('hex').slice(0, 16)
}

/** The tokenizer of the demo's world. */
export function worldTokenizer(): Tokenizer {
  return wordTokenizer(vocabularyWords())
}

/** The configuration of the demo's language model. */
export function worldModelConfig(tokenizer: Tokenizer): ModelConfig {
  return {
    ...PRETRAINING_RECIPE.model,
    vocabSize: tokenizer.vocabSize,
    contextLength: PROMPT_LENGTH + RESPONSE_LENGTH,
    head: 'token',
  }
}

/** A prompt and an answer as token ids. */
export function exampleOf(tokenizer: Tokenizer, prompt: string, answer: string): SupervisedExample {
  const ids = tokenizer.encode(answer).slice(0, RESPONSE_LENGTH - 1)
  const response = new Int32Array(RESPONSE_LENGTH).fill(tokenizer.padId)
  response.set(ids)
  response[ids.length] = tokenizer.eosId
  return { prompt: promptRow(tokenizer, prompt), response }
}

/** A prompt as token ids, padded on the left. */
export function promptRow(tokenizer: Tokenizer, prompt: string): Int32Array {
  return padLeft(tokenizer.encode(prompt), PROMPT_LENGTH, tokenizer.padId, prompt)
}

/** The examples that the model learns from, of which held-out prompts are none. */
export function pretrainingExamples(tokenizer: Tokenizer): SupervisedExample[] {
  const random = randomStream(PRETRAINING_RECIPE.seed, 'corpus')
  return Array.from({ length: PRETRAINING_RECIPE.examples }, () => {
    const { text, topic } = TRAINING_PROMPTS[random.integer(TRAINING_PROMPTS.length)]!
    return exampleOf(tokenizer, text, corpusAnswer(topic, random).text)
  })
}

/**
 * Trains the demo's model from nothing.
 *
 * @param options.steps fewer steps of the same training, for a test of the recipe.
 */
export async function pretrain(
  options: {
    readonly steps?: number
    readonly onStep?: (step: number, loss: number) => void
    readonly signal?: AbortSignal
  } = {},
): Promise<{ model: Model; tokenizer: Tokenizer; losses: Float32Array }> {
  await startBackend()
  const { steps, batchSize, schedule, seed } = PRETRAINING_RECIPE
  const tokenizer = worldTokenizer()
  const model = createModel(worldModelConfig(tokenizer), seed)
  const controller = new AbortController()
  const onStep = (step: number, loss: number) => {
    options.onStep?.(step, loss)
    if (step === options.steps || options.signal?.aborted) controller.abort()
  }
  const losses: number[] = []
  try {
    await trainSupervised(model, {
      examples: pretrainingExamples(tokenizer),
      padId: tokenizer.padId,
      steps,
      batchSize,
      schedule,
      seed,
      signal: controller.signal,
      onStep: (step, loss) => {
        losses.push(loss)
        onStep(step, loss)
      },
    })
  } catch (error) {
    if (options.signal?.aborted || losses.length !== options.steps) throw error
  }
  return { model, tokenizer, losses: Float32Array.from(losses) }
}

/** Writes the checkpoint that ships: weights, tokenizer and recipe, below 3 MB. */
export async function pretrainAndSave(
  dir: string,
  options: { readonly onStep?: (step: number, loss: number) => void; readonly signal?: AbortSignal } = {},
): Promise<PretrainingRecord> {
  const { model, tokenizer, losses } = await pretrain(options)
  const last = losses.slice(-50)
  const record: PretrainingRecord = {
    recipe: PRETRAINING_RECIPE,
    recipeHash: recipeHash(),
    firstLosses: Array.from(losses.slice(0, 20), (loss) => Number(loss.toFixed(5))),
    finalLoss: Number((last.reduce((a, b) => a + b, 0) / last.length).toFixed(4)),
  }
  mkdirSync(dir, { recursive: true })
  writeSafetensors(join(dir, 'policy.safetensors'), weightsOf(model), {
    format: 'telltale',
    recipeHash: record.recipeHash,
  })
  saveTokenizer(join(dir, 'tokenizer.json'), tokenizer)
  writeFileSync(join(dir, 'recipe.json'), `${JSON.stringify(record, null, 2)}\n`)
  return record
}

/**
 * Loads the checkpoint that ships.
 *
 * @throws TelltaleError `missing-part` where it is not there or was made from other data, with the command that makes it.
 */
export async function loadPretrained(
  dir: string,
): Promise<{ readonly model: Model; readonly tokenizer: Tokenizer; readonly record: PretrainingRecord }> {
  const remake = 'npm run demo:pretrain makes it anew.'
  await startBackend()
  try {
    const record = JSON.parse(readFileSync(join(dir, 'recipe.json'), 'utf8')) as PretrainingRecord
    if (record.recipeHash !== recipeHash())
      throw new TelltaleError('bad-format', 'it was made from another recipe or language')
    const tokenizer = loadTokenizer(join(dir, 'tokenizer.json'))
    const model = modelFrom(worldModelConfig(tokenizer), readSafetensors(join(dir, 'policy.safetensors')).tensors)
    return { model, tokenizer, record }
  } catch (error) {
    throw new TelltaleError(
      'missing-part',
      `The pre-trained model in ${dir} cannot be used: ${errorMessage(error)}. ${remake}`,
      { cause: error },
    )
  }
}
