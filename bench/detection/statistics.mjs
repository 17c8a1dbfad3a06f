// The largest value that each calibrated statistic reaches in a run.
import { CALIBRATION } from '../../dist/detectors/calibrated/calibration-table.js'
import { calibratedPreset } from '../../dist/detectors/calibrated/preset.js'
import { RULES } from '../../dist/detectors/calibrated/rules.js'
import { observations } from './simulate.mjs'

/** Names of the calibrated statistics. */
export const STATISTICS = Object.keys(CALIBRATION.statistics)

/** @returns the largest value of each of {@link STATISTICS}, in their order; -Infinity for one that was never measured. */
export function largestStatistics(run) {
  const largest = new Map(STATISTICS.map((name) => [name, Number.NEGATIVE_INFINITY]))
  const never = Number.POSITIVE_INFINITY
  const detectors = calibratedPreset({
    thresholds: (name) => ({
      info: never,
      warning: never,
      critical: never,
      seen(statistic) {
        if (statistic > largest.get(name)) largest.set(name, statistic)
      },
    }),
  })
  // The exact rules have no statistic.
  const exact = new Set(RULES.map(({ name }) => name))
  const measured = detectors.filter(({ name }) => !exact.has(name))
  for (const observation of observations(run)) for (const detector of measured) detector.update(observation)
  return [...largest.values()]
}
