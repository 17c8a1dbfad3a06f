import { type CalibratedPresetOptions, watchedRule } from './calibrated/preset.ts'
import { type SustainedRule, sustained } from './calibrated/sustained.ts'
import type { Detector } from './detector.ts'

/** Iterations in a row over the budget: a single one is noise. */
const ITERATIONS = 3

/**
 * A fixed budget of KL to the reference beside the forecast, whose weak spot is slow creep: critical once three iterations in a row
 * lie above it.
 *
 * @param budgetNats nats per response token of `kl_ref/token`.
 * @param onCompared hears how near it comes.
 */
export function klBudget(budgetNats: number, onCompared?: CalibratedPresetOptions['onCompared']): Detector {
  const rule: SustainedRule = {
    name: 'kl-budget',
    kind: 'kl-explosion',
    severity: 'critical',
    reads: [['kl_ref/token']],
    iterations: ITERATIONS,
    check(observation) {
      const nats = observation.get('kl_ref/token')
      // NaN says nothing about a budget: the non-finite detector is for that.
      if (nats === undefined || Number.isNaN(nats)) return undefined
      return nats > budgetNats
        ? { series: 'kl_ref/token', observed: nats, expected: budgetNats, direction: 'up' }
        : null
    },
  }
  return sustained(watchedRule(rule, onCompared)) as Detector
}
