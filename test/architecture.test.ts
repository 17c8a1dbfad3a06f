import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const src = join(dirname(fileURLToPath(import.meta.url)), '..', 'src')

interface Import {
  readonly from: string
  readonly to: string
  readonly typeOnly: boolean
}

function sourceFiles(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const path = join(dir, entry.name)
    if (entry.isDirectory()) return sourceFiles(path)
    return entry.name.endsWith('.ts') && !/\.(test|fixture)\.ts$/.test(entry.name) ? [path] : []
  })
}

const files = sourceFiles(src)
const texts = new Map(files.map((path) => [relative(src, path), withoutComments(readFileSync(path, 'utf8'))]))

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
}

function importsOf(file: string): Import[] {
  const found: Import[] = []
  const statement = /(?:^|\n)\s*(import|export)\s+(type\s+)?([^'"`;]*?)\sfrom\s+'([^']+)'|\bimport\(\s*'([^']+)'\s*\)/g
  for (const match of texts.get(file)!.matchAll(statement)) {
    const target = match[4] ?? match[5]!
    if (!target.startsWith('.')) continue
    const names = match[3] ?? ''
    const allTypes =
      /^\{/.test(names.trim()) &&
      names
        .replace(/[{}\s]/g, ' ')
        .split(',')
        .every((name) => /^\s*type\s/.test(name) || name.trim() === '')
    found.push({
      from: file,
      to: relative(src, join(src, dirname(file), target)),
      typeOnly: match[2] !== undefined || allTypes,
    })
  }
  return found
}

const imports = files.flatMap((path) => importsOf(relative(src, path)))

/** The part of the design that a file belongs to: its folder, or itself at the top. */
function partOf(file: string): string {
  const [top, second] = file.split('/')
  if (second === undefined) return file
  return top === 'outputs' || top === 'detectors' ? top : top!
}

/** What every part may use: our error class and injected time carry no meaning of their own. */
const FREE = new Set(['errors.ts', 'time.ts', 'verbosity.ts', 'version.ts', 'make-folder.ts', 'real-path.ts'])

/** Which parts a part may import by value, beside itself and what is free. Types may come from `typesFrom` too. */
const ALLOWED: Readonly<Record<string, { readonly values: readonly string[]; readonly types: readonly string[] }>> = {
  'errors.ts': { values: [], types: [] },
  'time.ts': { values: [], types: [] },
  'verbosity.ts': { values: [], types: [] },
  'version.ts': { values: [], types: [] },
  'signals.ts': { values: [], types: [] },
  'events.ts': { values: [], types: [] },
  stats: { values: [], types: [] },
  text: { values: [], types: [] },
  vocabulary: { values: ['events.ts'], types: [] },
  metrics: { values: ['stats', 'vocabulary'], types: [] },
  detectors: { values: ['events.ts', 'stats', 'vocabulary'], types: [] },
  'callbacks.ts': { values: ['events.ts'], types: ['detectors', 'metrics'] },
  'run-summary.ts': { values: [], types: ['detectors', 'events.ts', 'metrics'] },
  log: { values: ['events.ts', 'monitor.ts', 'text', 'vocabulary', 'version.ts'], types: ['run-summary.ts'] },
  'monitor.ts': {
    values: ['callbacks.ts', 'events.ts', 'log', 'metrics', 'signals.ts', 'vocabulary'],
    types: ['detectors', 'run-summary.ts'],
  },
  quality: { values: ['events.ts', 'stats', 'text'], types: ['callbacks.ts', 'metrics', 'vocabulary'] },
  decision: {
    values: ['detectors', 'events.ts', 'stats', 'text', 'vocabulary'],
    types: ['callbacks.ts', 'events.ts', 'run-summary.ts'],
  },
  // What files say, in the trainers' own words: nothing here knows a monitor or a detector.
  sources: { values: ['events.ts', 'log', 'sqlite', 'text', 'vocabulary'], types: [] },
  // The one part that knows the database's library.
  sqlite: { values: [], types: [] },
  check: {
    values: ['decision', 'events.ts', 'log', 'monitor.ts', 'quality', 'sources', 'text', 'vocabulary'],
    types: ['callbacks.ts', 'detectors'],
  },
  // Looks into runs that were recorded: it joins what checks, detects and reports, and nothing needs it.
  inspect: {
    values: ['check', 'detectors', 'outputs', 'quality', 'sources', 'stores', 'text', 'vocabulary'],
    types: ['decision', 'monitor.ts'],
  },
  // What is kept of runs; no detector, no file format.
  stores: {
    values: ['events.ts', 'log', 'sources', 'sqlite', 'text'],
    types: ['metrics', 'detectors', 'run-summary.ts'],
  },
  // Looks back at runs that are kept.
  lookback: {
    values: ['check', 'outputs', 'quality', 'sources', 'sqlite', 'stats', 'stores', 'text', 'vocabulary'],
    types: ['detectors'],
  },
  mcp: { values: ['lookback', 'outputs'], types: ['stores'] },
  // What a user has set down, for the verbs.
  config: { values: ['decision', 'detectors', 'outputs', 'text', 'vocabulary'], types: [] },
  // Follows runs and shows them: it joins sources, detectors and the terminal, and nothing needs it.
  watch: {
    values: ['events.ts', 'check', 'decision', 'log', 'outputs', 'sources', 'stores', 'text'],
    types: ['callbacks.ts', 'detectors', 'monitor.ts', 'vocabulary'],
  },
  outputs: {
    values: ['events.ts', 'text', 'vocabulary', 'stats'],
    types: ['callbacks.ts', 'detectors', 'metrics', 'quality', 'run-summary.ts'],
  },
  trainer: { values: ['events.ts', 'stats'], types: ['callbacks.ts'] },
}

describe('architecture', () => {
  it('finds the imports of every file', () => {
    expect(files.length).toBeGreaterThan(40)
    expect(imports.length).toBeGreaterThan(files.length)
    for (const { from, to } of imports) expect(texts.has(to), `${from} imports ${to}, which is not there`).toBe(true)
  })

  it.each(Object.keys(ALLOWED))('%s imports only what the design allows', (part) => {
    const rule = ALLOWED[part]!
    const wrong = imports
      .filter(({ from, to }) => partOf(from) === part && partOf(to) !== part && !FREE.has(to))
      .filter(({ to, typeOnly }) => !rule.values.includes(partOf(to)) && !(typeOnly && rule.types.includes(partOf(to))))
      .map(({ from, to, typeOnly }) => `${from} -> ${to}${typeOnly ? ' (types)' : ''}`)
    expect(wrong).toEqual([])
  })

  it('has no cycle of imports by value', () => {
    const edges = new Map<string, string[]>()
    for (const { from, to, typeOnly } of imports) if (!typeOnly) edges.set(from, [...(edges.get(from) ?? []), to])
    const done = new Set<string>()
    const cycles: string[] = []
    const visit = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) {
        cycles.push([...path.slice(path.indexOf(file)), file].join(' -> '))
        return
      }
      if (done.has(file)) return
      for (const next of edges.get(file) ?? []) visit(next, [...path, file])
      done.add(file)
    }
    for (const file of texts.keys()) visit(file, [])
    expect(cycles).toEqual([])
  })

  it('keeps the clock, timers and chance to time.ts and the trainer’s seeded generator', () => {
    const forbidden =
      /\bDate\.now\b|\bnew Date\(\)|\bperformance\.now\b|\bMath\.random\b|\bset(Timeout|Interval|Immediate)\b/
    const wrong = [...texts].filter(([file, text]) => file !== 'time.ts' && forbidden.test(text)).map(([file]) => file)
    expect(wrong).toEqual([])
  })

  it('lets no detector read the gold reward', () => {
    const wrong = [...texts]
      .filter(([file, text]) => /^(detectors|decision)\//.test(file) && text.includes('gold/'))
      .map(([file]) => file)
    expect(wrong).toEqual([])
  })
})
