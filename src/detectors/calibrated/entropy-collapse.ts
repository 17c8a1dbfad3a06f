import type { Detector } from '../detector.ts'
import { belowStart } from './below-start.ts'
import type { Thresholds } from './ladder.ts'
import { levelDrift } from './level-drift.ts'

/** The policy becomes surer without earning more. */
export function entropyCollapse(thresholds: Thresholds): Detector {
  return levelDrift({
    name: 'entropy-collapse',
    kind: 'entropy-collapse',
    series: ['entropy/token', 'entropy/seq_surprisal'],
    direction: 'down',
    thresholds,
    reference: 'settling',
    margin: 0.1,
    minSd: 0.02,
    signal: (nats) => -Math.log(Math.max(nats, 1e-6)),
    value: (signal) => Math.exp(-signal),
    perRewardRise: 0.25,
  })
}

/** Nine tenths of the entropy are gone: whatever the reward says of it, such a policy explores nothing any more. */
export function entropyGone(): Detector {
  return belowStart({
    name: 'entropy-gone',
    kind: 'entropy-collapse',
    severity: 'critical',
    series: 'entropy/token',
    share: 0.1,
  }) as Detector
}
