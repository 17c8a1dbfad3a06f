// Do something of your own when something happens: a callback gets every event, or those that it asks for.
import { type TrainingCallback, TrainingMonitor } from 'telltale'

const longest = { iteration: 0, tokens: 0 }
const watchLength: TrainingCallback = {
  name: 'LongestAnswer',
  onEvent(event) {
    const tokens = event.getMetric('length/mean', 0)
    if (tokens > longest.tokens) Object.assign(longest, { iteration: event.iteration, tokens })
  },
}

const monitor = new TrainingMonitor()
monitor.registerCallback(watchLength, { phases: ['response_generated'], every: 5 })
await monitor.run(() => {
  for (let iteration = 0; iteration < 20; iteration++) {
    monitor.onEvent({
      phase: 'response_generated',
      iteration,
      metrics: { 'length/mean': 10 + 3 * Math.sin(iteration) },
    })
    monitor.onEvent({ phase: 'iteration_end', iteration })
  }
})
console.log(longest.iteration, longest.tokens.toFixed(1)) // 15 12.0
