/** Upper end of the one-sided 95 % interval of Clopper and Pearson for k of n. */
export function upperBound(k: number, n: number): number
export function alarmRate(runs: readonly unknown[], method: string, severity: string): unknown
export function detection(runs: readonly unknown[], method: string): unknown
export function goldSaved(
  runs: readonly unknown[],
  method: string,
  checkpoint: number | null,
): { runs: number; mean: number | null; median: number | null }
