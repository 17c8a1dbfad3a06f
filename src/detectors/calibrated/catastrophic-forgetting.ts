import type { Detector, Evidence, Json } from '../detector.ts'
import { severityOf, type Thresholds } from './ladder.ts'
import { type QualityChannel, qualityWatch } from './quality-watch.ts'

/** What is measured on prompts that stay the same, so that their change is the model's. */
export const MEMORY_CHANNELS: readonly QualityChannel[] = [
  { name: 'quality/fixed_ref_perplexity', bad: 'up', scale: 'log', minUnit: 0.1 },
  { name: 'quality/fixed_repetition', bad: 'up', scale: 'linear', minUnit: 0.05 },
  { name: 'quality/clear_share', bad: 'down', scale: 'linear', minUnit: 0.1 },
  { name: 'eval/benchmark', bad: 'down', scale: 'linear', minUnit: 0 },
]

/** What the model could do on fixed prompts it can do less and less. */
export function catastrophicForgetting(thresholds: Thresholds): Detector {
  const watch = qualityWatch(MEMORY_CHANNELS)
  let open: Evidence | null = null
  return {
    name: 'catastrophic-forgetting',
    kind: 'catastrophic-forgetting',
    reads: [MEMORY_CHANNELS.map(({ name }) => name)],
    update(observation) {
      // What is measured on the same prompts stays comparable whatever is announced, but for a model that was put back.
      if (observation.announced?.includes('resume')) {
        watch.reanchor()
        open = null
      }
      const drift = watch.update(observation)
      if (!drift) return open ?? undefined
      const severity = severityOf(drift.statistic, thresholds, open?.severity ?? null)
      const worst = watch.worst()
      open =
        severity === null || worst === null
          ? null
          : {
              kind: 'catastrophic-forgetting',
              direction: worst.observed > worst.expected ? 'up' : 'down',
              severity,
              series: [worst.name],
              observed: worst.observed,
              expected: worst.expected,
              statistic: drift.statistic,
              threshold: thresholds[severity],
              onset: open?.onset ?? watch.onset(drift),
            }
      return open ?? undefined
    },
    snapshot: () => ({ watch: watch.snapshot(), open: open as unknown as Json }),
    restore(saved) {
      const state = saved as unknown as { watch: Json; open: Evidence | null }
      watch.restore(state.watch)
      open = state.open
    },
  }
}
