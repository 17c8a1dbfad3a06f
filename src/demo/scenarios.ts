/**
 * Every way that the demo can go: what is changed in the healthy setting, and what that does to the curves. Data only.
 *
 * @module
 */
import type { TrainerFaults } from '../trainer/faults.ts'
import type { PPOOptions } from '../trainer/ppo-options.ts'

/** Names of the scenarios, the healthy one first. */
export const SCENARIOS = [
  'healthy',
  'reward-hacking',
  'kl-explosion',
  'value-failure',
  'frozen-value-head',
  'entropy-collapse',
  'length-explosion',
  'sign-flip',
  'stale-logprobs',
] as const

/** One of {@link SCENARIOS}. */
export type Scenario = (typeof SCENARIOS)[number]

/** What makes a scenario: its differences to the healthy setting, and nothing else. */
export interface ScenarioDefinition {
  /** The mistake, in one line. */
  readonly cause: string
  readonly ppo?: Partial<PPOOptions>
  readonly faults?: TrainerFaults
  /** Added to the reward for each word of an answer, in standard deviations of the reward. */
  readonly rewardPerWord?: number
  /** The value model begins with a head of zeros instead of the reward model's. */
  readonly freshValueHead?: true
}

/** PPO's settings in the demo, chosen on its model; scenarios differ from them by what their definition says. */
export const DEMO_PPO = {
  ppoEpochs: 2,
  learningRate: 2e-4,
  valueLearningRate: 1e-3,
  klCoefficient: 0.15,
} as const satisfies Partial<PPOOptions>

/** The definitions. */
export const SCENARIO_DEFINITIONS: Readonly<Record<Scenario, ScenarioDefinition>> = {
  healthy: { cause: 'nothing is wrong' },
  'reward-hacking': {
    cause: 'the KL coefficient is 0: nothing holds the policy near the answers that the reward model has seen',
    ppo: { klCoefficient: 0 },
  },
  'kl-explosion': {
    cause: 'the learning rate of the policy is ten times too large',
    ppo: { learningRate: 10 * DEMO_PPO.learningRate },
  },
  'value-failure': {
    cause: 'the learning rate of the value model is 0: it keeps what it knew at the start',
    ppo: { valueLearningRate: 0 },
  },
  'frozen-value-head': {
    cause: 'the value head begins at zero and is left out of the optimiser; the trunk behind it is trained',
    faults: { frozenValueHead: true },
    freshValueHead: true,
  },
  'entropy-collapse': {
    cause: 'the entropy bonus has the wrong sign, so that certainty is rewarded',
    ppo: { entropyCoefficient: -2 },
  },
  'length-explosion': {
    cause: 'the reward pays for every word',
    rewardPerWord: 0.5,
  },
  'sign-flip': {
    cause: 'the policy is trained on minus the reward that is logged',
    faults: { flippedRewardSign: true },
  },
  'stale-logprobs': {
    cause: 'the old log-probabilities are those of the policy four updates ago',
    faults: { staleLogProbUpdates: 4 },
  },
}
