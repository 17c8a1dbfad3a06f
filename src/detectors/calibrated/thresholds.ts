/**
 * From a rate of false alarms to thresholds, through the table that `npm run bench -- calibrate` makes.
 *
 * @module
 */
import { TelltaleError } from '../../errors.ts'
import { CALIBRATION } from './calibration-table.ts'
import type { Thresholds } from './ladder.ts'

/** Statistics that have a calibrated threshold. */
export type StatisticName = keyof typeof CALIBRATION.statistics

/** Share of runs that may raise a critical alert wrongly; the design's default. */
export const DEFAULT_FALSE_ALARM_RATE = 0.01
/** How much oftener a warning, and a note, may be wrong than a critical alert. */
const WARNING_FACTOR = 5
const INFO_FACTOR = 15

/**
 * Thresholds of one statistic such that all statistics together raise a critical alert in at most the given share of healthy runs of
 * `CALIBRATION.iterations` iterations.
 *
 * @param falseAlarmRate above 0, at most 0.5.
 * @throws TelltaleError `bad-option` for another rate.
 */
export function thresholdsFor(statistic: StatisticName, falseAlarmRate: number): Thresholds {
  if (!(falseAlarmRate > 0 && falseAlarmRate <= 0.5)) {
    throw new TelltaleError(
      'bad-option',
      `falseAlarmRate is ${String(falseAlarmRate)}; expected a share of runs above 0 and at most 0.5, such as 0.01`,
    )
  }
  // Bonferroni over the statistics: never more than the whole, whatever their dependence.
  const share = falseAlarmRate / Object.keys(CALIBRATION.statistics).length
  return {
    info: quantile(statistic, Math.min(0.3, INFO_FACTOR * share)),
    warning: quantile(statistic, Math.min(0.2, WARNING_FACTOR * share)),
    critical: quantile(statistic, share),
  }
}

/** The value that the largest statistic of a healthy run exceeds with a probability: read from the table, its tail exponential. */
function quantile(statistic: StatisticName, probability: number): number {
  const { rates } = CALIBRATION
  const values: readonly number[] = CALIBRATION.statistics[statistic]
  // The rates fall along the table. Between two of them, and beyond the last, the logarithm of the rate is linear in the value.
  let i = 1
  while (i < rates.length - 1 && rates[i]! > probability) i++
  const [a, b] = [Math.log(rates[i - 1]!), Math.log(rates[i]!)]
  const slope = (values[i]! - values[i - 1]!) / (b - a)
  return values[i]! + slope * (Math.log(probability) - b)
}
