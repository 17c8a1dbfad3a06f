/**
 * Numbers, times and lists as people read them, the same in every locale.
 *
 * @module
 */

/**
 * A number with four significant digits (from 1,000 up: rounded to an integer) and thousands separators, in scientific notation from a million up (integers: from
 * 10^15) and below a ten-thousandth; `NaN`, `Infinity` and `-Infinity` as such.
 */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value)
  const size = Math.abs(value)
  if (value === 0) return '0'
  if (Number.isInteger(value) && size < 1e15) return separated(String(value))
  if (size >= 1e6 || size < 1e-4)
    return value
      .toExponential(2)
      .replace(/\.?0+e/, 'e')
      .replace('e+', 'e')
  return separated(size >= 1000 ? value.toFixed(0) : trimmed(value.toPrecision(4)))
}

/** A number with its sign, for changes. */
export function formatChange(value: number): string {
  return value > 0 ? `+${formatNumber(value)}` : formatNumber(value)
}

/** A number with its unit; fractions as per cent, rewards (whose unit is the model's own) and pure numbers without one. */
export function formatQuantity(value: number, unit: string): string {
  if (unit === 'fraction' && Number.isFinite(value)) return `${formatNumber(Number((value * 100).toPrecision(3)))} %`
  return unit === '' || unit === 'fraction' || unit === 'reward'
    ? formatNumber(value)
    : `${formatNumber(value)} ${unit}`
}

/** A duration in the two largest units that matter: `0.4 s`, `12.3 s`, `4 min 05 s`, `1 h 04 min`, `2 d 03 h`. */
export function formatDuration(ms: number): string {
  if (!Number.isFinite(ms) || ms < 0) return 'unknown'
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  const pad = (value: number): string => String(value).padStart(2, '0')
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${pad(seconds % 60)} s`
  const minutes = Math.round(ms / 60_000)
  if (minutes < 1440) return `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} min`
  const hours = Math.round(ms / 3_600_000)
  return `${separated(String(Math.floor(hours / 24)))} d ${pad(hours % 24)} h`
}

/** `2026-01-05 14:03:22 UTC`. */
export function formatTime(unixSeconds: number): string {
  const ms = unixSeconds * 1000
  if (!(Math.abs(ms) <= 8.64e15)) return 'unknown'
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`
}

/** `1 iteration`, `2 iterations`. */
export function plural(count: number, noun: string, nouns = `${noun}s`): string {
  return `${formatNumber(count)} ${count === 1 ? noun : nouns}`
}

/** `a`, `a and b`, `a, b and c`; beyond `limit`, `a, b and 7 more`. */
export function listed(items: readonly string[], limit = 8): string {
  const shown = items.length > limit ? [...items.slice(0, limit), `${formatNumber(items.length - limit)} more`] : items
  if (shown.length < 2) return shown.join('')
  return `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`
}

function separated(digits: string): string {
  const [whole = '', fraction] = digits.split('.')
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',')
  return fraction === undefined ? grouped : `${grouped}.${fraction}`
}

function trimmed(digits: string): string {
  return digits.includes('.') ? digits.replace(/\.?0+$/, '') : digits
}
