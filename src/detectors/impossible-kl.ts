import { sustained } from './calibrated/sustained.ts'
import type { Detector } from './detector.ts'

const SERIES = ['kl_ref/token', 'kl_ref/seq', 'ppo/approx_kl', 'mismatch/kl'] as const
/** Below 0 by more than rounding, in nats. */
const ROUNDING_NATS = 1e-4
const ITERATIONS = 3

/**
 * A divergence that was estimated with k2 = x^2 / 2 or k3 = exp(-x) - 1 + x and is below 0: neither formula can give that, so the log is
 * wrong. With k1 = x a negative value is ordinary, which is why only series whose table says k2 or k3 are looked at.
 */
export function impossibleKl(): Detector {
  return {
    ...(sustained({
      name: 'impossible-kl',
      kind: 'broken-invariant',
      severity: 'critical',
      reads: [SERIES],
      iterations: ITERATIONS,
      check(observation) {
        let logged = false
        for (const name of SERIES) {
          const nats = observation.get(name)
          if (nats === undefined) continue
          logged = true
          if (nats < -ROUNDING_NATS) return { series: name, observed: nats, expected: 0, direction: 'down' }
        }
        return logged ? null : undefined
      },
    }) as Detector),
    accepts: ({ estimator, reliability }) => (estimator === 'k2' || estimator === 'k3') && reliability !== 'unusable',
  }
}
