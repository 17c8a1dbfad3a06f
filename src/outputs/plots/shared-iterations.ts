import { type Extent, extentOf, iterationRange } from './axis-range.ts'
import type { SharedAxis } from './draw-panel.ts'
import type { FigureRow } from './panel.ts'
import type { PlotMarks } from './plot-marks.ts'

/**
 * All panels of a figure show the same iterations, so that eyes can go from one to the next. Checkpoints and a roll-back
 * outside of them are not drawn.
 */
export function sharedIterations(rows: readonly FigureRow[], marks: PlotMarks): SharedAxis {
  const seen = [...marks.alerts.map(({ iteration }) => iteration), ...(marks.stop ? [marks.stop.iteration] : [])]
  for (const { panels } of rows) {
    for (const { panel } of panels) {
      if (panel.kind !== 'series') continue
      const attempts = panel.series.superseded.map(({ buckets }) => buckets)
      for (const buckets of [panel.series.buckets, panel.beside?.series.buckets ?? [], ...attempts]) {
        const last = buckets[buckets.length - 1]
        if (last) seen.push(buckets[0]!.iteration, last.lastIteration)
      }
    }
  }
  const iterations = iterationRange(seen)
  return { iterations, ticksWithin: extentOf(seen), marks: marksWithin(marks, iterations) }
}

/** The marks that lie on an axis. */
export function marksWithin(marks: PlotMarks, { min, max }: Extent): PlotMarks {
  const inside = (iteration: number) => iteration >= min && iteration <= max
  const { rollbackTo } = marks
  return {
    ...marks,
    alerts: marks.alerts.filter(({ iteration }) => inside(iteration)),
    stop: marks.stop && inside(marks.stop.iteration) ? marks.stop : null,
    checkpoints: marks.checkpoints.filter(inside),
    rollbackTo: typeof rollbackTo === 'number' && inside(rollbackTo) ? rollbackTo : null,
  }
}
