/**
 * Made by `npm run bench -- calibrate --runs 250 --iterations 10000`; not to be edited.
 *
 * @module
 */

/** Values that the largest statistic of a healthy run exceeds with each rate, and where they come from. */
export const CALIBRATION = {
  generator: 'simulate 1',
  date: '2026-11-25',
  runs: 250,
  iterations: 10000,
  rates: [0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 0.0003],
  statistics: {
    'quality-all': [1.936, 3.085, 4.683, 5.202, 8.048, 9.955, 12.045],
    'quality-score': [3.204, 4.41, 5.337, 6.461, 9.223, 11.251, 13.474],
    'quality-text': [1.31, 2.383, 3.227, 4.155, 5.305, 6.296, 7.381],
    kl: [0.5, 0.51, 1.103, 2.092, 3.085, 3.929, 4.854],
    entropy: [0.5, 1.108, 2.793, 3.676, 4.071, 4.732, 5.456],
    value: [0.705, 1.99, 3.145, 4.644, 6.749, 8.557, 10.539],
    length: [0.5, 0.51, 0.729, 1.676, 3.293, 4.481, 5.783],
    truncation: [0.5, 0.51, 0.52, 1.183, 9.044, 16.341, 24.338],
    forgetting: [2.877, 3.904, 5.057, 5.41, 6.277, 6.923, 7.63],
    'loss-spike': [2.434, 4.732, 7.377, 14.347, 21.428, 29.087, 37.481],
    gradient: [0.5, 3.833, 5.826, 8.447, 9.777, 10.964, 12.264],
    'gradient-level': [0.954, 2.547, 3.447, 4.237, 5.843, 7.157, 8.597],
  },
} as const
