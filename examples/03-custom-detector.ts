// A detector of your own: a pure function of closed iterations with a state that can be saved. `testDetector` holds it to the
// contract that every detector keeps.
import { type Detector, QualityAnalyzer, TrainingMonitor } from 'telltale'
import { testDetector } from 'telltale/testing'

/** Warns when more than half of the answers have been cut for five iterations in a row. */
function truncation(): Detector<{ readonly streak: number }> {
  let streak = 0
  return {
    name: 'truncation',
    kind: 'length-explosion',
    reads: [['length/clip_ratio']],
    update({ iteration, get }) {
      const cut = get('length/clip_ratio')
      if (cut === undefined || Number.isNaN(cut)) return undefined
      streak = cut > 0.5 ? streak + 1 : 0
      if (streak < 5) return undefined
      const began = iteration - streak + 1
      return {
        kind: 'length-explosion',
        direction: 'up',
        severity: 'warning',
        series: ['length/clip_ratio'],
        observed: cut,
        expected: 0.5,
        statistic: streak,
        threshold: 5,
        onset: { estimate: began, interval: [began, began] },
      }
    },
    snapshot: () => ({ streak }),
    restore(state) {
      streak = state.streak
    },
  }
}

const failing = Array.from({ length: 20 }, (_, i) => ({ 'length/clip_ratio': i < 8 ? 0.1 : 0.9 }))
const healthy = Array.from({ length: 20 }, (_, i) => ({ 'length/clip_ratio': i % 4 === 0 ? 0.6 : 0.2 }))
for (const check of testDetector({ create: truncation as () => Detector, failing, healthy })) check.run()

const monitor = new TrainingMonitor()
const analyzer = new QualityAnalyzer({ monitor, detectors: [truncation() as Detector] })
monitor.registerCallback(analyzer)
await monitor.run(() => {
  for (const [iteration, metrics] of failing.entries()) monitor.onEvent({ phase: 'iteration_end', iteration, metrics })
})
console.log(analyzer.alertHistory.map(({ id, iteration, severity }) => `${id} ${iteration} ${severity}`)) // [ 'truncation-1 12 warning' ]
