import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { benchmarksMarkdown, savedResults } from '../bench/markdown.mjs'
import { sideBySideMarkdown } from '../bench/side-by-side.mjs'

it('docs/benchmarks.md is what the kept results make', () => {
  expect(readFileSync(new URL('../docs/benchmarks.md', import.meta.url), 'utf8')).toBe(benchmarksMarkdown())
})

it('docs/side-by-side.md is what the kept results make', () => {
  const { rivals } = savedResults()
  expect(readFileSync(new URL('../docs/side-by-side.md', import.meta.url), 'utf8')).toBe(sideBySideMarkdown(rivals))
})

it('docs/side-by-side.md names the one who is better, whoever it is', () => {
  const { rivals } = structuredClone(savedResults())
  const ours = rivals.bench.tools['Telltale, Python']!
  const theirs = rivals.bench.tools.trackio!
  rivals.bench.tools = { 'Telltale, Python': ours, trackio: theirs }
  ours['bytes a number'] = 10
  theirs['bytes a number'] = 20
  expect(sideBySideMarkdown(rivals)).toContain('disk: **Telltale is better**')
  theirs['bytes a number'] = 5
  expect(sideBySideMarkdown(rivals)).toContain('disk: **trackio is better**')
  theirs['bytes a number'] = 10
  expect(sideBySideMarkdown(rivals)).toContain('disk: **the same**')
})
