import type { Detector } from '../detector.ts'
import type { Thresholds } from './ladder.ts'
import { levelDrift } from './level-drift.ts'

/** Twice the best level: a norm that has doubled is no failure yet. */
const MARGIN = Math.log(2)

/** The gradient norm has left its level for good, by less than `gradient-anomaly` sees in six iterations. */
export function gradientLevel(thresholds: Thresholds): Detector {
  return levelDrift({
    name: 'gradient-level',
    kind: 'gradient-anomaly',
    series: ['grad/norm'],
    direction: 'up',
    thresholds,
    reference: 'best',
    // A norm jumps.
    windows: [2, 4, 8, 16],
    margin: MARGIN,
    minSd: 0.05,
    signal: (norm) => Math.log(Math.max(norm, 1e-12)),
    value: Math.exp,
  })
}
