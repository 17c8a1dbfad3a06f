import { expect, it } from 'vitest'
import { QualityAnalyzer } from '../decision/quality-analyzer.ts'
import { TelltaleError } from '../errors.ts'
import { TrainingMonitor } from '../monitor.ts'
import { memoryStore } from './memory.ts'
import { runRecorder } from './run-recorder.ts'

it('holds the newest answers only, and no more than a store keeps, however long it cannot be written', () => {
  const inMemory = memoryStore()
  let full = true
  let most = 0
  const store: typeof inMemory = {
    ...inMemory,
    commit(commits) {
      most = Math.max(most, ...commits.map(({ samples }) => samples.length))
      if (full) throw new TelltaleError('not-writable', 'no space left on device')
      inMemory.commit(commits)
    },
  }
  const monitor = new TrainingMonitor({ handleSignals: false })
  const analyzer = new QualityAnalyzer({ monitor })
  const recorder = runRecorder({
    ...{ store, monitor: () => monitor, analyzer: () => analyzer, now: () => 0, say: () => {} },
    identity: () => ({ key: 'k', run: 'r', name: 'r', path: '/r', source: 'jsonl' }),
  })
  monitor.registerCallback({ name: 'store', onEvent: recorder.event })
  for (let iteration = 0; iteration < 5000; iteration++) {
    monitor.onEvent({ phase: 'response_generated', iteration, metadata: { responses: [`answer ${iteration}`] } })
    if (iteration % 1000 > 0) continue
    recorder.tryNow()
    recorder.commit()
  }
  full = false
  recorder.tryNow()
  recorder.commit()
  expect(most).toBeLessThan(4000)
  const kept = inMemory.samples('k')
  expect([kept.length, kept.at(-1)!.response]).toEqual([2000, 'answer 4999'])
  inMemory.close()
})
