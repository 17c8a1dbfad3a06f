import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { MetricsStore } from '../../metrics/store.ts'
import { PlotManager } from './index.ts'

const here = dirname(fileURLToPath(import.meta.url))

/** Packages that a file imports by value, at once and through other files of ours. */
function packagesLoadedBy(file: string, seen = new Set<string>()): Set<string> {
  const packages = new Set<string>()
  if (seen.has(file)) return packages
  seen.add(file)
  const text = readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\//g, '')
  const imports = /^(?:import|export) (?!type\b)[^;]*? from '([^']+)'/gm
  for (const [, from] of text.matchAll(imports)) {
    if (from!.startsWith('.')) for (const name of packagesLoadedBy(join(dirname(file), from!), seen)) packages.add(name)
    else packages.add(from!)
  }
  return packages
}

it('telltale/plots imports neither ECharts nor resvg; drawing does', () => {
  const atOnce = [...packagesLoadedBy(join(here, 'index.ts'))]
  expect(atOnce).toContain('node:fs')
  expect(atOnce.filter((name) => !name.startsWith('node:'))).toEqual([])
  const later = [...packagesLoadedBy(join(here, 'render.ts'))]
  expect(later).toContain('echarts/core')
  expect(later).toContain('@resvg/resvg-js')
})

it('telltale imports no package at all, with everything that tells people of alerts', () => {
  const atOnce = [...packagesLoadedBy(join(here, '..', '..', 'index.ts'))]
  expect(atOnce).toContain('node:os')
  expect(atOnce.filter((name) => !name.startsWith('node:'))).toEqual([])
})

it('the native part of resvg is in the process only after the first figure', async () => {
  const natives = () =>
    (process.report.getReport() as unknown as { sharedObjects: string[] }).sharedObjects.filter((path) =>
      path.includes('resvg'),
    )
  expect(natives()).toEqual([])
  const outputDir = mkdtempSync(join(tmpdir(), 'plots-'))
  await new PlotManager({ outputDir }).createLossPlot(new MetricsStore())
  rmSync(outputDir, { recursive: true })
  expect(natives()).toHaveLength(1)
})
