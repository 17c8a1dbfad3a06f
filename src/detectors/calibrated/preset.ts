/**
 * The calibrated detectors, by sort of training.
 *
 * @module
 */
import type { Detector, Severity } from '../detector.ts'
import { answerQuality } from './answer-quality.ts'
import { catastrophicForgetting } from './catastrophic-forgetting.ts'
import { entropyCollapse, entropyGone } from './entropy-collapse.ts'
import { gradientLevel } from './gradient-level.ts'
import { klExplosion } from './kl-explosion.ts'
import type { Thresholds } from './ladder.ts'
import { lengthExplosion, truncation } from './length-explosion.ts'
import { RULES } from './rules.ts'
import { spike } from './spike.ts'
import { stall } from './stall.ts'
import { type SustainedRule, sustained } from './sustained.ts'
import { DEFAULT_FALSE_ALARM_RATE, type StatisticName, thresholdsFor } from './thresholds.ts'
import { valueRewardMismatch } from './value-reward-mismatch.ts'

/** Sorts of training that have a preset. */
export const PRESETS = ['ppo', 'grpo', 'dpo', 'sft'] as const

/** One of {@link PRESETS}. */
export type Preset = (typeof PRESETS)[number]

/** What a detector compared in an iteration: how one sees why there is an alert, or none. */
export type Compared =
  /** Standard errors of a calibrated statistic, beside the thresholds of its severities. */
  | {
      readonly type: 'statistic'
      readonly name: string
      readonly value: number
      readonly thresholds: Readonly<Record<Severity, number>>
    }
  /** Iterations in a row in which a rule was broken, beside those that it takes. */
  | { readonly type: 'rule'; readonly name: string; readonly value: number; readonly needed: number }

/** Options of {@link calibratedPreset}. */
export interface CalibratedPresetOptions {
  readonly preset?: Preset
  /** Share of healthy runs of 10,000 iterations that may raise a critical alert; 0.01 by default. */
  readonly falseAlarmRate?: number
  /** Called with what the detectors compare; costs nothing where it is left out. */
  readonly onCompared?: ((compared: Compared) => void) | undefined
  /** Replaces the calibrated thresholds; for the calibration itself. */
  readonly thresholds?: (statistic: StatisticName) => Thresholds
}

/** The detectors of a preset; those whose series a run does not log stay silent, and the coverage says so. */
export function calibratedPreset(options: CalibratedPresetOptions = {}): readonly Detector[] {
  const { preset = 'ppo', falseAlarmRate = DEFAULT_FALSE_ALARM_RATE } = options
  const { onCompared } = options
  const thresholds = options.thresholds ?? ((name: StatisticName) => watched(name, falseAlarmRate, onCompared))
  const online = preset === 'ppo' || preset === 'grpo'
  return [
    ...(online
      ? [
          answerQuality({
            all: thresholds('quality-all'),
            score: thresholds('quality-score'),
            text: thresholds('quality-text'),
            single: thresholds('quality-single'),
          }),
          klExplosion(thresholds('kl')),
          entropyCollapse(thresholds('entropy')),
          entropyGone(),
          lengthExplosion(thresholds('length')),
          truncation(thresholds('truncation')),
        ]
      : []),
    ...(preset === 'ppo' ? [valueRewardMismatch(thresholds('value'))] : []),
    catastrophicForgetting(thresholds('forgetting')),
    ...spikeDetectors(thresholds('loss-spike'), thresholds('gradient')),
    gradientLevel(thresholds('gradient-level')),
    ...RULES.map((rule) => sustained(watchedRule(rule, onCompared))),
    stall(),
  ]
}

function watched(name: StatisticName, rate: number, onCompared: CalibratedPresetOptions['onCompared']): Thresholds {
  const thresholds = thresholdsFor(name, rate)
  if (!onCompared) return thresholds
  return { ...thresholds, seen: (value) => onCompared({ type: 'statistic', name, value, thresholds }) }
}

/** A rule that also tells how near it comes. */
export function watchedRule(rule: SustainedRule, onCompared: CalibratedPresetOptions['onCompared']): SustainedRule {
  if (!onCompared) return rule
  const { name, iterations } = rule
  return { ...rule, seen: (value) => onCompared({ type: 'rule', name, value, needed: iterations }) }
}

/** The detectors of a loss and of a gradient norm that leave their range. */
export function spikeDetectors(loss: Thresholds, gradient: Thresholds): readonly Detector[] {
  return [
    spike({
      name: 'loss-spike',
      kind: 'loss-spike',
      series: ['loss/total', 'loss/policy'],
      thresholds: loss,
      log: false,
    }),
    spike({
      name: 'gradient-anomaly',
      kind: 'gradient-anomaly',
      series: ['grad/norm'],
      thresholds: gradient,
      log: true,
    }),
  ]
}
