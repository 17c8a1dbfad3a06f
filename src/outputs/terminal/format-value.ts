/**
 * Numbers and times in as few columns as they need; the report's wider forms are in `../report/format.ts`.
 *
 * @module
 */
import type { Glyphs } from './glyphs.ts'

/**
 * A number in at most nine columns (but for exponents of three digits): three significant digits below 1, two decimals below
 * 100, one below 1,000, integers below a million, scientific beyond that and below a thousandth; `NaN` and `∞` as such.
 */
export function formatValue(value: number, glyphs: Glyphs): string {
  if (Number.isNaN(value)) return 'NaN'
  const size = Math.abs(value)
  const sign = value < 0 ? '-' : ''
  if (size === Number.POSITIVE_INFINITY) return sign + glyphs.infinity
  if (size === 0) return '0'
  // 0.9996 would be written 1.000: what rounds up to the next range is written as that range does.
  if (size < 0.9995e-3 || size >= 999_999.5) return sign + scientific(size)
  if (size < 0.9995) return sign + size.toFixed(2 - Math.floor(Math.log10(size * 1.0005)))
  if (size < 99.995) return sign + size.toFixed(2)
  if (size < 999.95) return sign + size.toFixed(1)
  return sign + size.toFixed(0).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** {@link formatValue} in the unit of its series: fractions as per cent. */
export function formatInUnit(value: number, unit: string, glyphs: Glyphs): string {
  if (unit !== 'fraction' || !Number.isFinite(value)) return formatValue(value, glyphs)
  const percent = value * 100
  return Math.abs(percent) < 9999.95 ? `${percent.toFixed(1)} %` : `${formatValue(percent, glyphs)} %`
}

/** The unit beside a number of {@link formatInUnit}: none for per cent, rewards (a unit of their own model) and pure numbers. */
export function unitLabel(unit: string): string {
  return unit === 'fraction' || unit === 'reward' ? '' : unit
}

/** A duration in its two largest units: `0.4s`, `42s`, `3m05s`, `2h07m`, `3d04h`; a dash where unknown. */
export function formatElapsed(ms: number | null): string {
  if (ms === null || !Number.isFinite(ms) || ms < 0) return '-'
  if (ms < 9_950) return `${(ms / 1000).toFixed(1)}s`
  const two = (value: number): string => String(value).padStart(2, '0')
  const seconds = Math.round(ms / 1000)
  if (seconds < 60) return `${seconds}s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m${two(seconds % 60)}s`
  const minutes = Math.round(ms / 60_000)
  if (minutes < 1440) return `${Math.floor(minutes / 60)}h${two(minutes % 60)}m`
  const hours = Math.round(ms / 3_600_000)
  const days = Math.floor(hours / 24)
  return days > 9999 ? '>9999d' : `${days}d${two(hours % 24)}h`
}

/** How fast iterations go: `1.4 it/s`, or `12s/it` where they are slow. */
export function formatPace(msPerIteration: number | null, glyphs: Glyphs): string {
  if (msPerIteration === null || !(msPerIteration > 0)) return '-'
  if (msPerIteration > 2000) return `${formatElapsed(msPerIteration)}/it`
  const rate = 1000 / msPerIteration
  return `${rate < 99.95 ? rate.toFixed(1) : formatValue(rate, glyphs)} it/s`
}

function scientific(size: number): string {
  return size
    .toExponential(2)
    .replace(/\.?0+e/, 'e')
    .replace('e+', 'e')
}
