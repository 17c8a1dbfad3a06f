/**
 * The step that a trainer logs among its metrics: transformers' and OpenRLHF's loggers do where the tracker itself only counts calls.
 */
export function trainerStep(metrics: Readonly<Record<string, number>>): number | null {
  const step = metrics['train/global_step']
  return step !== undefined && Number.isSafeInteger(step) && step >= 0 ? step : null
}
