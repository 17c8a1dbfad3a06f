// One detector for each calibrated statistic, so that the largest value of each over a run can be seen.
import { answerQuality } from '../../dist/detectors/calibrated/answer-quality.js'
import { catastrophicForgetting } from '../../dist/detectors/calibrated/catastrophic-forgetting.js'
import { entropyCollapse } from '../../dist/detectors/calibrated/entropy-collapse.js'
import { klExplosion } from '../../dist/detectors/calibrated/kl-explosion.js'
import { lengthExplosion, truncation } from '../../dist/detectors/calibrated/length-explosion.js'
import { spikeDetectors } from '../../dist/detectors/calibrated/preset.js'
import { valueRewardMismatch } from '../../dist/detectors/calibrated/value-reward-mismatch.js'

/** A statistic is reported from this value on; below it no threshold lies. */
const FROM = { info: 0.5, warning: Number.POSITIVE_INFINITY, critical: Number.POSITIVE_INFINITY }
const NEVER = { info: Number.POSITIVE_INFINITY, warning: Number.POSITIVE_INFINITY, critical: Number.POSITIVE_INFINITY }

/** Makes the detectors anew. */
export const STATISTICS = {
  'quality-all': () => answerQuality({ all: FROM, score: NEVER, text: NEVER }),
  'quality-score': () => answerQuality({ all: NEVER, score: FROM, text: NEVER }),
  'quality-text': () => answerQuality({ all: NEVER, score: NEVER, text: FROM }),
  kl: () => klExplosion(FROM),
  entropy: () => entropyCollapse(FROM),
  value: () => valueRewardMismatch(FROM),
  length: () => lengthExplosion(FROM),
  truncation: () => truncation(FROM),
  forgetting: () => catastrophicForgetting(FROM),
  'loss-spike': () => spikeDetectors(FROM, NEVER)[0],
  gradient: () => spikeDetectors(NEVER, FROM)[1],
}
