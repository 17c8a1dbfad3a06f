import { basename, dirname, extname } from 'node:path'
import { TelltaleError } from '../errors.ts'
import { createProgress } from '../outputs/terminal/progress.ts'
import type { RunStore, StoredRun } from '../stores/store.ts'
import { plainText } from '../text/plain-text.ts'

/** Draws the curves of runs into a file, PNG or SVG by the end of its name. @throws TelltaleError `bad-option`, `bad-usage`, `not-writable`. */
export async function drawComparison(
  store: RunStore,
  runs: readonly StoredRun[],
  file: string,
  how: { readonly series: readonly string[]; readonly width: number },
) {
  const ending = extname(file).toLowerCase()
  if (ending !== '.png' && ending !== '.svg')
    throw new TelltaleError(
      'bad-option',
      `--png is ${JSON.stringify(plainText(file, 200))}; expected a name that ends in .png or .svg`,
    )
  const { comparePlot } = await import('../lookback/compare-plot.ts')
  const { renderPng, renderSvg } = await import('../outputs/plots/render.ts')
  const { writeAtomically } = await import('../outputs/write-atomically.ts')
  const progress = drawingProgress()
  try {
    const { onSeries } = progress
    const { drawing, series, left } = comparePlot(store, runs, { series: how.series, widthInches: how.width, onSeries })
    const svg = renderSvg(drawing)
    writeAtomically(dirname(file), basename(file), ending === '.svg' ? svg : await renderPng(svg))
    progress.done()
    return { file, series, left }
  } finally {
    progress.close()
  }
}

/** Values that take more than a moment to read. */
const MANY_VALUES = 1_000_000

/** How far the drawing of long runs is, on a terminal. */
function drawingProgress() {
  const progress = createProgress({ stream: process.stderr })
  let isOpen = false
  return {
    onSeries(done: number, all: number, values: number): void {
      if (!process.stderr.isTTY || values < MANY_VALUES) return
      if (!isOpen) progress.start('Reading the curves', all)
      isOpen = true
      progress.update(done)
    },
    done: () => (isOpen ? progress.done() : undefined),
    close: () => progress.close(),
  }
}
