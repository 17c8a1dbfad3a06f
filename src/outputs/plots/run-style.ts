/**
 * How several runs are told apart in one panel: each has its colour, and a shape of its own for who sees no colours.
 *
 * @module
 */
import type { Shape } from './graphic.ts'
import { RUN_COLOURS } from './palette.ts'
import { plotText } from './plot-text.ts'

/** A run's colour and shape. */
export interface RunStyle {
  readonly colour: string
  readonly marker: Shape
}

const THIRD = 0.36

/** Shapes that differ by more than their size. */
const MARKERS: readonly Shape[] = [
  corners(16),
  [
    [-1, -1],
    [1, -1],
    [1, 1],
    [-1, 1],
  ],
  [
    [0, -1],
    [1, 1],
    [-1, 1],
  ],
  corners(4),
  [
    [-1, -1],
    [1, -1],
    [0, 1],
  ],
  [
    [-THIRD, -1],
    [THIRD, -1],
    [THIRD, -THIRD],
    [1, -THIRD],
    [1, THIRD],
    [THIRD, THIRD],
    [THIRD, 1],
    [-THIRD, 1],
    [-THIRD, THIRD],
    [-1, THIRD],
    [-1, -THIRD],
    [-THIRD, -THIRD],
  ],
  [
    [-1, -1],
    [1, -1],
    [0, 0],
    [1, 1],
    [-1, 1],
    [0, 0],
  ],
  star(4),
]

/** Runs that can be told apart in one figure. */
export const MAX_RUNS = RUN_COLOURS.length

/** Styles in the order of the runs. */
export const RUN_STYLES: readonly RunStyle[] = RUN_COLOURS.map((colour, i) => ({ colour, marker: MARKERS[i]! }))

/** A regular figure with a corner at the top. */
function corners(count: number): Shape {
  return Array.from({ length: count }, (_, i) => {
    const angle = (2 * Math.PI * i) / count
    return [Math.sin(angle), -Math.cos(angle)] as const
  })
}

/** Rays from a small middle. */
function star(rays: number): Shape {
  return corners(2 * rays).map(([x, y], i) => (i % 2 === 0 ? ([x, y] as const) : ([0.45 * x, 0.45 * y] as const)))
}

const MIN_TAIL = 6

/**
 * Names as a figure shows them: harmless, of at most `most` characters, and no two alike. The end of a long name stays: it is where names of one
 * sweep differ.
 */
export function runLabels(names: readonly string[], most: number): readonly string[] {
  const short = names.map((name, i) => cutInside(plotText(name, 2000) || `run ${i + 1}`, most))
  return short.map((name, i) => {
    const before = short.slice(0, i).filter((other) => other === name).length
    return before === 0 ? name : `${name} (${before + 1})`
  })
}

function cutInside(text: string, most: number): string {
  const characters = Array.from(text)
  if (characters.length <= most) return text
  const tail = Math.max(MIN_TAIL, Math.floor(most / 2) - 1)
  return `${characters.slice(0, most - tail - 1).join('')}…${characters.slice(-tail).join('')}`
}
