import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { brotliDecompressSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { calibratedPreset } from '../src/detectors/calibrated/preset.ts'

const bench = new URL('../bench/detection/', import.meta.url)
const folder = new URL('runs/', bench)
const files = existsSync(folder) ? readdirSync(folder) : []
const recorded = files.filter((name) => name.endsWith('.run.json.br')).map((name) => name.replace('.run.json.br', ''))
const { real } = JSON.parse(readFileSync(new URL('results.json', bench), 'utf8')) as {
  real: { runs: { scenario: string; seed: number; critical: { iteration: number; kind: string } | null }[] }
}

interface Run {
  readonly iterations: readonly number[]
  readonly columns: Readonly<Record<string, readonly (number | string | null)[]>>
}

/** Iteration and kind of the first critical evidence. */
function firstCritical({ iterations, columns }: Run): { iteration: number; kind: string } | null {
  const detectors = calibratedPreset()
  for (const [i, iteration] of iterations.entries()) {
    const get = (name: string) => {
      const value = Object.hasOwn(columns, name) ? columns[name]![i] : null
      return value === null || value === undefined ? undefined : Number(value)
    }
    for (const detector of detectors) {
      const evidence = detector.update({ iteration, time: i, get })
      if (evidence?.severity === 'critical') return { iteration, kind: evidence.kind }
    }
  }
  return null
}

describe('recorded runs', () => {
  it('are those that were scored', () => {
    expect(real.runs.map(({ scenario, seed }) => `${scenario}-${seed}`).sort()).toEqual(recorded.sort())
    for (const name of recorded) expect(files).toContain(`${name}.gold.json.br`)
  })

  it('have nothing of the judge in what the detectors read', () => {
    for (const name of recorded) expect(Object.keys(read(name).columns).join()).not.toContain('gold/')
  })

  // One seed of each scenario, and two healthy ones.
  it('give the alarm that was published when they are replayed', () => {
    for (const { scenario, seed, critical } of real.runs) {
      if (seed > (scenario === 'healthy' ? 2 : 1)) continue
      const expected = critical && { iteration: critical.iteration, kind: critical.kind }
      expect({ scenario, seed, critical: firstCritical(read(`${scenario}-${seed}`)) }).toEqual({
        scenario,
        seed,
        critical: expected,
      })
    }
  })
})

function read(name: string): Run {
  return JSON.parse(brotliDecompressSync(readFileSync(new URL(`${name}.run.json.br`, folder))).toString())
}
