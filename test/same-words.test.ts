import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, expect, it } from 'vitest'
import { checkPath } from '../src/check/check-path.ts'
import { checkText } from '../src/cli/check-text.ts'
import { doctorPath } from '../src/inspect/doctor-path.ts'
import { runsText } from '../src/inspect/doctor-text.ts'
import { explainPath } from '../src/inspect/explain-path.ts'
import { explainText } from '../src/inspect/explain-text.ts'
import { reportPath } from '../src/inspect/report-path.ts'
import { compareRuns } from '../src/lookback/compare-runs.ts'
import { compareText } from '../src/lookback/compare-text.ts'
import { importRuns } from '../src/lookback/import-runs.ts'
import { listText } from '../src/lookback/list-text.ts'
import { showText } from '../src/lookback/show-text.ts'
import { sqliteStore } from '../src/stores/sqlite.ts'

const place = mkdtempSync(join(tmpdir(), 'telltale-words-'))
afterAll(() => rmSync(place, { recursive: true, force: true }))
const stream = { isTTY: false, columns: 110, write: () => true }
const env = { LANG: 'C.UTF-8' }
const how = () => ({ stdin: Readable.from([]), check: {} })

/** What every output says of a run, by the name of the verb. */
async function saidOf(name: string, steps: readonly number[]): Promise<Readonly<Record<string, string>>> {
  const file = join(place, `${name}.jsonl`)
  writeFileSync(file, steps.map((step) => `${JSON.stringify({ step, loss: 1 / step, reward: 0.1 })}\n`).join(''))
  const outputDir = join(place, name)
  mkdirSync(outputDir)
  await reportPath(file, { ...how(), outputDir, folderEach: false })
  const store = sqliteStore({ path: ':memory:', now: () => 0 })
  await importRuns(file, { ...how(), store, now: () => 100, say: () => {} })
  const [run] = store.runs()
  const { runs } = await explainPath(file, how(), null)
  const said = {
    check: checkText(await checkPath(file, how()), stream, env),
    doctor: runsText((await doctorPath(file, how())).runs, stream, env),
    explain: explainText(runs, false, stream, env),
    show: showText(run!, store, 100, stream, env),
    ls: listText([run!], store, 100, stream, env),
    compare: compareText(compareRuns(store, [run!, run!]), 100, stream, env),
    markdown: [readFileSync(join(outputDir, 'training_report.md'), 'utf8')],
    html: [
      readFileSync(join(outputDir, 'training_report.html'), 'utf8').replace(
        /<(script|style)[\s\S]*?<\/\1>|<[^>]*>/g,
        '',
      ),
    ],
  }
  store.close()
  return Object.fromEntries(Object.entries(said).map(([verb, lines]) => [verb, lines.join('\n').replace(/\s+/g, ' ')]))
}

it('says of a run that logs every tenth step and has no end the same in all outputs that only read it', async () => {
  const { compare, ls, ...said } = await saidOf(
    'tenth',
    Array.from({ length: 60 }, (_, i) => 10 * (i + 1)),
  )
  for (const [verb, text] of Object.entries(said)) {
    expect(text, verb).toContain('600')
    expect(text, verb).toContain(', 60 of them logged')
    expect(text, verb).toContain('its log has no end')
    expect(text, verb).not.toMatch(/\brunning\b|still going|has gone on/)
  }
  expect(compare).toMatch(/status +no end +no end .*iterations 600 600 of them logged 60 60 trainer/)
  expect(ls).toMatch(/no end +600 /)
})

it('says nothing of how many were logged where all were', async () => {
  for (const [verb, text] of Object.entries(
    await saidOf(
      'all',
      Array.from({ length: 60 }, (_, i) => i + 1),
    ),
  ))
    expect(text, verb).not.toContain('of them logged')
})
