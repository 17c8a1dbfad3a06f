/** Code points of each text that are compared; matching is quadratic at worst, and a hostile answer may have megabytes. */
export const MAX_COMPARED_CODE_POINTS = 1000

/**
 * How alike two texts are: the ratio of Python's `difflib.SequenceMatcher(None, a, b, autojunk=False)`, 2 M / T with M the
 * matched and T all code points; 1 for equal texts, two empty ones included. Of longer texts the first 1,000 code points are compared.
 */
export function sequenceRatio(a: string, b: string): number {
  const [first, second] = [codePoints(a), codePoints(b)]
  return ratioOf(matchedItems(first, second), first.length + second.length)
}

/** difflib's ratio from matched and all items. */
export function ratioOf(matched: number, total: number): number {
  return total === 0 ? 1 : (2 * matched) / total
}

/** The code points of a text that are compared. */
export function codePoints(text: string): string[] {
  return Array.from(text.slice(0, 2 * MAX_COMPARED_CODE_POINTS)).slice(0, MAX_COMPARED_CODE_POINTS)
}

/**
 * Items in matching blocks, as difflib finds them (Ratcliff and Obershelp 1988): the longest common run, earliest in `a` and
 * then in `b`, and again to its left and right.
 */
export function matchedItems(a: readonly string[], b: readonly string[]): number {
  const positions = new Map<string, number[]>()
  b.forEach((item, j) => {
    const known = positions.get(item)
    if (known) known.push(j)
    else positions.set(item, [j])
  })
  const rows = [new Int32Array(b.length + 1), new Int32Array(b.length + 1)] as const
  let matched = 0
  const open: [number, number, number, number][] = [[0, a.length, 0, b.length]]
  for (let range = open.pop(); range; range = open.pop()) {
    const [aFrom, aTo, bFrom, bTo] = range
    const { i, j, size } = longestMatch(a, positions, rows, aFrom, aTo, bFrom, bTo)
    if (size === 0) continue
    matched += size
    if (aFrom < i && bFrom < j) open.push([aFrom, i, bFrom, j])
    if (i + size < aTo && j + size < bTo) open.push([i + size, aTo, j + size, bTo])
  }
  return matched
}

function longestMatch(
  a: readonly string[],
  positions: ReadonlyMap<string, readonly number[]>,
  rows: readonly [Int32Array, Int32Array],
  aFrom: number,
  aTo: number,
  bFrom: number,
  bTo: number,
): { i: number; j: number; size: number } {
  let best = { i: aFrom, j: bFrom, size: 0 }
  // rows[..][j + 1]: length of the common run that ends at j, for the previous and the current item of a.
  let [previous, current] = rows
  let touched: readonly number[] = []
  for (let i = aFrom; i < aTo; i++) {
    const at = positions.get(a[i]!) ?? NOWHERE
    for (const j of at) {
      if (j < bFrom) continue
      if (j >= bTo) break
      const size = previous[j]! + 1
      current[j + 1] = size
      if (size > best.size) best = { i: i - size + 1, j: j - size + 1, size }
    }
    for (const j of touched) previous[j + 1] = 0
    touched = at
    ;[previous, current] = [current, previous]
  }
  for (const j of touched) previous[j + 1] = 0
  return best
}

const NOWHERE: readonly number[] = []
