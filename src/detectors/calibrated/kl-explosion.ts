import type { Detector } from '../detector.ts'
import type { Thresholds } from './ladder.ts'
import { levelDrift } from './level-drift.ts'

/** Nats per token (or per answer) below which KL does not matter, however fast it grows. */
const FLOOR_NATS = 0.02

/** KL to the reference grows faster than a run that settles would let it: its logarithm against a fading forecast. */
export function klExplosion(thresholds: Thresholds): Detector {
  return levelDrift({
    name: 'kl-explosion',
    kind: 'kl-explosion',
    series: ['kl_ref/token', 'kl_ref/token_k3', 'kl_ref/token_k1', 'kl_ref/seq'],
    direction: 'up',
    thresholds,
    reference: 'settling',
    fromZero: true,
    margin: 0.3,
    minSd: 0.02,
    signal: (nats) => Math.log(Math.max(nats, FLOOR_NATS)),
    value: Math.exp,
  })
}
