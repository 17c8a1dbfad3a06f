import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { SCENARIO_DEFINITIONS, SCENARIOS } from '../src/demo/scenarios.ts'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const documents = [
  'README.md',
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
]

describe('the documents', () => {
  it.each(documents)('%s links to what is there', (document) => {
    const broken = [...read(document).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)].flatMap(([, target]) => {
      const [path, anchor] = target!.split('#')
      const file = path ? normalize(join(dirname(document), path)) : document
      if (!existsSync(join(root, file))) return [target]
      return anchor === undefined || headings(file).includes(anchor) ? [] : [target]
    })
    expect(broken).toEqual([])
  })

  it('have an index with every guide', () => {
    const index = read('docs/README.md')
    for (const guide of readdirSync(join(root, 'docs', 'guide'))) expect(index).toContain(`(guide/${guide})`)
  })
})

/** Anchors of a document, as they are made from its headings. */
function headings(file: string): string[] {
  return [...read(file).matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\w\s-]/g, '')
      .replace(/\s/g, '-'),
  )
}

describe('docs/scenarios.md', () => {
  const text = read('docs/scenarios.md')
  const pictures = join(root, 'docs', 'images', 'scenarios')

  it.each(SCENARIOS)('tells of %s with the cause that the code has, and shows it', (scenario) => {
    const section = text.split(/^## /m).find((part) => part.startsWith(`${scenario}\n`))
    expect(section).toContain(`**Cause:** ${SCENARIO_DEFINITIONS[scenario].cause}.`)
    expect(section).toContain(`(images/scenarios/${scenario}.png)`)
    expect(text).toContain(`| [${scenario}](#${scenario}) | ${SCENARIO_DEFINITIONS[scenario].cause} |`)
    const png = readFileSync(join(pictures, `${scenario}.png`))
    expect(png.subarray(1, 4).toString()).toBe('PNG')
    expect(png.length).toBeLessThan(80_000)
  })

  it('leaves no number out and no picture behind', () => {
    expect(text).not.toMatch(/NaN|undefined|null/)
    const files = readdirSync(pictures)
    expect(files.toSorted()).toEqual(SCENARIOS.map((scenario) => `${scenario}.png`).toSorted())
  })
})
