/**
 * One scenario, trained: what the demo, the recorder of the benchmarks and the tests have in common.
 *
 * @module
 */
import { cloneModel, type Model, withScalarHead } from '../trainer/model.ts'
import { createScorer, type RewardModel } from '../trainer/reward-model.ts'
import { RLAIFTrainer } from '../trainer/rlaif-trainer.ts'
import { joined } from '../trainer/supervised.ts'
import type { Tokenizer } from '../trainer/tokenizer.ts'
import type { RewardFunction, TrainerMonitor, TrainResult } from '../trainer/trainer-types.ts'
import { goldMetrics, heldOutMetrics } from './gold-metrics.ts'
import { isClear } from './grammar.ts'
import { promptRow } from './pretrain.ts'
import { HELD_OUT_PROMPTS, PROMPT_LENGTH, RESPONSE_LENGTH, TRAINING_PROMPTS } from './prompts.ts'
import { DEMO_PPO, SCENARIO_DEFINITIONS, type Scenario, type ScenarioDefinition } from './scenarios.ts'
import { valueModelFrom } from './stages.ts'

/** What the stages before PPO have made. */
export interface StartingPoint {
  /** Not changed: a clone of it is trained. */
  readonly policy: Model
  readonly rewardModel: RewardModel
  readonly tokenizer: Tokenizer
}

/** Options of {@link trainScenario}. */
export interface ScenarioRun {
  readonly scenario: Scenario
  readonly seed: number
  readonly iterations: number
  readonly batchSize: number
  readonly monitor: TrainerMonitor
  /** Folder of the checkpoints; none are written without one. */
  readonly checkpointDir?: string
  /** Iterations between checkpoints; 5 by default. */
  readonly checkpointEvery?: number
}

/** Trains a scenario with PPO from a starting point, which is left as it was. */
export async function trainScenario(start: StartingPoint, run: ScenarioRun): Promise<TrainResult> {
  const definition = SCENARIO_DEFINITIONS[run.scenario]
  const { policy, rewardModel, tokenizer } = start
  const trainer = new RLAIFTrainer({
    policyModel: cloneModel(policy),
    refPolicyModel: cloneModel(policy),
    valueModel: definition.freshValueHead ? withScalarHead(policy) : valueModelFrom(rewardModel),
    rewardModel: rewardOf(start, run.batchSize, definition),
    tokenizer,
    device: 'wasm',
    monitor: run.monitor,
    ...DEMO_PPO,
    ...definition.ppo,
    ...(definition.faults ? { faults: definition.faults } : {}),
    promptLength: PROMPT_LENGTH,
    responseLength: RESPONSE_LENGTH,
    ...(run.checkpointDir === undefined
      ? {}
      : { checkpointDir: run.checkpointDir, checkpointEvery: run.checkpointEvery ?? 5, keepCheckpoints: 6 }),
    seed: run.seed,
  })
  return trainer.train({
    prompts: TRAINING_PROMPTS.map(({ text }) => text),
    numIterations: run.iterations,
    batchSize: run.batchSize,
    measure: goldMetrics,
    evalPrompts: HELD_OUT_PROMPTS.map(({ text }) => text),
    evaluate: heldOutMetrics,
    evalEvery: 20,
    isClear: (_, responses) => responses.map(isClear),
  })
}

/** The reward model, or where the scenario pays for length, its scores with the pay added. */
function rewardOf(
  { rewardModel, tokenizer }: StartingPoint,
  batchSize: number,
  { rewardPerWord }: ScenarioDefinition,
): RewardModel | RewardFunction {
  if (rewardPerWord === undefined) return rewardModel
  const { model, padId, mean, std } = rewardModel
  const scorer = createScorer(model.config, { batchSize, padId })
  return {
    score(prompts, responses) {
      const rows = prompts.map((prompt, i) => answerRow(tokenizer, prompt, responses[i]!))
      return scorer(model.parameters, rows).map(
        (raw, i) => (raw - mean) / std + rewardPerWord * tokenizer.encode(responses[i]!).length,
      )
    },
  }
}

/** Prompt and answer as the policy wrote them: an answer shorter than the limit has ended. */
function answerRow(tokenizer: Tokenizer, prompt: string, answer: string): Int32Array {
  const response = new Int32Array(RESPONSE_LENGTH).fill(tokenizer.padId)
  const words = tokenizer.encode(answer).subarray(0, RESPONSE_LENGTH)
  response.set(words)
  if (words.length < RESPONSE_LENGTH) response[words.length] = tokenizer.eosId
  return joined(promptRow(tokenizer, prompt), response)
}
