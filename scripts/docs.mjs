// Makes the documents that are made from data: docs/seed-map.md.
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { seedMapMarkdown } from './seed-map.mjs'

const docs = join(dirname(fileURLToPath(import.meta.url)), '..', 'docs')
writeFileSync(join(docs, 'seed-map.md'), seedMapMarkdown())
console.log('docs/seed-map.md')
