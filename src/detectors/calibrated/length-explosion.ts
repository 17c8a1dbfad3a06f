import type { Detector } from '../detector.ts'
import type { Thresholds } from './ladder.ts'
import { levelDrift } from './level-drift.ts'

/** Answers grow while the reward does not. */
export function lengthExplosion(thresholds: Thresholds): Detector {
  return levelDrift({
    name: 'length-explosion',
    kind: 'length-explosion',
    series: ['length/mean'],
    direction: 'up',
    thresholds,
    reference: 'settling',
    margin: 0.15,
    minSd: 0.02,
    signal: (tokens) => Math.log(Math.max(tokens, 1)),
    value: Math.exp,
    perRewardRise: 0.3,
  })
}

/** More and more answers are cut at the limit: whatever the reward says of them, they are not finished. */
export function truncation(thresholds: Thresholds): Detector {
  return levelDrift({
    name: 'truncation',
    kind: 'length-explosion',
    series: ['length/clip_ratio'],
    direction: 'up',
    thresholds,
    reference: 'best',
    margin: 0.3,
    minSd: 0.02,
    signal: (share) => share,
    value: (signal) => signal,
  })
}
