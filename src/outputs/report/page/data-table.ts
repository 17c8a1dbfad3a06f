/**
 * The values of a panel as a table, for who cannot see the chart or wants the numbers. Built when it is opened.
 *
 * @module
 */
import type { SeriesPanel } from '../../plots/panel.ts'
import { plotCount } from '../../plots/plot-text.ts'
import { element } from './element.ts'
import { bucketAt, bucketWords, panelLines } from './read-out.ts'

/** A `details` element with the table. */
export function createDataTable(panel: SeriesPanel): HTMLElement {
  const details = element('details', 'values', [element('summary', '', `Values of ${panel.series.title} as a table`)])
  details.addEventListener('toggle', () => {
    if (!details.open || details.childElementCount > 1) return
    const lines = panelLines(panel)
    const [main] = lines
    if (!main) return
    const head = ['Iteration', ...lines.map(({ label }) => label)].map((text) => {
      const cell = element('th', '', text)
      cell.scope = 'col'
      return cell
    })
    const rows = main.buckets.map((bucket) => {
      const { iteration, lastIteration } = bucket
      const first = plotCount(iteration)
      const name = lastIteration > iteration ? `${first} to ${plotCount(lastIteration)}` : first
      const cells = lines.map(({ buckets, unit }) => {
        const here = bucketAt(buckets, iteration)
        return element('td', '', here ? bucketWords(here, unit) : '–')
      })
      const header = element('th', '', name)
      header.scope = 'row'
      return element('tr', '', [header, ...cells])
    })
    const table = element('table', '', [element('thead', '', [element('tr', '', head)]), element('tbody', '', rows)])
    const scroll = element('div', 'scroll', [table])
    scroll.tabIndex = 0
    scroll.setAttribute('role', 'region')
    scroll.setAttribute('aria-label', `Values of ${panel.series.title}`)
    details.append(scroll)
  })
  return details
}
