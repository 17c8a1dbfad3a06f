/**
 * Measures of the answers, for a log whose writer kept answers and measured nothing.
 *
 * @module
 */
import { createTrainingEvent, type TrainingEvent, TrainingPhase } from '../events.ts'
import { textMeasures } from '../quality/text-measures.ts'
import { textHash } from '../text/text-hash.ts'

/** Answers of an iteration that are measured: enough for a mean, few enough for a log of ten thousand iterations. */
const MAX_MEASURED = 32

/**
 * Before each end of an iteration that has answers and no measure of them, gives an EVALUATION with `quality/distinct_2`,
 * `quality/repetition` and `quality/compression`. Of more than 32 answers those are taken whose prompts have the smallest hashes, so that
 * prompts that come again are measured again.
 */
export function deriveQuality(): (event: TrainingEvent) => TrainingEvent | null {
  let prompts: readonly unknown[] = []
  let responses: readonly unknown[] = []
  let measured = false
  return (event) => {
    const { metadata, metrics, phase, iteration } = event
    if (Array.isArray(metadata.responses) && metadata.responses.length > 0) {
      responses = metadata.responses
      prompts = Array.isArray(metadata.prompts) ? metadata.prompts : []
    }
    measured ||= 'quality/distinct_2' in metrics || 'quality/repetition' in metrics || 'quality/compression' in metrics
    if (phase !== TrainingPhase.ITERATION_END) return null
    const answers = measured ? [] : chosen(prompts, responses)
    prompts = []
    responses = []
    measured = false
    if (answers.length === 0) return null
    return createTrainingEvent({
      phase: TrainingPhase.EVALUATION,
      iteration,
      metrics: textMeasures(answers, 'quality/'),
      metadata: { derived: true },
    })
  }
}

function chosen(prompts: readonly unknown[], responses: readonly unknown[]): string[] {
  const answers = responses.map((response, i) => ({
    text: typeof response === 'string' ? response : '',
    hash: textHash(typeof prompts[i] === 'string' ? prompts[i] : ''),
  }))
  const kept = answers.length <= MAX_MEASURED ? answers : answers.toSorted((a, b) => a.hash - b.hash)
  return kept.slice(0, MAX_MEASURED).map(({ text }) => text)
}
