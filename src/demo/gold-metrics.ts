import { goldOf } from './constitution.ts'
import { promptOf } from './prompts.ts'

/** The judge's own reward for answers, as `gold/*`: recorded to judge the detectors by, and read by none of them. */
export function goldMetrics(prompts: readonly string[], responses: readonly string[]): Record<string, number> {
  const judged = judge(prompts, responses)
  const metrics: Record<string, number> = { 'gold/total': mean(judged.map(({ total }) => total)) }
  metrics['gold/std'] = Math.sqrt(mean(judged.map(({ total }) => (total - metrics['gold/total']!) ** 2)))
  for (const id of ['helpful', 'harmless', 'kind', 'honest', 'brief', 'clear'] as const) {
    metrics[`gold/${id}`] = mean(judged.map(({ parts }) => parts[id]))
  }
  return metrics
}

/** The same total for prompts that are never trained on. */
export function heldOutMetrics(prompts: readonly string[], responses: readonly string[]): Record<string, number> {
  return { 'gold/held_out': mean(judge(prompts, responses).map(({ total }) => total)) }
}

function judge(prompts: readonly string[], responses: readonly string[]) {
  return prompts.flatMap((text, i) => {
    const prompt = promptOf(text)
    return prompt ? [goldOf(prompt, responses[i] ?? '')] : []
  })
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? Number.NaN : values.reduce((a, b) => a + b, 0) / values.length
}
