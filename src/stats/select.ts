/**
 * The value that would stand at `k` if `values[from..to]` were sorted (Hoare's quickselect). It rearranges them so that it
 * does stand there, smaller ones before it and larger ones behind it. Values must be finite; `from <= k <= to`.
 */
export function selectNth(values: Float64Array, k: number, from = 0, to = values.length - 1): number {
  let left = from
  let right = to
  while (right > left) {
    const pivot = middleOf(values[left]!, values[(left + right) >> 1]!, values[right]!)
    let i = left
    let j = right
    while (i <= j) {
      while (values[i]! < pivot) i++
      while (values[j]! > pivot) j--
      if (i > j) break
      const swapped = values[i]!
      values[i] = values[j]!
      values[j] = swapped
      i++
      j--
    }
    if (k <= j) right = j
    else if (k >= i) left = i
    else break
  }
  return values[k]!
}

function middleOf(a: number, b: number, c: number): number {
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c))
}
