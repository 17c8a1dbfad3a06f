import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { brotliDecompressSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { checkPath } from '../check/check-path.ts'
import { CALIBRATION } from '../detectors/calibrated/calibration-table.ts'
import { RULES } from '../detectors/calibrated/rules.ts'
import { glyphsFor } from '../outputs/terminal/glyphs.ts'
import { renderLine } from '../outputs/terminal/spans.ts'
import { chart } from './chart.ts'
import { explainPath } from './explain-path.ts'
import { explainText } from './explain-text.ts'
import { aboutStatistic } from './statistics.ts'
import { trace } from './trace.ts'

const place = mkdtempSync(join(tmpdir(), 'telltale-explain-'))
afterAll(() => rmSync(place, { recursive: true, force: true }))
const recorded = new URL('../../bench/detection/runs/', import.meta.url)

/** A recorded run of the demo as a file of flat lines. */
function flatRun(name: string): string {
  const { iterations, columns } = JSON.parse(
    brotliDecompressSync(readFileSync(new URL(`${name}.run.json.br`, recorded))).toString(),
  ) as { iterations: number[]; columns: Record<string, (number | string | null)[]> }
  const lines = iterations.map((step, i) => {
    const logged = Object.entries(columns).filter(([, values]) => values[i] !== null && values[i] !== undefined)
    return JSON.stringify({ step, ...Object.fromEntries(logged.map(([key, values]) => [key, values[i]])) })
  })
  const path = join(place, `${name}.jsonl`)
  writeFileSync(path, `${lines.join('\n')}\n`)
  return path
}

const how = { stdin: Readable.from([]), check: {} }
const text = async (path: string, withCharts = false, columns = 100) =>
  explainText(
    (await explainPath(path, how)).runs,
    withCharts,
    { isTTY: false, columns, write: () => true },
    { LANG: 'C.UTF-8' },
  ).join('\n')

describe('a trace', () => {
  it('keeps the largest value of each piece in constant memory, whatever the length of the run', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), { minLength: 1, maxLength: 3000 }),
        (values) => {
          const kept = trace()
          values.forEach((value, i) => {
            kept.add(i * 3, value)
          })
          expect(kept.points.length).toBeLessThanOrEqual(512)
          expect(kept.largest![1]).toBe(Math.max(...values))
          expect(kept.points).toContainEqual(kept.largest)
          for (const [iteration, value] of kept.points) expect(values[iteration / 3]).toBe(value)
          const iterations = kept.points.map(([iteration]) => iteration)
          expect(iterations).toEqual(iterations.toSorted((a, b) => a - b))
        },
      ),
    )
  })
})

describe('explain', () => {
  it('has words for every statistic and every rule', () => {
    for (const { name, kind } of RULES) expect(aboutStatistic(name)?.kinds).toEqual([kind])
    expect(aboutStatistic('kl')?.kinds).toEqual(['kl-explosion'])
    expect(aboutStatistic('__proto__')).toBeNull()
  })

  it('shows for each alert a statistic that reached its threshold, and the same alerts as a check', async () => {
    const path = flatRun('reward-hacking-1')
    const { runs } = await explainPath(path, how)
    const { runs: checked } = await checkPath(path, how)
    expect(runs[0]!.run).toEqual(checked[0])
    const hacking = runs[0]!.kinds.find(({ kind }) => kind === 'reward-hacking')!
    const [first] = hacking.alerts.filter(({ severity }) => severity === 'critical')
    const reached = hacking.statistics.filter(({ largest, thresholds }) => largest!.value >= thresholds.critical!)
    expect(reached.length).toBeGreaterThan(0)
    // The statistic of the alert is a point of one of the traces.
    expect(hacking.statistics.flatMap(({ points }) => points)).toContainEqual([first!.iteration, first!.statistic])
  })

  it('keeps two runs of the same id apart', async () => {
    for (const [folder, kl] of [
      ['x y', 'NaN'],
      ['x-y', 0.1],
    ] as const) {
      mkdirSync(join(place, 'same', folder, 'a'), { recursive: true })
      const lines = Array.from({ length: 30 }, (_, step) =>
        JSON.stringify({ step, kl_div: 0.1, loss: step > 20 ? kl : 1 }),
      )
      writeFileSync(join(place, 'same', folder, 'a', 'train.jsonl'), lines.join('\n'))
    }
    const { runs } = await explainPath(join(place, 'same'), how)
    expect(new Set(runs.map(({ run }) => run.run)).size).toBe(1)
    const broken = runs.map(
      ({ kinds }) =>
        kinds.flatMap(({ statistics }) => statistics).find(({ name }) => name === 'non-finite')!.largest!.value,
    )
    expect(broken).toEqual([9, 0])
  })

  it('says of a healthy run how near it came, and what is not watched', async () => {
    const said = (await text(flatRun('healthy-1'))).replaceAll(/\s+/g, ' ')
    expect(said).toMatch(
      /KL explosion no alert rise of the KL to the reference beyond its forecast: at most -?[\d.]+ standard errors at iteration \d+/,
    )
    expect(said).toMatch(/Mismatch of trainer and sampler not watched no mismatch\/kl/)
    expect(said).toMatch(/rules were never broken/)
    expect(said).not.toMatch(/undefined|NaN|critical at iteration/)
  })

  it('counts a broken rule', async () => {
    const path = join(place, 'broken.jsonl')
    writeFileSync(
      path,
      Array.from({ length: 30 }, (_, step) => JSON.stringify({ step, kl_div: 0.1, loss: step > 20 ? 'NaN' : 1 })).join(
        '\n',
      ),
    )
    expect((await text(path)).replaceAll(/\s+/g, ' ')).toMatch(
      /non-finite was broken 9 iterations in a row up to 29, where 2 are critical/,
    )
  })

  it('is no wider than asked, and shows nothing that a name brings along', async () => {
    const path = join(place, 'hostile\u001b[31m.jsonl')
    writeFileSync(path, readFileSync(flatRun('reward-hacking-1')))
    for (const columns of [60, 100])
      for (const line of (await text(path, true, columns)).split('\n')) {
        expect(line.length).toBeLessThanOrEqual(columns)
        expect(line).not.toContain('\u001b')
      }
  })

  it('shows how near a loss came that never left its range, and the same alerts as where nobody looks', async () => {
    const { runs } = await explainPath(flatRun('healthy-1'), how)
    const { largest, points, unit } = runs[0]!.kinds
      .flatMap(({ statistics }) => statistics)
      .find(({ name }) => name === 'loss-spike')!
    expect(largest!.value).toBeLessThanOrEqual(0)
    expect(points.length).toBeGreaterThan(100)
    expect(unit).toBe('standard deviations')
  })

  it('says of each statistic after how many iterations it begins, and that is when it does', async () => {
    // Names of our own, so that each is what it says; each value different, so that each has a scale.
    const names = ['loss/total', 'grad/norm', 'kl_ref/seq', 'entropy/token', 'length/mean', 'length/clip_ratio']
    const more = ['value/explained_variance', 'quality/judge', 'quality/distinct_2', 'eval/benchmark', 'reward/score']
    const line = (step: number, its: readonly string[]) =>
      JSON.stringify({
        step,
        ...Object.fromEntries(its.map((name, i) => [name, 0.5 + 0.1 * Math.sin(step * (i + 2.3))])),
      })
    const at = async (length: number, its = [...names, ...more]) => {
      const path = join(place, `first-${length}-${its.length}.jsonl`)
      writeFileSync(path, Array.from({ length }, (_, step) => line(step, its)).join('\n'))
      const { runs } = await explainPath(path, { ...how, check: { preset: 'ppo' } })
      const all = runs[0]!.kinds.flatMap(({ statistics }) => statistics)
      return all.filter(({ unit }) => unit !== 'iterations in a row')
    }
    const all = new Map((await at(130)).map((one) => [one.name, one]))
    expect([...all.keys()].sort()).toEqual(Object.keys(CALIBRATION.statistics).sort())
    for (const { name, after, points } of all.values()) expect([name, points[0]![0]]).toEqual([name, after - 1])
    expect(all.get('kl')!.after).toBe(105)
    // A KL a token has an absolute limit, which takes no history.
    const [perToken] = (await at(130, ['kl_ref/token'])).filter(({ name }) => name === 'kl')
    expect([perToken!.after, perToken!.points[0]![0]]).toEqual([40, 39])
    expect((await at(60)).filter(({ largest }) => largest === null).map(({ name }) => name)).toEqual([
      'kl',
      'entropy',
      'length',
    ])
  })

  it('says of a run of one iteration when what begins', async () => {
    const path = join(place, 'one.jsonl')
    writeFileSync(path, '{"step":1,"loss":0.5,"reward":1,"kl":0.1,"entropy":2}\n')
    const said = (await text(path, true)).replaceAll(/\s+/g, ' ')
    expect(said).toMatch(/stays above its usual level: not compared yet, which begins after 25 iterations/)
    expect(said).toMatch(/the reward does not explain: not compared yet, which begins after 105 iterations/)
  })
})

it('the chart of what is always below 0 shows where it was, and nothing where nothing was compared', () => {
  const levels = [
    { label: 'note', value: 2, style: 'dim' },
    { label: 'critical', value: 4, style: 'bad' },
  ] as const
  const points = Array.from({ length: 20 }, (_, i) => [20 + i, i < 10 ? -3 : -0.5] as const)
  const rows = chart(points, levels, [0, 39], 57, glyphsFor(true)).map((line) => renderLine(line, false))
  const marks = rows.slice(0, -1).map((row) => row.slice(0, 40).replaceAll('─', ' '))
  const heightAt = (column: number) => marks.filter((row) => (row[column] ?? ' ') !== ' ').length
  expect([heightAt(5), heightAt(25), heightAt(35)]).toEqual([0, 1, 3])
  expect(rows.some((row) => row.endsWith(' 0'))).toBe(true)
  expect(rows.filter((row) => /note|critical/.test(row))).toHaveLength(2)
})

it('the chart stands on its thresholds', () => {
  const levels = [{ label: 'critical', value: 4, style: 'bad' }] as const
  const rows = chart(
    [
      [0, 1],
      [10, 4],
      [20, -3],
    ],
    levels,
    [0, 20],
    60,
    glyphsFor(false),
  ).map((line) => renderLine(line, false))
  expect(rows).toHaveLength(9)
  expect(rows[0]).toContain('4 critical')
  // Only the middle of the run reaches the line.
  expect(rows[0]!.slice(0, 18)).toBe('-'.repeat(18))
  expect(rows[0]!.slice(21, 40)).not.toContain('-')
  expect(rows.at(-1)).toMatch(/^0 +20$/)
})
