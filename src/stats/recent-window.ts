/** The newest pairs of iteration and value, in order, with a state that can be saved. */
export interface RecentWindow {
  readonly length: number
  push(iteration: number, value: number): void
  iterations(): readonly number[]
  values(): readonly number[]
  clear(): void
  snapshot(): { readonly iterations: readonly number[]; readonly values: readonly number[] }
  restore(state: { readonly iterations: readonly number[]; readonly values: readonly number[] }): void
}

/**
 * A window over the newest `size` finite values; non-finite ones are left out, so that one NaN does not hide a trend.
 */
export function recentWindow(size: number): RecentWindow {
  let iterations: number[] = []
  let values: number[] = []
  return {
    get length() {
      return values.length
    },
    push(iteration, value) {
      if (!Number.isFinite(value)) return
      iterations.push(iteration)
      values.push(value)
      if (values.length > size) {
        iterations.shift()
        values.shift()
      }
    },
    iterations: () => iterations,
    values: () => values,
    clear() {
      iterations = []
      values = []
    },
    snapshot: () => ({ iterations: [...iterations], values: [...values] }),
    restore(state) {
      iterations = [...state.iterations]
      values = [...state.values]
    },
  }
}
