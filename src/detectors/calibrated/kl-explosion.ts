import type { Detector } from '../detector.ts'
import type { Thresholds } from './ladder.ts'
import { levelDrift } from './level-drift.ts'

/** Nats per token (or per answer) below which KL does not matter, however fast it grows. Added, so that a curve that settles stays concave. */
const FLOOR_NATS = 0.01

/**
 * Nats per token that no run settles at: a policy that far from its reference has left it, however slowly. There is no such number for a whole
 * answer, which may be of any length.
 */
const LIMIT_NATS = 0.5
/** Half of the plan's own threshold: below it a policy that moves fast is worth a look, but it has not left its reference. */
const CRITICAL_FROM_NATS = 0.05
/** The series that these hold for. */
export const KL_PER_TOKEN = ['kl_ref/token', 'kl_ref/token_k3', 'kl_ref/token_k1'] as const

/** KL to the reference grows faster than a run that settles would let it: its logarithm against a fading forecast, and against a limit. */
export function klExplosion(thresholds: Thresholds): Detector {
  return levelDrift({
    name: 'kl-explosion',
    kind: 'kl-explosion',
    series: [...KL_PER_TOKEN, 'kl_ref/seq'],
    direction: 'up',
    thresholds,
    reference: 'settling',
    fromZero: true,
    margin: 0.3,
    minSd: 0.04,
    limits: perToken(LIMIT_NATS),
    criticalFrom: perToken(CRITICAL_FROM_NATS),
    signal: signalOf,
    value: (signal) => Math.exp(signal) - FLOOR_NATS,
  })
}

const signalOf = (nats: number) => Math.log(Math.max(nats, 0) + FLOOR_NATS)

const perToken = (nats: number) => Object.fromEntries(KL_PER_TOKEN.map((name) => [name, signalOf(nats)]))
