/**
 * The trainer: real PPO from AI feedback on small models, and what it is made of.
 *
 * @module telltale/trainer
 */
export { ADAM_DEFAULTS, type AdamOptions } from './adam.ts'
export { startBackend, type Tensor, type TensorRecord } from './backend.ts'
export type { TrainerFaults } from './faults.ts'
export { type Advantages, generalizedAdvantages, maskedMoments, whiten } from './gae.ts'
export { createGenerator, type Generated, type Generator, type SamplingOptions } from './generate.ts'
export { type AdaptiveKlOptions, adaptiveKl, fixedKl, type KlController } from './kl-controller.ts'
export {
  cloneModel,
  createModel,
  type Model,
  type ModelConfig,
  modelFrom,
  parameterCount,
  type WeightRecord,
  weightsOf,
  withScalarHead,
} from './model.ts'
export { PPO_DEFAULTS, type PPOOptions, type ResolvedPPOOptions } from './ppo-options.ts'
export { type RandomStream, randomStream } from './random.ts'
export {
  createScorer,
  type PreferencePair,
  preferenceAccuracy,
  type RewardModel,
  type RewardTrainingOptions,
  type Scorer,
  trainRewardModel,
} from './reward-model.ts'
export { RLAIFTrainer } from './rlaif-trainer.ts'
export { readSafetensors, type SafetensorsFile, writeSafetensors } from './safetensors.ts'
export { learningRateSchedule, type ScheduleOptions } from './schedule.ts'
export { type SupervisedExample, type SupervisedOptions, trainSupervised } from './supervised.ts'
export { loadTokenizer, saveTokenizer, type Tokenizer, wordTokenizer } from './tokenizer.ts'
export type {
  RewardFunction,
  RLAIFTrainerOptions,
  TrainerMonitor,
  TrainHistoryEntry,
  TrainOptions,
  TrainResult,
} from './trainer-types.ts'
