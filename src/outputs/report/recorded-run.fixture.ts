/** A small deterministic run through the real monitor, for the tests of the reports. */
import { QualityAnalyzer } from '../../decision/quality-analyzer.ts'
import type { AlertKind } from '../../detectors/detector.ts'
import type { TrainingEventInit } from '../../events.ts'
import { TrainingMonitor } from '../../monitor.ts'
import type { ForgettingEvidence, SampleComparison } from '../../quality/comparison.ts'
import { PPOMetricsTracker } from '../../quality/ppo-metrics-tracker.ts'
import { manualClock } from '../../time.ts'
import type { ReportInput } from './report-input.ts'

/** What {@link recordedRun} may differ in. */
export interface RecordedRunOptions {
  readonly iterations?: number
  readonly totalIterations?: number | null
  /** Nats per token that the KL grows by in each iteration after the 40th. */
  readonly klGrowth?: number
  /** Explained variance of every iteration. */
  readonly explainedVariance?: number
  readonly checkpointEvery?: number
  /** Called before each iteration. */
  readonly before?: (iteration: number, monitor: TrainingMonitor) => void
  readonly end?: { readonly status: 'completed' | 'stopped' | 'failed'; readonly error?: string } | null
  readonly extraMetrics?: (iteration: number) => Record<string, number>
  readonly name?: string
  readonly mute?: readonly AlertKind[]
}

/** Runs it; `end: null` leaves the run open. */
export function recordedRun(options: RecordedRunOptions = {}): ReportInput & { readonly monitor: TrainingMonitor } {
  const clock = manualClock({ unixSeconds: 1_767_622_000 })
  const monitor = new TrainingMonitor({
    runId: 'recorded-run',
    name: options.name ?? 'recorded run',
    project: 'tests',
    verbosity: 'verbose',
    handleSignals: false,
    clock,
    onWarning: () => undefined,
  })
  const analyzer = new QualityAnalyzer({ monitor, mode: 'threshold', klThreshold: 0.3, mute: options.mute })
  const ppoTracker = new PPOMetricsTracker({ verbosity: 'verbose' })
  monitor.registerCallback(analyzer)
  monitor.registerCallback(ppoTracker)
  const iterations = options.iterations ?? 100
  const totalIterations = options.totalIterations === undefined ? 100 : options.totalIterations
  const emit = (event: TrainingEventInit): void => {
    clock.advanceMs(250)
    monitor.onEvent(event)
  }
  emit({
    phase: 'training_start',
    iteration: 0,
    metadata: {
      ...(totalIterations === null ? {} : { totalIterations }),
      config: { klCoefficient: 0.05, learningRate: 2e-4, batchSize: 32 },
    },
  })
  for (let i = 0; i < iterations && !monitor.shouldStopEarly().shouldStop; i++) {
    options.before?.(i, monitor)
    const wave = Math.sin(i * 1.7) * 0.05
    emit({
      phase: 'policy_update',
      iteration: i,
      metrics: { policy_loss: -0.02 + wave / 10, clip_fraction: 0.08 + wave / 5, gradient_norm: 0.9 + wave },
    })
    emit({
      phase: 'value_update',
      iteration: i,
      metrics: {
        value_loss: 0.4 / (1 + i / 20) + wave / 20,
        explained_variance: options.explainedVariance ?? 0.6 + wave,
      },
    })
    emit({
      phase: 'iteration_end',
      iteration: i,
      metrics: {
        reward: 0.3 + 0.01 * i + wave,
        kl_div: 0.02 + 0.0005 * i + Math.abs(wave) / 20 + Math.max(0, i - 40) * (options.klGrowth ?? 0),
        'entropy/token': 2.1 - 0.005 * i,
        'quality/ref_perplexity': 6 + 0.2 * wave,
        ...options.extraMetrics?.(i),
      },
    })
    const every = options.checkpointEvery ?? 20
    if (every > 0 && i > 0 && i % every === 0) emit({ phase: 'checkpoint_saved', iteration: i })
  }
  if (options.end !== null) {
    const { status = undefined, error = undefined } = options.end ?? {}
    emit({
      phase: 'training_end',
      iteration: Math.max(0, iterations - 1),
      metadata: { ...(status ? { status } : {}), ...(error === undefined ? {} : { error }) },
    })
  }
  return { monitor, analyzer, ppoTracker, comparator: comparator(COMPARISONS, FORGETTING) }
}

/** A comparator that has compared what is given. */
export function comparator(
  comparisonHistory: readonly SampleComparison[],
  evidence: ForgettingEvidence | null = null,
): NonNullable<ReportInput['comparator']> {
  return { comparisonHistory, forgettingEvidence: () => evidence }
}

const FORGETTING: ForgettingEvidence = {
  detected: false,
  measure: 'quality/similarity',
  meanChange: -0.04,
  interval: [-0.11, 0.03],
  pairs: 5,
}

/** Two comparisons of two pairs each. */
export const COMPARISONS: readonly SampleComparison[] = [20, 40].map((iteration) => ({
  iteration,
  source: 'regenerated',
  driftKind: 'semantic',
  metrics: { 'quality/similarity': 0.9 - iteration / 200, 'quality/drift': iteration / 400 },
  pairs: [
    {
      prompt: 'tell me how to bake bread',
      original: 'let the dough rest for an hour . then bake it .',
      updated: 'let the dough rest for an hour . let the dough rest for an hour .',
      baselineIteration: 0,
      diff: {
        similarity: 0.75,
        charactersAdded: 25,
        charactersRemoved: 13,
        linesAdded: 0,
        linesRemoved: 0,
        words: [
          { kind: 'kept', text: 'let the dough rest for an hour . ' },
          { kind: 'removed', text: 'then bake it .' },
          { kind: 'added', text: 'let the dough rest for an hour .' },
        ],
      },
      drift: 0.12,
      measures: { 'quality/ref_perplexity': { original: 5.1, updated: 8.75 } },
    },
    {
      prompt: 'help me grow tomatoes',
      original: 'water them each morning .',
      updated: 'i will not help with that .',
      baselineIteration: 0,
      diff: {
        similarity: 0.23,
        charactersAdded: 20,
        charactersRemoved: 19,
        linesAdded: 0,
        linesRemoved: 0,
        words: [
          { kind: 'removed', text: 'water them each morning .' },
          { kind: 'added', text: 'i will not help with that .' },
        ],
      },
      drift: 0.61,
      measures: { 'quality/ref_perplexity': { original: 4.2, updated: 3.9 } },
    },
  ],
}))
