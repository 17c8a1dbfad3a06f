/** docs/benchmarks.md as bench/results.json makes it. */
export function benchmarksMarkdown(): string
/** The newest result of each bench by its name. */
// biome-ignore lint/suspicious/noExplicitAny: figures have the shape that their bench gives them
export function savedResults(): any
