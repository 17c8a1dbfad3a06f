/** Iterations whose durations are kept: enough to smooth, few enough to follow a run that grows slower. */
const WINDOW = 64
/** A duration is counted as at most so many medians: a machine that slept must not spoil the estimate. */
const MAX_MEDIANS = 10

/** How long iterations take, from when they ended. */
export interface Pace {
  /** The run began, or was resumed: nothing is known of the iteration before. */
  start(done: number, nowMs: number): void
  /** `done` iterations are over now. */
  note(done: number, nowMs: number): void
  /** Mean duration of the newest iterations in milliseconds, or null before one is over. */
  msPerIteration(): number | null
}

/**
 * Follows the duration of iterations. The first one after a start, which compiles and warms up, counts only until there is
 * another.
 */
export function createPace(): Pace {
  let durations: number[] = []
  let first: number | null = null
  let last: { readonly done: number; readonly atMs: number; readonly start: boolean } | null = null
  return {
    start(done, nowMs) {
      durations = []
      first = null
      last = { done, atMs: nowMs, start: true }
    },
    note(done, nowMs) {
      const iterations = last ? done - last.done : 0
      const elapsedMs = last ? nowMs - last.atMs : Number.NaN
      if (last && iterations > 0 && elapsedMs >= 0) {
        const each = elapsedMs / iterations
        if (last.start) first = each
        else durations.push(each)
        if (durations.length > WINDOW) durations.shift()
      }
      if (!last || iterations !== 0) last = { done, atMs: nowMs, start: false }
    },
    msPerIteration() {
      if (durations.length === 0) return first
      const sorted = durations.toSorted((a, b) => a - b)
      const median = sorted[Math.floor(sorted.length / 2)]!
      // A median of 0 (a replay in one burst) is no scale to cut by.
      const limit = median > 0 ? median * MAX_MEDIANS : Number.POSITIVE_INFINITY
      let sum = 0
      for (const duration of durations) sum += Math.min(duration, limit)
      return sum / durations.length
    },
  }
}

/** Milliseconds until the end, or null where the total or the pace is unknown. */
export function etaMs(done: number, total: number | null, msPerIteration: number | null): number | null {
  if (total === null || msPerIteration === null) return null
  const eta = Math.max(0, total - done) * msPerIteration
  return Number.isFinite(eta) ? eta : null
}
