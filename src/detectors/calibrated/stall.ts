import type { Detector, Evidence, Tick } from '../detector.ts'

/** Silence that is never reported, in seconds: a slow disk or a short evaluation. */
const LEAST_SECONDS = 60
/** How many times what is usual. */
const TIMES = 5
/** One iteration in so many may be silent for longer than is usual. */
const ONE_IN = 1000
/** Iterations that must have closed since the process began: the first ones compile, allocate and fill caches. */
const WARM_UP = 3
/** Iterations in a block. What is usual comes from the block that fills and the one before it. */
const BLOCK = 20_000
/** Largest values kept of a block: the quantile of two full blocks has 40 values above it. */
const KEPT = (2 * BLOCK) / ONE_IN + 1

/** How many numbers there were, and the largest of them in descending order. */
type Block = { readonly count: number; readonly largest: readonly number[] }
type State = { readonly before: Block; readonly now: Block }

const EMPTY: Block = { count: 0, largest: [] }

/**
 * The run stands still: no event for longer than max(60 s, 5 q), where q is the 99.9 % quantile of the longest silence of each
 * iteration so far (the largest, up to a thousand iterations). It judges only on ticks, and from the third iteration of a process on.
 *
 * Why the longest of an iteration, and not every time between two events: a pause that comes every 500 iterations is usual, however many
 * events lie between. Why so long a memory: such a pause must be remembered until it comes again.
 *
 * The quantile is exact over the newest 20,000 to 40,000 iterations: of two full blocks it is the 41st largest value, so the 41 largest
 * of each block are enough.
 *
 * It cannot see a stall before three iterations have closed, one in which nobody ticks, nor a slowdown that still sends events.
 */
export function stall(): Detector<State> {
  let before = EMPTY
  let now = EMPTY

  function usualSeconds(): number {
    const rank = Math.floor((before.count + now.count) / ONE_IN)
    return [...before.largest, ...now.largest].sort(descending)[rank] ?? 0
  }

  return {
    name: 'stall',
    kind: 'stall',
    reads: [['time/silence']],
    update(observation): undefined {
      const seconds = observation.get('time/silence')
      // The time until a run goes on again is none of its own.
      if (seconds === undefined || !Number.isFinite(seconds) || observation.announced?.includes('resume')) return
      if (now.count === BLOCK) {
        before = now
        now = EMPTY
      }
      now = withValue(now, seconds)
    },
    tick({ silentSeconds, closedHere, iteration }: Tick): Evidence | undefined {
      if (closedHere < WARM_UP) return undefined
      const usual = usualSeconds()
      const threshold = Math.max(LEAST_SECONDS, TIMES * usual)
      if (!(silentSeconds > threshold)) return undefined
      return {
        kind: 'stall',
        direction: 'up',
        severity: 'warning',
        series: ['time/silence'],
        observed: silentSeconds,
        expected: usual,
        statistic: silentSeconds,
        threshold,
        onset: { estimate: iteration, interval: [iteration, iteration] },
      }
    },
    snapshot: () => ({ before, now }),
    restore(state) {
      before = state.before
      now = state.now
    },
  }
}

function withValue({ count, largest }: Block, value: number): Block {
  const smallest = largest.at(-1)
  if (largest.length === KEPT && smallest !== undefined && value <= smallest) return { count: count + 1, largest }
  return { count: count + 1, largest: [...largest, value].sort(descending).slice(0, KEPT) }
}

function descending(a: number, b: number): number {
  return b - a
}
