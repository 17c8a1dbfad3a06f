import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Project, readProject } from '../scripts/api/project.mjs'
import { type PublicItem, publicItems } from '../scripts/api/public-items.mjs'
import * as telltale from '../src/index.ts'
import * as plots from '../src/outputs/plots/index.ts'
import * as testing from '../src/testing/index.ts'
import * as trainer from '../src/trainer/index.ts'

const ENTRIES = {
  telltale,
  'telltale/trainer': trainer,
  'telltale/plots': plots,
  'telltale/testing': testing,
}

let read: { readonly project: Project; readonly app: { generateDocs(project: Project, folder: string): Promise<void> } }
let items: readonly PublicItem[]

beforeAll(async () => {
  // Throws where a comment names a parameter that does not exist, or an export mentions a type that nobody can import.
  read = await readProject()
  items = publicItems(read.project)
})

const names = (some: readonly PublicItem[]) => some.map(({ entry, name, kind }) => `${kind} ${name} (${entry})`)

describe('every public item', () => {
  it('is looked at', () => {
    for (const [entry, exports] of Object.entries(ENTRIES)) {
      const found = new Set(items.filter((item) => item.entry === entry).map(({ name }) => name))
      expect([...Object.keys(exports)].filter((name) => !found.has(name))).toEqual([])
    }
    // A class, an interface, an object type and a getter, so that none of these kinds is overlooked.
    const all = items.map(({ name }) => name)
    expect(all).toEqual(expect.arrayContaining(['RLAIFTrainer.train', 'Evidence.onset', 'Model.config']))
    expect(all).toContain('SampleComparator.baselineSamples')
  })

  it('has a docstring', () => {
    const documented = items.filter((item) => item.documented)
    console.info(`documented: ${documented.length} of ${items.length} public items`)
    expect(names(items.filter((item) => !item.documented))).toEqual([])
  })

  it('that is a class or a function has an example, which prints what test/examples.test.ts checks', () => {
    const callable = items.filter(({ kind }) => kind === 'Class' || kind === 'Function')
    const shown = callable.filter(({ example }) =>
      /^```ts\n[\s\S]*console\.log\([\s\S]*?\) \/\/ \S[\s\S]*```$/.test(example ?? ''),
    )
    console.info(`with an example: ${shown.length} of ${callable.length} classes and functions`)
    expect(names(callable.filter((item) => !shown.includes(item)))).toEqual([])
  })
})

describe('the API reference', () => {
  it('is made of them', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'telltale-api-'))
    try {
      await read.app.generateDocs(read.project, folder)
      expect(readFileSync(join(folder, 'modules', 'telltale_trainer.html'), 'utf8')).toContain('RLAIFTrainer')
      expect(readFileSync(join(folder, 'classes', 'telltale.TrainingMonitor.html'), 'utf8')).toContain(
        'shouldStopEarly',
      )
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
