import type { RivalsResult } from './side-by-side.d.mts'

/** docs/benchmarks.md as bench/results.json makes it. */
export function benchmarksMarkdown(): string
/** The newest result of each bench by its name. */
export function savedResults(): { readonly rivals: RivalsResult }
