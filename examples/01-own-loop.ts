// Monitor a training loop of your own: one line when something happens, one question between two iterations.
import { mkdtempSync } from 'node:fs'
import { QualityAnalyzer, TerminalDisplay, TrainingMonitor } from 'telltale'

const monitor = new TrainingMonitor({ outputDir: mkdtempSync('own-loop-'), project: 'examples' })
const analyzer = new QualityAnalyzer({ monitor, klThreshold: 0.3 })
monitor.registerCallback(new TerminalDisplay())
monitor.registerCallback(analyzer)

await monitor.run(async () => {
  for (let iteration = 0; iteration < 100; iteration++) {
    // Here your own step would train; these numbers have a KL that runs away.
    const metrics = { reward: Math.tanh(iteration / 30), kl_div: 0.001 * iteration ** 1.5, loss: 1 / (iteration + 1) }
    monitor.onEvent({ phase: 'iteration_end', iteration, metrics })
    await monitor.settle()
    if (monitor.shouldStopEarly().shouldStop) break
  }
})

const { status, stop } = monitor.summary()
console.log(status, stop?.iteration) // stopped 47
