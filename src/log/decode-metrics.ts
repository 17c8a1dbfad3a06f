/** The metrics of an event line as numbers, the very record where it has nothing else; entries that are none are left out and counted. */
export function decodeMetrics(metrics: Readonly<Record<string, unknown>> | undefined): {
  readonly metrics: Readonly<Record<string, number>>
  readonly rejected: number
} {
  if (metrics !== undefined && areNumbers(metrics)) return { metrics, rejected: 0 }
  const decoded: Record<string, number> = Object.create(null)
  let rejected = 0
  for (const name of Object.keys(metrics ?? {})) {
    const value = decodeNumber(metrics![name])
    if (value === null) rejected++
    else decoded[name] = value
  }
  return { metrics: decoded, rejected }
}

function areNumbers(record: Readonly<Record<string, unknown>>): record is Readonly<Record<string, number>> {
  for (const name in record) if (typeof record[name] !== 'number') return false
  return true
}

/** A number as it may stand in JSON, which has no NaN and no Infinity: they are texts there. Null for anything else. */
export function decodeNumber(value: unknown): number | null {
  if (typeof value === 'number') return value
  return value === 'NaN' || value === 'Infinity' || value === '-Infinity' ? Number(value) : null
}
