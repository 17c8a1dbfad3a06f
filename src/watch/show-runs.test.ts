import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { createEmulator } from '../outputs/terminal/emulator.fixture.ts'
import { runFinder } from '../sources/find-runs.ts'
import { manualClock } from '../time.ts'
import { showRuns } from './show-runs.ts'
import { type WatchedRun, watchRun } from './watched-run.ts'

const root = mkdtempSync(join(tmpdir(), 'telltale-show-runs-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
const trl = new URL('../../test/fixtures/text-sources/trl-grpo', import.meta.url).pathname

it('shows a run whose first checkpoint has come in the place where it was', async () => {
  const clock = manualClock({ unixSeconds: 1_700_000_000 })
  const emulator = createEmulator(120, 40)
  let watched: WatchedRun | null = null
  const view = showRuns({
    stream: emulator.stream,
    env: { TERM: 'xterm-256color', LANG: 'C.UTF-8' },
    clock,
    watched: () => (watched === null ? [] : [watched]),
  })
  const show = async () => {
    const [found] = (await runFinder([root]).find()).runs
    watched?.close()
    watched = watchRun(found!, { analyzer: {}, now: clock.unixSeconds })
    while ((await watched.read()).more);
    view.change()
    view.news(watched)
    for (let round = 0; round < 3; round++) {
      clock.advanceMs(1000)
      view.round(true)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    return (await emulator.everything()).filter((line) => line.startsWith('Telltale  ')).length
  }
  mkdirSync(join(root, 'run'))
  // Without its end: it still trains.
  const printed = readFileSync(join(trl, 'console.log'), 'utf8')
  writeFileSync(join(root, 'run', 'console.log'), printed.slice(0, printed.indexOf("{'train_runtime'")))
  expect(await show()).toBe(1)
  cpSync(join(trl, 'checkpoint-4'), join(root, 'run', 'checkpoint-4'), { recursive: true })
  expect(await show()).toBe(1)
  await view.close()
  ;(watched as WatchedRun | null)?.close()
})
