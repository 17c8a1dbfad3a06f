import { expect, it } from 'vitest'
import { QualityAnalyzer } from '../decision/quality-analyzer.ts'
import { TelltaleError } from '../errors.ts'
import { TrainingMonitor } from '../monitor.ts'
import { memoryStore } from './memory.ts'
import { runRecorder } from './run-recorder.ts'

it('keeps names apart that differ behind a NUL character only, and all of an answer that has one', async () => {
  const store = memoryStore()
  const monitor = new TrainingMonitor({ handleSignals: false })
  const analyzer = new QualityAnalyzer({ monitor })
  const recorder = runRecorder({
    ...{ store, monitor: () => monitor, analyzer: () => analyzer, followed: true, now: () => 1, say: () => {} },
    identity: () => ({ key: 'r', run: 'r', name: 'r', path: '/r', source: 'telltale' }),
  })
  monitor.registerCallback({ name: 'store', onEvent: recorder.event })
  await monitor.run(() => {
    for (let iteration = 0; iteration < 3; iteration++) {
      const metrics = { 'my\0loss': iteration, 'my\0gain': 10 + iteration, my: 20 + iteration }
      const metadata = { prompts: ['a\0b'], responses: ['c\0d'], rewards: [1] }
      monitor.onEvent({ phase: 'iteration_end', iteration, metrics, metadata })
      // One in the middle: what was stored is gone on with.
      if (iteration === 1) recorder.commit()
    }
  })
  recorder.commit()
  const series = store.series('r').map(({ name, original }) => [name, original, store.points('r', name).values])
  expect(series.filter(([name]) => String(name).startsWith('my'))).toEqual([
    ['my␀loss', 'my␀loss', [0, 1, 2]],
    ['my␀gain', 'my␀gain', [10, 11, 12]],
    ['my', 'my', [20, 21, 22]],
  ])
  expect(store.samples('r')[0]).toMatchObject({ prompt: 'a␀b', response: 'c␀d' })
  store.close()
})

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
    ...{ store, monitor: () => monitor, analyzer: () => analyzer, followed: true, now: () => 0, say: () => {} },
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
