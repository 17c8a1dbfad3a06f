import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import * as telltale from '../src/index.ts'
import * as plots from '../src/outputs/plots/index.ts'
import * as testing from '../src/testing/index.ts'
import * as trainer from '../src/trainer/index.ts'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const packageJson = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  version: string
  scripts: Record<string, string>
  exports: Record<string, unknown>
}

describe('the public surface', () => {
  it('is what it was; a change here is a change for users', async () => {
    const names = Object.fromEntries(
      Object.entries({ telltale, trainer, plots, testing }).map(([entry, module]) => [
        entry,
        Object.keys(module).toSorted(),
      ]),
    )
    await expect(`${JSON.stringify(names, null, 2)}\n`).toMatchFileSnapshot('golden/public-surface.json')
  })

  it('has the entries and scripts that the documents name', () => {
    expect(Object.keys(packageJson.exports)).toEqual(['.', './trainer', './plots', './testing', './package.json'])
    for (const script of ['dev', 'build', 'test', 'test:all', 'lint', 'bench', 'docs', 'demo', 'demo:pretrain'])
      expect(packageJson.scripts).toHaveProperty(script)
  })

  it('knows its version', () => expect(telltale.TELLTALE_VERSION).toBe(packageJson.version))
})

describe('importing telltale', () => {
  it('loads no package at all, and none with machine code', () => {
    // Asked of a bare Node process on the built package: which files the loader opened.
    const script = `
      import { register } from 'node:module'
      await import(process.argv[1])
      const loaded = process.report.getReport().sharedObjects.filter((path) => path.includes('node_modules'))
      console.log(JSON.stringify(loaded))`
    const loaded = execFileSync(
      process.execPath,
      ['--input-type=module', '-e', script, join(root, 'dist', 'index.js')],
      { encoding: 'utf8' },
    )
    expect(JSON.parse(loaded)).toEqual([])
    const reachable = staticImports(join(root, 'src', 'index.ts'))
    expect(reachable.size).toBeGreaterThan(20)
    expect([...reachable].filter((name) => /^(?!node:|\/)/.test(name))).toEqual([])
  })
})

/** Every package that a file imports statically, itself or through ours. */
function staticImports(entry: string): Set<string> {
  const packages = new Set<string>()
  const seen = new Set<string>()
  const visit = (file: string): void => {
    if (seen.has(file)) return
    seen.add(file)
    packages.add(file)
    const text = readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\//g, '')
    for (const [, typeOnly, target] of text.matchAll(
      /(?:^|\n)\s*(?:import|export)\s+(type\s+)?(?:[^'"`;]*?\sfrom\s+)?'([^']+)'/g,
    )) {
      if (typeOnly) continue
      if (target!.startsWith('.')) visit(join(dirname(file), target!))
      else packages.add(target!)
    }
  }
  visit(entry)
  return packages
}
