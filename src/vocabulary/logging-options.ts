/**
 * The options by which each trainer logs what detectors need. Each was read in the trainer's own source, of the version that stands beside it.
 *
 * @module
 */
import type { TrainerName } from './vocabulary.ts'

/** What can be turned on. */
export type LoggingTopic = 'file' | 'answers' | 'kl' | 'entropy' | 'value' | 'mismatch' | 'gradient'

/** Options of one trainer. */
export interface LoggingOptions {
  /** Where they were read; empty for a trainer that is one's own. */
  readonly readIn: string
  /** What to set, as it is written in that trainer's command, configuration or code; for what it never logs, that. */
  readonly options: Readonly<Partial<Record<LoggingTopic, LoggingOption>>>
}

/** One option: how it is written, or that there is none. */
export type LoggingOption = { readonly set: string; readonly note?: string } | { readonly none: string }

const TRL = 'trl 1.12.0, transformers 5.24.0'
const TRANSFORMERS_FILE: LoggingOption = {
  set: 'report_to="tensorboard", logging_steps=1',
  note: 'without it a file is written only with each checkpoint',
}
/** What no option turns on or off. */
export const ALWAYS_LOGGED: LoggingOption = { none: 'it is always logged' }
/** By transformers' own loop, clipped or not. */
const TRANSFORMERS_GRADIENT: LoggingOption = ALWAYS_LOGGED
const NO_CRITIC: LoggingOption = { none: 'this algorithm has no value head' }
const OFFLINE: LoggingOption = { none: 'nothing is generated while it trains' }

/** Of trainers that learn from what is there. */
const TRL_OFFLINE: LoggingOptions['options'] = {
  file: TRANSFORMERS_FILE,
  answers: OFFLINE,
  kl: OFFLINE,
  value: NO_CRITIC,
  gradient: TRANSFORMERS_GRADIENT,
}

const CANONICAL = (name: string): LoggingOption => ({
  set: `log it as ${name}`,
  note: `or map your own name: --map mine=${name}`,
})

/** Options by trainer. */
export const LOGGING_OPTIONS: Readonly<Record<TrainerName, LoggingOptions>> = {
  'trl-grpo': {
    readIn: TRL,
    options: {
      file: TRANSFORMERS_FILE,
      answers: { set: 'log_completions=True', note: 'saves them in completions/ of the output folder' },
      kl: { set: 'beta=0.04', note: 'any beta above its default of 0 loads the reference model and logs kl' },
      entropy: { set: 'use_liger_kernel=False', note: 'the default; the loss of the Liger kernel logs none' },
      value: NO_CRITIC,
      gradient: TRANSFORMERS_GRADIENT,
      mismatch: { set: 'use_vllm=True, vllm_importance_sampling_correction=True' },
    },
  },
  'trl-rloo': {
    readIn: TRL,
    options: {
      file: TRANSFORMERS_FILE,
      answers: { set: 'log_completions=True', note: 'saves them in completions/ of the output folder' },
      kl: { set: 'beta=0.05', note: 'a beta of 0 logs no kl; 0.05 is the default' },
      entropy: ALWAYS_LOGGED,
      value: NO_CRITIC,
      gradient: TRANSFORMERS_GRADIENT,
      mismatch: { none: 'it is not logged' },
    },
  },
  'trl-ppo': {
    readIn: TRL,
    options: {
      file: TRANSFORMERS_FILE,
      answers: { set: 'num_sample_generations=10', note: 'they go to W&B and the terminal only, not to a file' },
      kl: ALWAYS_LOGGED,
      entropy: ALWAYS_LOGGED,
      gradient: { none: 'it is not logged: the loop of this trainer is its own' },
      value: { none: 'the explained variance is not logged since version 0.12' },
      mismatch: { none: 'it does not generate with another engine' },
    },
  },
  'trl-online-dpo': {
    readIn: TRL,
    options: {
      file: TRANSFORMERS_FILE,
      kl: ALWAYS_LOGGED,
      entropy: ALWAYS_LOGGED,
      value: NO_CRITIC,
      gradient: TRANSFORMERS_GRADIENT,
    },
  },
  'trl-dpo': { readIn: TRL, options: TRL_OFFLINE },
  'trl-sft': { readIn: TRL, options: TRL_OFFLINE },
  'trl-reward': { readIn: TRL, options: TRL_OFFLINE },
  verl: {
    readIn: 'verl 0.8.0.dev, 29 January 2026',
    options: {
      file: { set: `trainer.logger='["console","file"]'`, note: 'its place: VERL_FILE_LOGGER_PATH' },
      answers: { set: 'trainer.rollout_data_dir=rollouts' },
      kl: {
        set: 'actor_rollout_ref.actor.use_kl_loss=True',
        note: 'or algorithm.use_kl_in_reward=True: each loads the reference model',
      },
      entropy: { set: 'actor_rollout_ref.actor.calculate_entropy=True' },
      value: { set: 'algorithm.adv_estimator=gae', note: 'only with a critic' },
      gradient: ALWAYS_LOGGED,
      mismatch: { set: 'actor_rollout_ref.rollout.calculate_log_probs=True' },
    },
  },
  openrlhf: {
    readIn: 'OpenRLHF 0.11.0, 13 August 2026',
    options: {
      file: { set: '--logger.tensorboard_dir runs --logger.logging_steps 1' },
      answers: {
        set: '--logger.tensorboard_dir runs',
        note: 'one sample a step is written as text beside the numbers',
      },
      kl: { set: '--algo.kl.init_coef 0.01', note: 'any coefficient above 0' },
      entropy: { set: '--actor.entropy_coef 0', note: '0 only logs it' },
      value: { none: 'the explained variance is not logged' },
      gradient: ALWAYS_LOGGED,
      mismatch: { set: '--algo.advantage.is_correction_enable' },
    },
  },
  'open-instruct': {
    readIn: 'open-instruct, 20 August 2026',
    options: {
      file: { set: '--with_tracking', note: 'W&B; WANDB_MODE=offline keeps it on this machine' },
      answers: { set: '--save_traces --rollouts_save_path rollouts', note: 'which Telltale does not read yet' },
      kl: { set: '--load_ref_policy True', note: 'True is the default' },
      entropy: { set: '--record_entropy' },
      value: NO_CRITIC,
      gradient: ALWAYS_LOGGED,
    },
  },
  cleanrl: {
    readIn: 'ppo.py of cleanrl 2.0.0b1, 20 April 2026',
    options: {
      file: { none: 'it always writes event files below runs/' },
      kl: { none: 'its ppo.py has no reference model' },
      entropy: ALWAYS_LOGGED,
      value: ALWAYS_LOGGED,
      gradient: { none: 'it is clipped, but not logged' },
      mismatch: { none: 'it does not generate with another engine' },
    },
  },
  lightning: {
    readIn: 'lightning 2.6.6',
    options: {
      file: { set: 'Trainer(logger=CSVLogger("logs"), log_every_n_steps=1)' },
      kl: CANONICAL('kl_ref/token'),
      entropy: CANONICAL('entropy/token'),
      value: CANONICAL('value/explained_variance'),
      mismatch: CANONICAL('mismatch/kl'),
      gradient: CANONICAL('grad/norm'),
    },
  },
  'own-loop': {
    readIn: '',
    options: {
      file: { set: 'a JSON line a step, such as {"step":3,"loss":0.1}', note: 'or run.log(…) of the Python client' },
      answers: { set: '"prompts", "responses" and "rewards" as lists in the line', note: 'or run.samples(…)' },
      kl: CANONICAL('kl_ref/token'),
      entropy: CANONICAL('entropy/token'),
      value: CANONICAL('value/explained_variance'),
      mismatch: CANONICAL('mismatch/kl'),
      gradient: CANONICAL('grad/norm'),
    },
  },
}

/** What to turn on so that a series is logged; null for what no option concerns. */
export function topicOf(canonical: string): LoggingTopic | null {
  // That takes answers to the same prompts again, which no trainer logs by an option.
  if (canonical.startsWith('quality/fixed_')) return null
  if (canonical.startsWith('quality/') || canonical.startsWith('length/')) return 'answers'
  if (canonical.startsWith('kl_ref/')) return 'kl'
  if (canonical.startsWith('entropy/')) return 'entropy'
  if (canonical.startsWith('value/')) return 'value'
  if (canonical.startsWith('mismatch/')) return 'mismatch'
  if (canonical.startsWith('grad/')) return 'gradient'
  return null
}
