import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { benchmarksMarkdown } from '../bench/markdown.mjs'

it('docs/benchmarks.md is what the kept results make', () => {
  expect(readFileSync(new URL('../docs/benchmarks.md', import.meta.url), 'utf8')).toBe(benchmarksMarkdown())
})
