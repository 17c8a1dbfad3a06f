import type { AlertView } from './display-state.ts'
import type { Glyphs } from './glyphs.ts'
import { alertBlock } from './panel-alerts.ts'
import { type Line, span } from './spans.ts'

/** Alerts printed for one event; a storm is summed up. */
const MAX_AT_ONCE = 5

/** New alerts as lines that stay, the oldest first. */
export function permanentAlerts(alerts: readonly AlertView[], width: number, glyphs: Glyphs): Line[] {
  const shown = alerts.slice(-MAX_AT_ONCE)
  const left = alerts.length - shown.length
  const storm: Line[] = left > 0 ? [[span(`${left} earlier alerts are in the report`, 'dim')]] : []
  return [...storm, ...shown.flatMap((alert) => alertBlock(alert, width, glyphs, { reason: 3, advice: 2 }))]
}
