import type { Detector } from './detector.ts'
import { coherenceRule } from './threshold/coherence-loss.ts'
import { klThresholdRule } from './threshold/kl-explosion.ts'
import { rewardHackingRule } from './threshold/reward-hacking.ts'
import { valueMismatchRule } from './threshold/value-reward-mismatch.ts'

/** What {@link thresholdPreset} needs to know. */
export interface ThresholdPresetOptions {
  readonly rewardHackThreshold: number
  readonly klThreshold: number
  readonly windowSize: number
}

/** The plan's four fixed rules: reward hacking, KL explosion, loss of coherence, value-reward mismatch. */
export function thresholdPreset(options: ThresholdPresetOptions): readonly Detector[] {
  const fifth = Math.max(2, Math.round(options.windowSize / 5))
  return [
    rewardHackingRule(options),
    klThresholdRule(options),
    coherenceRule({ coherenceRatio: 2, baselineIterations: fifth }),
    valueMismatchRule({ explainedVarianceFloor: 0, warmupIterations: 20, windowSize: fifth }),
  ]
}
