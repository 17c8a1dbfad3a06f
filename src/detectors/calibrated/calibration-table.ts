/**
 * Made by `npm run bench -- calibrate --runs 900 --iterations 10000`; not to be edited.
 *
 * @module
 */

/** Values that the largest statistic of a healthy run exceeds with each rate, and where they come from. */
export const CALIBRATION = {
  generator: 'simulate 1',
  date: '2026-11-25',
  runs: 900,
  iterations: 10000,
  rates: [0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 0.0003],
  statistics: {
    'quality-all': [2.135, 3.406, 4.791, 5.879, 7.882, 9.441, 11.15],
    'quality-score': [3.269, 4.613, 6.017, 7.008, 7.95, 8.818, 9.769],
    'quality-text': [1.491, 2.611, 3.865, 5.189, 6.66, 7.908, 9.276],
    kl: [0.5, 0.51, 0.909, 2.007, 3.312, 4.631, 6.076],
    entropy: [0.5, 0.616, 2.525, 4.137, 5.967, 7.693, 9.584],
    value: [0.559, 2.076, 3.444, 4.827, 6.313, 7.501, 8.803],
    length: [0.5, 0.51, 0.52, 1.428, 3.265, 4.665, 6.2],
    truncation: [0.5, 0.51, 0.52, 0.53, 0.668, 2.768, 5.071],
    forgetting: [2.84, 3.978, 5.015, 5.634, 6.164, 6.643, 7.168],
    'loss-spike': [2.434, 5.052, 8.347, 13.952, 20.981, 27.3, 34.225],
    gradient: [0.5, 4.011, 6.669, 9.505, 11.103, 13.129, 15.35],
    'gradient-level': [0.885, 2.409, 3.573, 4.34, 5.62, 6.7, 7.883],
  },
} as const
