/**
 * The legend of a panel: each entry that stands for something drawn is a switch.
 *
 * @module
 */
import type { LegendItem } from '../../plots/legend.ts'
import { onGround } from './colours.ts'
import { element } from './element.ts'

/** Builds it once; `recolour` fits the swatches to the page's ground. */
export function createLegend(
  items: readonly LegendItem[],
  toggle: (part: string, shown: boolean) => void,
): { readonly element: HTMLElement; recolour(dark: boolean): void } {
  const swatches: { readonly swatch: HTMLElement; readonly colour: string }[] = []
  const entries = items.map((item) => {
    const parts: Node[] = []
    if (item.swatch !== 'none') {
      const swatch = element('span', `swatch ${item.swatch}`)
      swatch.style.opacity = String(Math.max(item.opacity ?? 1, 0.35))
      swatches.push({ swatch, colour: item.colour })
      parts.push(swatch)
    }
    parts.push(element('span', '', item.text))
    const { part } = item
    if (part === undefined) return element('li', 'note', parts)
    const button = element('button', '', parts)
    button.type = 'button'
    button.setAttribute('aria-pressed', 'true')
    button.title = 'show or hide'
    button.addEventListener('click', () => {
      const shown = button.getAttribute('aria-pressed') !== 'true'
      button.setAttribute('aria-pressed', String(shown))
      toggle(part, shown)
    })
    return element('li', '', [button])
  })
  return {
    element: element('ul', 'legend', entries),
    recolour(dark) {
      for (const { swatch, colour } of swatches) swatch.style.color = onGround(colour, dark)
    },
  }
}
