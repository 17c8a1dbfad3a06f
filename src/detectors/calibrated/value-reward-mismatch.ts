import type { Detector } from '../detector.ts'
import type { Thresholds } from './ladder.ts'
import { levelDrift } from './level-drift.ts'

/** A value model that leaves a quarter more than all of the variance unexplained is worse than a constant. */
const WORST = Math.log(1.25)

/** The value model explains less and less of the returns: the unexplained share, in logarithms, against its best level. */
export function valueRewardMismatch(thresholds: Thresholds): Detector {
  return levelDrift({
    name: 'value-reward-mismatch',
    kind: 'value-reward-mismatch',
    series: ['value/explained_variance'],
    direction: 'down',
    thresholds,
    reference: 'best',
    learns: true,
    margin: 0.25,
    minSd: 0.02,
    limits: { 'value/explained_variance': WORST },
    signal: (explained) => Math.log(Math.max(1 - explained, 0.02)),
    value: (signal) => 1 - Math.exp(signal),
  })
}
