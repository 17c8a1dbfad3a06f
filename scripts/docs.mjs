// Makes the documents that are made from data: docs/seed-map.md, and docs/benchmarks.md from the kept results.
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { benchmarksMarkdown } from '../bench/markdown.mjs'
import { seedMapMarkdown } from './seed-map.mjs'

const docs = join(dirname(fileURLToPath(import.meta.url)), '..', 'docs')
writeFileSync(join(docs, 'seed-map.md'), seedMapMarkdown())
writeFileSync(join(docs, 'benchmarks.md'), benchmarksMarkdown())
console.log('docs/seed-map.md\ndocs/benchmarks.md')
