/**
 * Made by `npm run bench -- calibrate --runs 2000 --iterations 10000`; not to be edited.
 *
 * @module
 */

/** Values that the largest statistic of a healthy run exceeds with each rate, and where they come from. */
export const CALIBRATION = {
  generator: 'simulate 1',
  date: '2026-11-25',
  runs: 2000,
  iterations: 10000,
  rates: [0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 0.0003],
  statistics: {
    'quality-all': [2.128, 3.32, 4.706, 5.747, 7.716, 9.166, 10.755],
    'quality-score': [3.208, 4.46, 5.71, 6.617, 7.824, 8.824, 9.919],
    'quality-text': [1.455, 2.738, 3.931, 5.62, 7.042, 8.483, 10.063],
    'quality-single': [2.128, 3.32, 4.706, 5.747, 7.716, 9.166, 10.755],
    kl: [0.5, 0.51, 0.849, 1.916, 3.205, 4.359, 5.623],
    entropy: [0.5, 0.584, 2.492, 4.137, 5.912, 7.607, 9.463],
    value: [0.555, 2.076, 3.596, 4.827, 6.248, 7.458, 8.784],
    length: [0.5, 0.51, 0.539, 1.714, 2.96, 4.18, 5.518],
    truncation: [0.5, 0.51, 0.52, 0.53, 2.159, 5.055, 8.228],
    forgetting: [2.754, 3.828, 4.9, 5.677, 6.109, 6.594, 7.126],
    'loss-spike': [2.366, 5.06, 8.067, 12.15, 18.785, 24.014, 29.744],
    gradient: [0.5, 4.096, 6.616, 8.951, 11.209, 13.461, 15.93],
    'gradient-level': [0.881, 2.569, 3.626, 4.375, 5.428, 6.348, 7.355],
  },
} as const
