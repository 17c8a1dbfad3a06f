/** The metrics of an event line as numbers; entries that are none are left out and counted. */
export function decodeMetrics(metrics: Readonly<Record<string, unknown>> | undefined): {
  readonly metrics: Record<string, number>
  readonly rejected: number
} {
  const decoded: Record<string, number> = Object.create(null)
  let rejected = 0
  for (const name of Object.keys(metrics ?? {})) {
    const value = metrics![name]
    if (typeof value === 'number') decoded[name] = value
    else if (value === 'NaN' || value === 'Infinity' || value === '-Infinity') decoded[name] = Number(value)
    else rejected++
  }
  return { metrics: decoded, rejected }
}
