/**
 * Made by `npm run bench -- calibrate`; not to be edited.
 *
 * @module
 */

/** Values that the largest statistic of a healthy run exceeds with each rate, and where they come from. */
export const CALIBRATION = {
  generator: 'none yet',
  runs: 0,
  iterations: 10000,
  rates: [0.3, 0.1, 0.03, 0.01, 0.003],
  statistics: {
    'quality-all': [3, 4, 5, 6, 7],
    'quality-score': [3, 4, 5, 6, 7],
    'quality-text': [3, 4, 5, 6, 7],
    kl: [3, 4, 5, 6, 7],
    entropy: [3, 4, 5, 6, 7],
    value: [3, 4, 5, 6, 7],
    length: [3, 4, 5, 6, 7],
    truncation: [3, 4, 5, 6, 7],
    forgetting: [3, 4, 5, 6, 7],
    'loss-spike': [3, 4, 5, 6, 7],
    gradient: [3, 4, 5, 6, 7],
  },
} as const
