/**
 * Labels of vertical lines in the strip above a panel: none overlaps another, nor is crossed by another's leader.
 *
 * @module
 */
import { ROLL_BACK, SEVERITY_TEXT, STOP } from './palette.ts'
import type { PlotMarks } from './plot-marks.ts'
import { plotCount, plotText, textWidth } from './plot-text.ts'

export const LABEL_SIZE = 12
/** Free space at either side of a label. */
const GAP = 5
/** Lines closer than this are one to the eye. */
export const SAME_PLACE = 5

/** A label that wants a place. */
export interface MarkLabel {
  readonly iteration: number
  readonly text: string
  readonly colour: string
  /** Lower comes first. */
  readonly priority: number
  /** The stop or the roll-back, not an alert. */
  readonly event: boolean
}

/** A label with its place: the middle of its text, and its row above the panel (0 is the lowest). */
export interface PlacedLabel extends MarkLabel {
  readonly x: number
  readonly middle: number
  readonly row: number
}

const SEVERITY_ORDER = ['info', 'warning', 'critical'] as const
/** More words than these help nobody; the alerts have a panel of their own. */
const MAX_LABELS = 14

/** What the marks of a run ask for: one label a stop, a roll-back and a series of alerts of one kind. */
export function markLabels(marks: PlotMarks): MarkLabel[] {
  const labels: MarkLabel[] = []
  if (marks.stop) {
    const text = `stopped at ${plotCount(marks.stop.iteration)}`
    labels.push({ iteration: marks.stop.iteration, text, colour: STOP, priority: 0, event: true })
  }
  if (typeof marks.rollbackTo === 'number') {
    const text = `roll back to ${plotCount(marks.rollbackTo)}`
    labels.push({ iteration: marks.rollbackTo, text, colour: ROLL_BACK, priority: 1, event: true })
  }
  const groups: { iteration: number; kind: string; count: number; severity: number }[] = []
  for (const { iteration, kind, severity } of [...marks.alerts].sort((a, b) => a.iteration - b.iteration)) {
    const last = groups[groups.length - 1]
    const level = Math.max(0, SEVERITY_ORDER.indexOf(severity))
    if (last?.kind === kind) {
      last.count++
      last.severity = Math.max(last.severity, level)
    } else groups.push({ iteration, kind, count: 1, severity: level })
  }
  for (const { iteration, kind, count, severity } of groups) {
    const name = plotText(kind, 28)
    labels.push({
      iteration,
      text: count > 1 ? `${name} ×${count}` : name,
      colour: SEVERITY_TEXT[SEVERITY_ORDER[severity]!],
      priority: [4, 3, 2][severity]!,
      event: false,
    })
  }
  return labels.sort((a, b) => a.priority - b.priority || a.iteration - b.iteration).slice(0, MAX_LABELS)
}

/**
 * Gives each label a place between `left` and `right`. Where not all fit, the important ones do: several orders of placing
 * them are tried, and the best result counts.
 */
export function placeLabels(
  labels: readonly MarkLabel[],
  toX: (iteration: number) => number,
  left: number,
  right: number,
  maxRows: number,
): PlacedLabel[] {
  const ascending = (some: readonly MarkLabel[]) => [...some].sort((a, b) => a.iteration - b.iteration)
  const upTo = (priority: number) => labels.filter((label) => label.priority <= priority)
  const orders = [labels, ascending(labels), ascending(labels).reverse(), ...[1, 2, 3].map((p) => ascending(upTo(p)))]
  let best: PlacedLabel[] = []
  for (const order of orders) {
    for (const lean of [0, -1, 1] as const) {
      const placed = placeInOrder(order, toX, left, right, maxRows, lean)
      if (worth(placed) > worth(best)) best = placed
    }
  }
  return best
}

/** A label of one priority is worth more than all of the next; fewer rows decide between equals. */
function worth(placed: readonly PlacedLabel[]): number {
  return placed.reduce((sum, { priority, row }) => sum + MAX_LABELS ** (5 - priority) - row * 0.01, 0)
}

/** @param lean which place of a label is tried first: left of its line (-1), over it (0) or right of it (1). */
function placeInOrder(
  labels: readonly MarkLabel[],
  toX: (iteration: number) => number,
  left: number,
  right: number,
  maxRows: number,
  lean: -1 | 0 | 1,
): PlacedLabel[] {
  const placed: (PlacedLabel & { readonly from: number; readonly to: number })[] = []
  const shifts = [0, -1, 1].sort((a, b) => Math.abs(a - lean) - Math.abs(b - lean))
  for (const label of labels) {
    const width = textWidth(label.text, LABEL_SIZE)
    const x = toX(label.iteration)
    if (width > right - left) continue
    const middles = shifts.map((shift) =>
      Math.min(Math.max(x + shift * (width / 2 - 2), left + width / 2), right - width / 2),
    )
    search: for (let row = 0; row < maxRows; row++) {
      for (const middle of middles) {
        const from = middle - width / 2 - GAP
        const to = middle + width / 2 + GAP
        const free = placed.every((other) => {
          if (other.row === row) return to <= other.from || from >= other.to
          // Labels of one place share their leader.
          if (Math.abs(other.x - x) < SAME_PLACE) return true
          // The leader of a higher label passes through the rows below it.
          return other.row > row ? other.x < from || other.x > to : x < other.from || x > other.to
        })
        if (!free) continue
        placed.push({ ...label, x, middle, row, from, to })
        break search
      }
    }
  }
  return placed.map(({ from: _from, to: _to, ...label }) => label)
}
