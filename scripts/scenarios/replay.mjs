// What a recorded scenario holds: its series, and what the detectors say of it. The log is the truth; nothing is trained here.
import { join } from 'node:path'
import { DEMO_KL_THRESHOLD } from '../../dist/demo/run-demo.js'
import { QualityAnalyzer, replayRun } from '../../dist/index.js'

/** @returns the store of the run, and the alerts with the demo's threshold of the KL and with the library's own. */
export async function replay(folder, scenario) {
  const demo = await watched(join(folder, scenario), { klThreshold: DEMO_KL_THRESHOLD })
  const byDefault = await watched(join(folder, scenario), {})
  return { store: demo.store, analyzer: demo.analyzer, defaultAnalyzer: byDefault.analyzer }
}

async function watched(dir, options) {
  let analyzer
  const { monitor, report } = await replayRun(dir, (replayed) => {
    analyzer = new QualityAnalyzer({ monitor: replayed, ...options })
    replayed.registerCallback(analyzer)
  })
  if (report.damagedCount > 0 || report.missing > 0) throw new Error(`${dir}: the log is damaged; delete the folder`)
  return { store: monitor.getMetricsStore(), analyzer }
}
