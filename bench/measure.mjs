/** Quantiles of durations, to two digits. */
export function quantiles(durations) {
  const sorted = [...durations].sort((a, b) => a - b)
  const at = (q) => Number(sorted[Math.floor(q * (sorted.length - 1))].toFixed(2))
  return { p50: at(0.5), p99: at(0.99), max: at(1) }
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
