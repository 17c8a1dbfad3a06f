// Makes the documents that are made from data.
//   npm run docs                   docs/seed-map.md, docs/configuration.md with telltale.config.schema.json (from dist/), docs/benchmarks.md from the
//                                  kept results, and the API reference in build/api
//   npm run docs -- seed-map       one of them
//   npm run docs -- scenarios      docs/scenarios.md with its pictures; trains what has not been recorded in build/scenarios
import { rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

const PARTS = {
  async 'seed-map'() {
    const { seedMapMarkdown } = await import('./seed-map.mjs')
    writeFileSync(join(root, 'docs', 'seed-map.md'), seedMapMarkdown())
    console.log('docs/seed-map.md')
  },
  async configuration() {
    const { configurationMarkdown } = await import('./configuration.mjs')
    const { configJsonSchema } = await import('../dist/config/schema.js')
    const schema = configJsonSchema()
    writeFileSync(join(root, 'docs', 'configuration.md'), configurationMarkdown(schema))
    writeFileSync(join(root, 'telltale.config.schema.json'), `${JSON.stringify(schema, null, 2)}\n`)
    console.log('docs/configuration.md\ntelltale.config.schema.json')
  },
  async benchmarks() {
    const { benchmarksMarkdown } = await import('../bench/markdown.mjs')
    writeFileSync(join(root, 'docs', 'benchmarks.md'), benchmarksMarkdown())
    console.log('docs/benchmarks.md')
  },
  async api() {
    const { readProject } = await import('./api/project.mjs')
    const { app, project } = await readProject()
    const folder = join(root, 'build', 'api')
    rmSync(folder, { recursive: true, force: true })
    await app.generateDocs(project, folder)
    console.log('build/api/index.html')
  },
  async scenarios() {
    const { writeScenarios } = await import('./scenarios/write.mjs')
    for (const file of await writeScenarios(root, console.log)) console.log(file)
  },
}

const wanted = process.argv.slice(2)
const unknown = wanted.filter((part) => !Object.hasOwn(PARTS, part))
if (unknown.length > 0) {
  console.error(`unknown part ${unknown.join(', ')}; there are ${Object.keys(PARTS).join(', ')}`)
  process.exit(2)
}
for (const part of wanted.length > 0 ? wanted : ['seed-map', 'configuration', 'benchmarks', 'api']) await PARTS[part]()
