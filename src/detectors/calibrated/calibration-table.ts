/**
 * Made by `npm run bench -- calibrate --runs 3000 --iterations 10000`; not to be edited.
 *
 * @module
 */

/** Values that the largest statistic of a healthy run exceeds with each rate, and where they come from. */
// biome-ignore-all lint/suspicious/noApproximativeNumericConstant: what was measured may lie near one
export const CALIBRATION = {
  generator: 'simulate 1',
  date: '2026-11-27',
  runs: 3000,
  iterations: 10000,
  rates: [0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 0.0003],
  statistics: {
    'quality-all': [1.242, 1.84, 2.492, 3.076, 3.794, 4.413, 5.091],
    'quality-score': [1.685, 2.264, 2.921, 3.601, 4.663, 5.492, 6.4],
    'quality-text': [1.182, 1.774, 2.37, 2.942, 3.739, 4.426, 5.179],
    'quality-single': [1.833, 2.483, 3.096, 3.728, 4.665, 5.461, 6.335],
    kl: [0.5, 0.51, 0.52, 0.691, 1.132, 1.583, 2.077],
    entropy: [0.5, 0.51, 1.776, 2.891, 4.684, 6.12, 7.692],
    value: [0.5, 1.414, 2.46, 3.758, 5.331, 6.7, 8.201],
    length: [0.5, 0.51, 0.52, 0.626, 1.731, 2.661, 3.681],
    truncation: [0.5, 0.51, 0.52, 0.53, 0.54, 2.052, 4.077],
    forgetting: [1.18, 1.692, 2.337, 2.989, 3.67, 4.337, 5.067],
    'loss-spike': [1.139, 1.754, 2.566, 3.545, 5.279, 6.604, 8.057],
    gradient: [0.5, 1.495, 2.098, 2.564, 3.298, 3.883, 4.524],
    'gradient-level': [0.5, 1.547, 2.367, 2.984, 3.673, 4.269, 4.923],
  },
} as const
