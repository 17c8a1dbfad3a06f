/**
 * What tests of your own parts need: contract suites and a clock that is moved by hand.
 *
 * @module telltale/testing
 */
export type {
  Json,
  Source,
  SourceBatch,
  SourceDamage,
  SourceFormat,
  SourceName,
  SourceRecord,
} from '../sources/source.ts'
export { memoryStore } from '../stores/memory.ts'
export type {
  Commit,
  ResumePoint,
  RunIdentity,
  RunningProcess,
  RunState,
  RunStore,
  SeriesPoints,
  StoredBucket,
  StoredEvent,
  StoredRun,
  StoredSample,
  StoredSeries,
  ZoomRange,
} from '../stores/store.ts'
export { manualClock } from '../time.ts'
export { type ContractCheck, type DetectorContract, type RunValues, testDetector } from './test-detector.ts'
export { type SourceCheck, type SourceContract, testSource } from './test-source.ts'
export { type StoreCheck, type StoreContract, testStore } from './test-store.ts'
