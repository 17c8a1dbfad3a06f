import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'

const cli = new URL('../../dist/cli/main.js', import.meta.url).pathname
const built = (file: string) => JSON.stringify(new URL(`../../dist/${file}`, import.meta.url).href)
const dir = mkdtempSync(join(tmpdir(), 'telltale-full-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))
/** The limit is one of Linux's `prlimit`, and what Node makes of it (EFBIG) is tried there only. */
const isLinux = process.platform === 'linux'

interface Done {
  readonly stdout: string
  readonly stderr: string
  readonly status: number | null
}

/** Runs Node where no file grows beyond so many kilobytes: what a full disk is to a program, whoever runs the test. */
function limited(kilobytes: number, args: readonly string[], env: NodeJS.ProcessEnv = {}, cwd = dir): Done {
  return spawnSync('bash', ['-c', `ulimit -S -f ${kilobytes}; exec "$0" "$@"`, process.execPath, ...args], {
    ...{ encoding: 'utf8', maxBuffer: 64e6, cwd, env: { ...process.env, NO_COLOR: '1', ...env } },
  })
}

/** Runs Node with a file system that is mounted for it alone. */
function mounted(mount: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Done {
  return spawnSync('unshare', ['-rm', 'sh', '-c', `${mount} && exec "$0" "$@"`, process.execPath, ...args], {
    ...{ encoding: 'utf8', maxBuffer: 64e6, cwd: dir, env: { ...process.env, NO_COLOR: '1', ...env } },
  })
}

/** Containers may forbid it; the same is tried with a limit above, whoever runs the tests. */
const canMount = isLinux && spawnSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'none', dir]).status === 0
/** Text of a script that gives this process its room back. */
const UNLIMITED = `spawnSync('prlimit', ['--pid', String(process.pid), '--fsize=unlimited:'])`
const script = (text: string) => ['--input-type=module', '-e', text]

/** A training with answers in each iteration, a critical KL in the middle, and room again after iteration 80. */
const training = (folder: string, roomAgain: string) => `
  import { spawnSync } from 'node:child_process'
  import { readdirSync, readFileSync, rmSync } from 'node:fs'
  import { QualityAnalyzer, TrainingMonitor } from ${built('index.js')}
  let seconds = 1000
  const clock = { unixSeconds: () => seconds, monotonicMs: () => 1000 * seconds }
  const folder = ${JSON.stringify(folder)}
  const monitor = new TrainingMonitor({ outputDir: folder, clock, earlyStop: 'off' })
  const analyzer = new QualityAnalyzer({ monitor, mode: 'threshold' })
  monitor.registerCallback(analyzer)
  const logged = () => readdirSync(folder).filter((name) => name.startsWith('events-')).map((name) => readFileSync(folder + '/' + name, 'utf8')).join('')
  const more = Object.fromEntries(Array.from({ length: 40 }, (_, i) => ['own/number_' + i, Math.sin(i)]))
  let whileFull = ''
  for (let iteration = 0; iteration < 120; iteration++) {
    seconds += 10
    if (iteration === 80) {
      whileFull = logged()
      ${roomAgain}
    }
    const responses = Array.from({ length: 8 }, (_, i) => (iteration + ' ' + i + ' ').repeat(4000).slice(0, 10000))
    monitor.onEvent({ phase: 'response_generated', iteration, metadata: { prompts: responses.map(() => 'p'), responses } })
    if (iteration === 70) monitor.onEvent({ phase: 'checkpoint_saved', iteration })
    monitor.onEvent({ phase: 'iteration_end', iteration, metrics: { ...more, reward: iteration, kl_div: iteration < 50 ? 0.01 : 5 } })
    await monitor.settle()
  }
  await monitor.close()
  const { iterations, counters } = monitor.summary()
  console.log(JSON.stringify({ iterations, dropped: counters.droppedLines, alerts: analyzer.alertHistory.length, whileFull, whole: logged() }))`

type Line = { readonly type: string; readonly seq: number; readonly iteration?: number; readonly phase?: string }
const linesOf = (text: string): Line[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line)

/** What holds of the log, however the disk was full. */
function expectLogOf({ stdout, stderr, status }: Done): { readonly whileFull: Line[]; readonly whole: Line[] } {
  expect([status, stderr.split('\n').filter((line) => line !== '')]).toEqual([
    0,
    [
      expect.stringMatching(
        /events-\S+\.jsonl cannot be written \(.*\)\. The training goes on; answers are left out first, then numbers/,
      ),
      expect.stringMatching(/is written again; \d+ lines with answers and \d+ with numbers are missing/),
    ],
  ])
  const said = JSON.parse(stdout) as {
    iterations: number
    dropped: number
    alerts: number
    whileFull: string
    whole: string
  }
  // No line is torn, all that is kept is there and in order, and one line names what is not.
  const whole = linesOf(said.whole)
  const of = (type: string) => whole.filter((line) => line.type === type)
  const seqs = whole.map(({ seq }) => seq)
  expect(seqs).toEqual([...seqs].sort((a, b) => a - b))
  expect(said).toMatchObject({ iterations: 120, alerts: of('alert').length })
  expect(of('alert').length).toBeGreaterThan(0)
  expect(of('gap')).toEqual([expect.objectContaining({ dropped: said.dropped })])
  expect(seqs.at(-1)! - seqs.length).toBe(said.dropped)
  expect(whole.at(-1)).toMatchObject({ type: 'end', status: 'completed' })
  expect(whole.filter(({ phase }) => phase === 'checkpoint_saved')).toHaveLength(1)
  const iterationsOf = (phase: string) =>
    new Set(whole.filter((line) => line.phase === phase).map(({ iteration }) => iteration))
  for (let iteration = 85; iteration < 120; iteration++) expect(iterationsOf('iteration_end')).toContain(iteration)
  // Answers end before numbers do, and these do, too.
  const last = (lines: readonly Line[]) =>
    Math.max(...lines.map(({ iteration = 0 }) => iteration).filter((at) => at < 80))
  const numbers = last(whole.filter(({ phase }) => phase === 'iteration_end'))
  expect(numbers).toBeGreaterThan(last(of('samples')))
  expect(numbers).toBeLessThan(79)
  expect(last(of('samples'))).toBeGreaterThan(3)
  expect(of('samples').at(-1)!.iteration).toBe(119)
  return { whileFull: linesOf(said.whileFull), whole }
}

describe.skipIf(!isLinux)('the log of a training', () => {
  it('loses answers first, then numbers, never alerts, where its file may not grow, and says what is missing', () => {
    const folder = join(dir, 'limited-run')
    expectLogOf(limited(600, script(training(folder, UNLIMITED))))
  })

  it.skipIf(!canMount)('does so on a disk that is full, with the alerts there at once', () => {
    const disk = join(dir, 'disk')
    mkdirSync(disk)
    const mount = `mount -t tmpfs -o size=4m none ${disk} && head -c 3500000 /dev/zero > ${disk}/other`
    const done = mounted(mount, script(training(join(disk, 'run'), `rmSync(${JSON.stringify(join(disk, 'other'))})`)))
    const { whileFull, whole } = expectLogOf(done)
    const alerts = (lines: readonly Line[]) => lines.filter(({ type }) => type === 'alert')
    expect(alerts(whileFull).length).toBeGreaterThan(0)
    expect(alerts(whole).slice(0, alerts(whileFull).length)).toEqual(alerts(whileFull))
  })

  it('is named as incomplete where there was no room to the end', () => {
    const folder = join(dir, 'never-again')
    const { stderr, status } = limited(600, script(training(folder, '')))
    const lines = stderr.split('\n').filter((line) => line !== '')
    expect([status, lines.length]).toEqual([0, 2])
    expect(lines[1]).toMatch(/lacks \d+ lines, its last alerts or its end among them: there was no room for them/)
    const [log] = readdirSync(folder).filter((name) => name.startsWith('events-'))
    expect(linesOf(readFileSync(join(folder, log!), 'utf8'))[0]).toMatchObject({ type: 'run' })
  })
})

describe.skipIf(!isLinux)('the store', () => {
  it('keeps what it has acknowledged on a disk that is full, and goes on where it was once there is room', () => {
    const done = limited(
      40,
      script(`
      import { spawnSync } from 'node:child_process'
      import { appendFileSync, statSync } from 'node:fs'
      import { runFinder } from ${built('sources/find-runs.js')}
      import { sqliteStore } from ${built('stores/sqlite.js')}
      import { manualClock } from ${built('time.js')}
      import { keepRuns } from ${built('watch/keep-runs.js')}
      import { patientStore, mayPass } from ${built('watch/patient-store.js')}
      import { watchRun } from ${built('watch/watched-run.js')}
      const limit = (bytes) => spawnSync('prlimit', ['--pid', String(process.pid), '--fsize=' + bytes + ':'])
      const clock = manualClock({ unixSeconds: 1000 })
      const said = []
      const path = 'kept.db'
      const log = (name, from, to) => {
        for (let step = from; step < to; step++) appendFileSync(name + '.jsonl', JSON.stringify({ step, reward: step, loss: 1 / (step + 3) }) + '\\n')
      }
      for (const name of ['a', 'b']) log(name, 0, 100)
      const found = (await runFinder(['a.jsonl', 'b.jsonl']).find()).runs
      let passing = null
      const store = patientStore(() => {
        try { return sqliteStore({ path, now: () => 0 }) } catch (error) { passing = mayPass(error); throw error }
      }, clock.unixSeconds)
      const keeper = keepRuns(store, clock, (text) => said.push(text))
      const watched = found.map((one) => watchRun(one, { analyzer: {}, now: clock.unixSeconds, onBegin: keeper.onBegin }))
      const stored = () => store.runs().map(({ key }) => store.points(key, 'reward/score').iterations.length)
      const round = async (ms) => {
        for (const one of watched) await one.read()
        clock.advanceMs(ms)
        keeper.round(watched)
        return keeper.flush(watched)
      }
      const steps = []
      // There is no room for a store at all.
      steps.push([await round(3000), passing])
      limit('unlimited')
      steps.push([await round(3000)])
      steps.push([await round(31000), stored()])
      // It is full in the middle of its log.
      limit(statSync(path + '-wal').size + 3000)
      for (const name of ['a', 'b']) log(name, 100, 400)
      steps.push([await round(3000), stored(), store.verify()])
      for (let i = 0; i < 5; i++) await round(3000)
      limit('unlimited')
      steps.push([await round(31000), stored(), store.verify()])
      keeper.close(watched)
      console.log(JSON.stringify({ steps, said }))`),
    )
    expect(done).toMatchObject({ status: 0, stderr: '' })
    const { steps, said } = JSON.parse(done.stdout) as { steps: unknown[]; said: string[] }
    expect(steps).toEqual([[false, true], [false], [true, [100, 100]], [false, [100, 100], []], [true, [400, 400], []]])
    expect(said).toEqual([
      expect.stringMatching(
        /^\w and other runs: not stored for now, and tried again every 30 seconds: the store kept\.db cannot be opened/,
      ),
      expect.stringMatching(/^\w and other runs: stored again$/),
      expect.stringMatching(/^\w and other runs: not stored for now, .*: the store kept\.db cannot be written/),
      expect.stringMatching(/^\w and other runs: stored again$/),
    ])
  })

  it('costs a training that is started by it nothing: two lines say that it is full, and that the end is missing', () => {
    const place = join(dir, 'started')
    mkdirSync(place)
    const code =
      'for (let step = 0; step < 500; step++) console.log(JSON.stringify({ step, reward: step, loss: 1 / (step + 3) }))'
    const run = [
      'run',
      '--json',
      '--',
      process.execPath,
      '-e',
      `${code};require('fs').writeFileSync('log.jsonl', '{"step":0,"loss":1}\\n{"step":1,"loss":1}\\n')`,
    ]
    const done = limited(60, [cli, ...run], { TELLTALE_DIR: join(place, 'data') }, place)
    expect([done.status, done.stdout.split('\n').length]).toEqual([0, 501])
    const notes = done.stderr
      .split('\n')
      .filter((line) => line.startsWith('{"type":"note"'))
      .map((line) => (JSON.parse(line) as { text: string }).text)
    expect(notes).toEqual([
      expect.stringMatching(/not stored for now, and tried again every 30 seconds: /),
      expect.stringMatching(/what came last is not stored; telltale import reads it from its files/),
    ])
  })

  it.skipIf(!canMount)('in a folder that is read-only is said, and the watching goes on without', () => {
    const place = join(dir, 'read-only')
    mkdirSync(place)
    const log = join(dir, 'log.jsonl')
    writeFileSync(log, '{"step":0,"loss":1}\n{"step":1,"loss":2}\n')
    const mount = `mount --bind ${place} ${place} && mount -o remount,ro,bind ${place}`
    const run = [
      'run',
      '--json',
      '--path',
      log,
      '--',
      process.execPath,
      '-e',
      `require('fs').appendFileSync(${JSON.stringify(log)}, '{"step":2,"loss":3}\\n')`,
    ]
    const done = mounted(mount, [cli, ...run], { TELLTALE_DIR: place })
    expect(done.status).toBe(0)
    expect(done.stderr).toMatch(
      /nothing is kept of these runs: the store .* cannot be opened: EROFS: read-only file system.*; set TELLTALE_DIR/,
    )
    expect(done.stderr).toMatch(/"type":"iteration"/)
    const list = mounted(mount, [cli, 'ls'], { TELLTALE_DIR: place })
    expect([list.status, list.stderr]).toEqual([
      2,
      expect.stringMatching(/^telltale: the store .*EROFS.*\[not-writable\]$/m),
    ])
  })
})
