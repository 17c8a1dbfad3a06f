import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import { afterAll, describe, expect, it, vi } from 'vitest'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const build = join(root, 'build')
mkdirSync(build, { recursive: true })
// Inside the repository, so that the packages of the examples are found.
const dir = mkdtempSync(join(build, 'examples-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

interface Example {
  readonly name: string
  readonly code: string
}

function files(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    return entry.isDirectory()
      ? files(path)
      : /\.ts$/.test(entry.name) && !/\.(test|fixture)\.ts$/.test(entry.name)
        ? [path]
        : []
  })
}

/** Every \`\`\`ts block of a docstring's @example below src/, those of the documents, and the files of examples/. */
const examples: Example[] = files(join(root, 'src')).flatMap((path) => {
  const blocks = [...readFileSync(path, 'utf8').matchAll(/\* @example[\s\S]*?\* ```ts\n([\s\S]*?)\n\s*\* ```/g)]
  return blocks.map((block, i) => ({
    name: `${relative(root, path)}${i > 0 ? ` (${i + 1})` : ''}`,
    code: block[1]!.replace(/^\s*\* ?/gm, ''),
  }))
})
const guides = readdirSync(join(root, 'docs', 'guide')).map((name) => `docs/guide/${name}`)
for (const document of ['README.md', 'CONTRIBUTING.md', ...guides]) {
  const blocks = [...readFileSync(join(root, document), 'utf8').matchAll(/```(?:ts|js)\n([\s\S]*?)\n```/g)]
  examples.push(...blocks.map((block, i) => ({ name: `${document} (${i + 1})`, code: block[1]! })))
}

for (const name of readdirSync(join(root, 'examples')).filter((file) => file.endsWith('.ts'))) {
  examples.push({ name: `examples/${name}`, code: readFileSync(join(root, 'examples', name), 'utf8') })
}

const ENTRIES: Readonly<Record<string, string>> = {
  telltale: 'src/index.ts',
  'telltale/trainer': 'src/trainer/index.ts',
  'telltale/plots': 'src/outputs/plots/index.ts',
  'telltale/testing': 'src/testing/index.ts',
}

const written = examples.map(({ name, code }, i) => {
  const path = join(dir, `example-${i}.ts`)
  const resolved = code.replace(
    /from '(telltale(?:\/\w+)?)'/g,
    (_, entry: string) => `from '${relative(dir, join(root, ENTRIES[entry] ?? `unknown entry ${entry}`))}'`,
  )
  writeFileSync(path, `${resolved}\nexport {}\n`)
  return { name, code, path }
})

describe('the examples in docstrings and documents', () => {
  it('are there', () => expect(examples.length).toBeGreaterThan(15))

  it('compile', () => {
    const config = join(dir, 'tsconfig.json')
    writeFileSync(
      config,
      JSON.stringify({
        extends: join(root, 'tsconfig.check.json'),
        compilerOptions: { rootDir: root, noUnusedLocals: false },
        include: ['./*.ts'],
      }),
    )
    let problems = ''
    try {
      execFileSync(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', config], {
        encoding: 'utf8',
      })
    } catch (error) {
      problems = (error as { stdout: string }).stdout
    }
    expect(problems.replace(/example-(\d+)\.ts/g, (_, i: string) => written[Number(i)]!.name)).toBe('')
  })

  it.each(written)('$name runs and prints what it says', async ({ code, path }) => {
    const printed: string[] = []
    const log = vi
      .spyOn(console, 'log')
      .mockImplementation((...values: unknown[]) => void printed.push(values.map(show).join(' ')))
    const cwd = process.cwd()
    process.chdir(dir)
    try {
      await import(path)
    } finally {
      process.chdir(cwd)
      log.mockRestore()
    }
    const promised = [...code.matchAll(/console\.log\([\s\S]*?\)(?:\))? \/\/ (.*)$/gm)].map(([, text]) => text!)
    for (const text of promised) expect(printed.map((line) => line.replaceAll('"', "'"))).toContain(text)
  })
})

/** As Node prints it, on one line. */
function show(value: unknown): string {
  return typeof value === 'string' ? value : inspect(value, { breakLength: Number.POSITIVE_INFINITY })
}
