/** docs/benchmarks.md as bench/results.json makes it. */
export function benchmarksMarkdown(): string
