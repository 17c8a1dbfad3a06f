import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { withFigures } from '../bench/detection/detector-pages.mjs'
import { CALIBRATION } from '../src/detectors/calibrated/calibration-table.ts'
import { calibratedPreset } from '../src/detectors/calibrated/preset.ts'

const root = new URL('../', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, root), 'utf8')
const results = JSON.parse(read('bench/detection/results.json'))
const pages = readdirSync(new URL('docs/detectors/', root))

describe('what the documents say of the detectors', () => {
  it.each(pages)('%s has the figures that were measured', (page) => {
    const text = read(`docs/detectors/${page}`)
    expect(withFigures(text, results)).toBe(text)
    expect(text).not.toMatch(/<!-- figures of [a-z, -]+ -->\n<!-- end/)
  })

  it('was measured with the thresholds that ship', () => {
    const { generator, runs, iterations } = CALIBRATION
    expect(results.provenance.calibration).toEqual({ generator, runs, iterations })
    expect(results.provenance.split).toBe('report')
  })

  it('names every detector of the ppo preset', () => {
    const all = pages.map((page) => read(`docs/detectors/${page}`)).join('\n')
    for (const { name } of calibratedPreset()) expect(all, `${name} has no page`).toContain(name)
  })

  it('links only to pages that exist', () => {
    for (const page of pages) {
      for (const [, target] of read(`docs/detectors/${page}`).matchAll(/\]\(([^)#]+)\)/g)) {
        expect(existsSync(new URL(`docs/detectors/${target}`, root)), `${page} links to ${target}`).toBe(true)
      }
    }
  })
})
