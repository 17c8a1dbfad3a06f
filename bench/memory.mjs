// Whether a run of a million iterations with 50 metrics needs more memory than one of a hundred thousand.
import { TrainingMonitor } from '../dist/index.js'
import { bytesInUse } from './measure.mjs'

export function memory() {
  const monitor = new TrainingMonitor({ handleSignals: false, earlyStop: 'off' })
  const names = Array.from({ length: 50 }, (_, i) => `metric/${i}`)
  const marks = {}
  const metrics = {}
  for (let iteration = 0; iteration < 1_000_000; iteration++) {
    for (let k = 0; k < names.length; k++) metrics[names[k]] = Math.sin(iteration + k)
    monitor.onEvent({ phase: 'iteration_end', iteration, metrics })
    if (iteration === 99_999 || iteration === 999_999) marks[iteration + 1] = bytesInUse()
  }
  const [early, late] = [marks[100_000], marks[1_000_000]]
  const liveRatio = late.live / early.live
  const rssRatio = late.rss / early.rss
  return {
    question: 'How much more memory do 1,000,000 iterations of 50 metrics need than 100,000?',
    goal: 'live bytes within 5 %, RSS within 15 %',
    reached: Math.abs(liveRatio - 1) <= 0.05 && rssRatio <= 1.15,
    liveMegabytes: { at100k: Number((early.live / 1e6).toFixed(1)), at1M: Number((late.live / 1e6).toFixed(1)) },
    liveRatio: Number(liveRatio.toFixed(3)),
    rssRatio: Number(rssRatio.toFixed(3)),
  }
}
