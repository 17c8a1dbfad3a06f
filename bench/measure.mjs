import { readFileSync } from 'node:fs'

/** Quantiles of durations, to two digits. */
export function quantiles(durations) {
  const sorted = [...durations].sort((a, b) => a - b)
  const at = (q) => Number(sorted[Math.floor(q * (sorted.length - 1))].toFixed(2))
  return { p50: at(0.5), p99: at(0.99), max: at(1) }
}

/**
 * Median of differences with the 95 % interval that order statistics give, whatever their distribution: of 20, the sixth and the
 * fifteenth (David and Nagaraja 2003).
 */
export function medianInterval(differences) {
  const sorted = [...differences].sort((a, b) => a - b)
  const n = sorted.length
  // The most values that can be left out at each end: P(Binomial(n, 1/2) < left out) at most 2.5 %.
  let below = 0
  let term = 0.5 ** n
  let leftOut = 0
  while (below + term <= 0.025) {
    below += term
    leftOut++
    term *= (n - leftOut + 1) / leftOut
  }
  const at = (i) => Number(sorted[i].toFixed(2))
  const median = (sorted[Math.floor((n - 1) / 2)] + sorted[Math.ceil((n - 1) / 2)]) / 2
  return { median: Number(median.toFixed(2)), interval: [at(leftOut - 1), at(n - leftOut)] }
}

/** CPU time of all threads of this process but the main one so far, in nanoseconds; NaN where the system does not tell (it is Linux that does). */
export function otherThreadsCpuNs() {
  try {
    const [mainNs] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')
    const { user, system } = process.cpuUsage()
    return 1000 * (user + system) - Number(mainNs)
  } catch {
    return Number.NaN
  }
}

/** Microseconds of each of `count` calls. */
export function timed(count, run) {
  const took = new Float64Array(count)
  for (let i = 0; i < count; i++) {
    const started = process.hrtime.bigint()
    run(i)
    took[i] = Number(process.hrtime.bigint() - started) / 1000
  }
  return took
}

/** Bytes that are alive after a forced collection, and of the process; needs --expose-gc. */
export function bytesInUse() {
  globalThis.gc()
  globalThis.gc()
  const { heapUsed, arrayBuffers, rss } = process.memoryUsage()
  return { live: heapUsed + arrayBuffers, rss }
}

/** Registers callbacks so that the time in each is counted. */
export function shares(callbacks, monitor) {
  const spent = new Map()
  for (const callback of callbacks) {
    const { name } = callback.constructor
    spent.set(name, 0)
    monitor.registerCallback({
      name,
      ...(callback.phases ? { phases: callback.phases } : {}),
      onRegister: (handle) => callback.onRegister?.(handle),
      settle: (context) => callback.settle?.(context),
      close: () => callback.close?.(),
      onEvent(event, context) {
        const started = process.hrtime.bigint()
        callback.onEvent(event, context)
        spent.set(name, spent.get(name) + Number(process.hrtime.bigint() - started))
      },
    })
  }
  return {
    percentOf: (totalNs) =>
      Object.fromEntries([...spent].map(([name, ns]) => [name, Number(((100 * ns) / totalNs).toFixed(3))])),
  }
}
