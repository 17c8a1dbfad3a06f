/**
 * How many iterations a run has logged, where a trainer may log every tenth only and a resumed run does some of them again.
 *
 * @module
 */

/** Iterations at an even distance, as trainers log them. */
interface Stretch {
  readonly first: number
  readonly step: number
  readonly count: number
}

/** Stretches that are kept; of a run that logs without any rhythm the oldest are put together, which only a fall back into them would notice. */
const MAX_STRETCHES = 1000

/** Counts the closed iterations that are still in force, in memory that does not grow with the run. */
export class LoggedIterations {
  #stretches: Stretch[] = []
  #count = 0

  get count(): number {
    return this.#count
  }

  /** @param iteration larger than all that are counted. */
  add(iteration: number): void {
    this.#count++
    const last = this.#stretches.at(-1)
    if (last?.count === 1) this.#replaceLast({ ...last, step: iteration - last.first, count: 2 })
    else if (last && iteration === last.first + last.count * last.step)
      this.#replaceLast({ ...last, count: last.count + 1 })
    else this.#stretches.push({ first: iteration, step: 0, count: 1 })
    if (this.#stretches.length > MAX_STRETCHES) this.#joinOldest()
  }

  /** Iterations from this one on are done again. */
  fallBack(iteration: number): void {
    const kept = this.#stretches.filter(({ first }) => first < iteration)
    const last = kept.at(-1)
    if (last && last.count > 1)
      kept[kept.length - 1] = { ...last, count: Math.min(last.count, Math.ceil((iteration - last.first) / last.step)) }
    this.#stretches = kept
    this.#count = kept.reduce((sum, { count }) => sum + count, 0)
  }

  /** For {@link restore}. */
  save(): readonly Stretch[] {
    return [...this.#stretches]
  }

  restore(saved: readonly Stretch[]): void {
    this.#stretches = [...saved]
    this.#count = saved.reduce((sum, { count }) => sum + count, 0)
  }

  #replaceLast(stretch: Stretch): void {
    this.#stretches[this.#stretches.length - 1] = stretch
  }

  #joinOldest(): void {
    const [one, next] = this.#stretches as [Stretch, Stretch]
    const count = one.count + next.count
    const last = next.first + (next.count - 1) * next.step
    this.#stretches.splice(0, 2, { first: one.first, step: (last - one.first) / (count - 1), count })
  }
}
