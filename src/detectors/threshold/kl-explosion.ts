import type { Detector } from '../detector.ts'

/** Options of {@link klThresholdRule}. */
export interface KlThresholdOptions {
  /** Nats per response token of `kl_ref/token` above which the alarm is raised; the plan's default is 0.1. */
  readonly klThreshold: number
}

/**
 * The plan's KL check: critical as soon as one iteration's `kl_ref/token` exceeds a fixed number. Simple and
 * well known, and no judge of health: with a healthy plateau at half the threshold it stops 43 of 100 runs of 1,000
 * iterations on noise alone. Choose the threshold from runs that you trust.
 */
export function klThresholdRule(options: KlThresholdOptions): Detector<{ readonly since: number | null }> {
  let since: number | null = null
  return {
    name: 'kl-explosion',
    kind: 'kl-explosion',
    reads: [['kl_ref/token']],
    update(observation) {
      const kl = observation.get('kl_ref/token')
      if (kl === undefined) return undefined
      // NaN is not "above": the non-finite detector is for that.
      if (!(kl > options.klThreshold)) {
        since = null
        return undefined
      }
      since ??= observation.iteration
      return {
        kind: 'kl-explosion',
        direction: 'up',
        severity: 'critical',
        series: ['kl_ref/token'],
        observed: kl,
        expected: options.klThreshold,
        statistic: kl,
        threshold: options.klThreshold,
        onset: { estimate: since, interval: [since, since] },
      }
    },
    snapshot: () => ({ since }),
    restore(state) {
      since = state.since
    },
  }
}
