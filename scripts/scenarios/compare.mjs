// A run beside the healthy one: ends of its series, and where each has parted from it.

/** Iterations that are averaged at either end. */
export const ENDS = 10
/** Iterations that are averaged to say whether two runs have parted. */
const WINDOW = 10
/** Standard errors that count as parted, and how many means in a row must differ by so many. */
const ERRORS = 5
const IN_A_ROW = 5

/** Values of a series, one an iteration. */
export function values(store, name) {
  const series = store.get(name)
  if (!series) throw new Error(`${name} was not logged`)
  return [...series.values()]
}

/** First value, mean of the first ten, of the last ten, and the largest and smallest mean of ten with its last iteration. */
export function ends(store, name) {
  const all = values(store, name)
  const tens = all.slice(ENDS - 1).map((_, i) => mean(all.slice(i, i + ENDS)))
  const at = (pick) => {
    const value = tens.reduce((a, b) => pick(a, b))
    return { value, iteration: tens.indexOf(value) + ENDS - 1 }
  }
  return { start: all[0], first: tens[0], last: tens.at(-1), highest: at(Math.max), lowest: at(Math.min) }
}

/**
 * The iteration at which a series parts from the healthy run's: from there on the mean of ten iterations differs, five times
 * in a row, by more than five standard errors. The error is that of the healthy run's own noise, from the differences between
 * neighbouring iterations. Null where they never part.
 */
export function partsAt(store, healthy, name) {
  const one = values(store, name)
  const other = values(healthy, name)
  const steps = other.slice(1).map((value, i) => value - other[i])
  const noise = Math.sqrt(mean(steps.map((step) => step * step)) / 2)
  const error = noise * Math.sqrt(2 / WINDOW)
  let row = 0
  for (let i = WINDOW - 1; i < Math.min(one.length, other.length); i++) {
    const range = [i - WINDOW + 1, i + 1]
    const apart = Math.abs(mean(one.slice(...range)) - mean(other.slice(...range)))
    row = apart > ERRORS * error ? row + 1 : 0
    // The first iteration of the first of these means.
    if (row === IN_A_ROW) return i - (IN_A_ROW - 1) - (WINDOW - 1)
  }
  return null
}

function mean(numbers) {
  return numbers.reduce((a, b) => a + b, 0) / numbers.length
}
