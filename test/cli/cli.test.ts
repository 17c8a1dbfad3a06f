import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const main = join(root, 'dist', 'cli', 'main.js')
const dir = mkdtempSync(join(tmpdir(), 'telltale-cli-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

// The command runs from dist/, as a user's does; a stale one would test yesterday's code.
beforeAll(() => {
  const build = spawnSync(process.execPath, [join(root, 'scripts', 'build.mjs')], { encoding: 'utf8' })
  expect(build.stderr + build.stdout).not.toContain('error')
  expect(build.status).toBe(0)
})

function telltale(args: string[], env: NodeJS.ProcessEnv = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    encoding: 'utf8',
    cwd: dir,
    env: { ...process.env, ...env },
  })
  return { status, stdout, stderr }
}

describe('the command', () => {
  it('reports with exit code 1 where a figure could not be drawn, and says which', () => {
    const path = join(dir, 'in-the-way.jsonl')
    writeFileSync(path, Array.from({ length: 5 }, (_, step) => `{"step":${step},"reward":${step}}`).join('\n'))
    mkdirSync(join(dir, 'drawn', 'rewards.svg', 'x'), { recursive: true })
    const { status, stdout, stderr } = telltale(['report', path, '--output-dir', 'drawn'])
    expect([status, stderr]).toEqual([1, expect.stringMatching(/could not be drawn: rewards: /)])
    expect(stdout).toContain('training_report.html')
    expect(telltale(['report', path, '--output-dir', 'drawn-well'])).toMatchObject({ status: 0, stderr: '' })
  })

  it('teaches with --help', () => {
    const help = telltale(['--help'])
    expect(help.status).toBe(0)
    expect(help.stdout).toContain('demo')
    const demo = telltale(['demo', '--help'])
    expect(demo.status).toBe(0)
    for (const text of [
      '--verbose',
      '--output-dir',
      '--iterations',
      '--batch-size',
      '--seed',
      '--scenario',
      'npm run demo -- --verbose',
      'Ctrl-C',
    ])
      expect(demo.stdout).toContain(text)
    expect(telltale([]).stdout).toContain('Usage: telltale')
    expect(telltale(['--version']).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  })

  it.each([
    [['demo', '--iterations', '0'], /Expected an integer from 1 to 10,000/],
    [['demo', '--iterations', '3x'], /Expected an integer from 1/],
    [['demo', '--batch-size', '1e3'], /Expected an integer from 2 to 256/],
    [['demo', '--seed', '-1'], /Expected an integer from 0/],
    [['demo', '--scenario', 'doom'], /Allowed choices are healthy, reward-hacking/],
    [['demo', '--verbos'], /unknown option '--verbos'.*\n?.*Did you mean --verbose/],
    [['demo', 'stray'], /unexpected argument "stray".*telltale demo --help/],
    [['demmo'], /unknown command 'demmo'/],
  ])('%j is refused with exit code 2 and a hint', (args, message) => {
    const { status, stderr } = telltale(args)
    expect(stderr).toMatch(message)
    expect(status).toBe(2)
  })

  it('says how to pass options through npm where npm kept them', () => {
    const { status, stderr } = telltale(['demo', '5'], { npm_lifecycle_event: 'demo', npm_config_iterations: 'true' })
    expect(stderr).toContain('npm run demo -- --iterations')
    expect(status).toBe(2)
  })

  it('refuses a folder that cannot be written, before anything is trained', () => {
    writeFileSync(join(dir, 'file'), '')
    const { status, stderr, stdout } = telltale(['demo', '--output-dir', join('file', 'below')])
    expect(stderr).toMatch(/cannot be written.*\[not-writable\]/)
    expect(stdout).not.toContain('Reward model')
    expect(status).toBe(2)
  })
})

describe('check', () => {
  const file = (name: string, lines: readonly unknown[]) => {
    const path = join(dir, name)
    writeFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
    return path
  }
  const steps = (n: number, kl: (step: number) => number) =>
    Array.from({ length: n }, (_, step) => ({ step, kl_div: kl(step), reward: step }))
  const clean = file(
    'clean.jsonl',
    steps(30, () => 0.01),
  )
  const high = file(
    'high.jsonl',
    steps(30, (step) => (step < 20 ? 0.01 : 0.4)),
  )

  it('teaches with --help', () => {
    const { status, stdout } = telltale(['check', '--help'])
    expect(status).toBe(0)
    for (const text of [
      '--json',
      '--preset',
      '--fail-on',
      '--false-alarm-rate',
      '--mode',
      'telltale check -',
      'Exit code',
    ])
      expect(stdout).toContain(text)
  })

  it('exits with 0 for a clean run, 1 for alerts, 2 for what cannot be read', () => {
    expect(telltale(['check', clean, '--mode', 'threshold']).status).toBe(0)
    expect(telltale(['check', clean, high, '--mode', 'threshold']).status).toBe(1)
    const { status, stdout, stderr } = telltale(['check', join(dir, 'nowhere'), high, '--mode', 'threshold'])
    expect(status).toBe(2)
    expect(stderr).toMatch(/nowhere cannot be read.*\[not-readable\]/)
    expect(stdout).toContain('KL explosion, iteration 20')
  })

  it('says what, since when, how sure, what to do and what is not watched, without escapes when piped', () => {
    const { stdout } = telltale(['check', high, '--mode', 'threshold'])
    expect(stdout).toMatch(/critical KL explosion, iteration 20 .*kl_ref\/token is 0\.4, above the threshold of 0\.1/s)
    expect(stdout).toMatch(/since +iteration 20/)
    expect(stdout).toMatch(/how sure .*healthy runs can cross it too/s)
    expect(stdout).toMatch(/what to do +Start again from the beginning/)
    expect(stdout).toMatch(/Not watched:\s+Reward hacking: no quality signal: reward hacking cannot be seen/)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: piped output has no escape
    expect(stdout).not.toMatch(/\u001b/)
  })

  it('prints JSON for scripts, with an exit code that knows severities', () => {
    const { status, stdout } = telltale(['check', high, '--json', '--mode', 'threshold'])
    const { runs, errors } = JSON.parse(stdout)
    expect(status).toBe(1)
    expect(errors).toEqual([])
    expect(runs).toMatchObject([
      {
        run: 'high',
        path: high,
        source: 'jsonl',
        iterations: 30,
        alerts: [{ id: 'kl-explosion-1', kind: 'kl-explosion', severity: 'critical', state: 'open', rollbackTo: null }],
        stop: { iteration: 20, rollbackTo: null },
      },
    ])
    expect(runs[0].coverage).toContainEqual({
      detector: 'kl-explosion',
      kind: 'kl-explosion',
      needs: ['kl_ref/token'],
      missing: [],
    })
    const wave = file(
      'wave.jsonl',
      Array.from({ length: 40 }, (_, step) => ({ step, 'quality/ref_perplexity': step < 25 ? 5 : 12 })),
    )
    for (const [failOn, code] of [
      ['critical', 0],
      ['warning', 1],
      ['info', 1],
    ] as const)
      expect(telltale(['check', wave, '--mode', 'threshold', '--fail-on', failOn]).status, failOn).toBe(code)
  })

  it('keeps what is muted, says so, and does not fail on it', () => {
    const mute = ['--ignore', 'kl-explosion', '--mode', 'threshold']
    const { status, stdout } = telltale(['check', high, ...mute])
    expect([status, stdout]).toEqual([0, expect.stringMatching(/1 alert, muted\n/)])
    expect(stdout).toContain('muted: KL explosion (critical at iteration 20)')
    expect(stdout).not.toMatch(/Would have been stopped|how sure/)
    const json = telltale(['check', high, '--json', '--fail-on', 'info', ...mute])
    expect(json.status).toBe(0)
    expect(JSON.parse(json.stdout).runs).toMatchObject([
      { stop: null, alerts: [{ id: 'kl-explosion-1', severity: 'critical', muted: true }] },
    ])
    const config = join(dir, 'muting.json')
    writeFileSync(config, '{"ignore": ["kl-explosion"]}')
    expect(telltale(['check', high, '--mode', 'threshold', '--config', config]).status).toBe(0)
  })

  it('reads standard input', () => {
    const { status, stdout } = spawnSync(process.execPath, [main, 'check', '-', '--json', '--mode', 'threshold'], {
      input: readFileSync(high),
      encoding: 'utf8',
    })
    expect(status).toBe(1)
    expect(JSON.parse(stdout).runs[0]).toMatchObject({ run: 'stdin', path: '-' })
  })

  it('writes no escape that a log has put into its names', () => {
    const evil = '\u001b]0;pwned\u0007\u001b[31m\u009b31m\u202e'
    const hostile = file(`hostile.jsonl`, [
      ...steps(30, () => 0.01),
      evil,
      { step: 31, [evil]: 1, prompts: [evil], responses: [evil], kl_div: 9 },
    ])
    const { stdout, stderr } = telltale(['check', hostile, '--mode', 'threshold'])
    const json = telltale(['check', hostile, '--mode', 'threshold', '--json']).stdout
    expect(stdout).toMatch(/1 line set aside:\s+.*hostile\.jsonl:31: not/)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what must not be there
    expect(stdout + stderr + json).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/)
    expect(JSON.parse(json).damagedCount).toBe(1)
  })

  it.each([
    [['check'], /missing required argument 'path'/],
    [['check', clean, '--jsn'], /unknown option '--jsn'\n?.*Did you mean --json/],
    [['check', clean, '--preset', 'reinforce', '--mode', 'calibrated'], /Allowed choices are ppo, grpo, dpo, sft/],
    [['check', clean, '--mode', 'calibrated', '--false-alarm-rate', '0.7'], /falseAlarmRate is 0.7; expected a share/],
    [['check', clean, '--mode', 'calibrated', '--false-alarm-rate', 'low'], /Expected a number/],
    [['check', clean, '--mode', 'threshold', '--false-alarm-rate', '0.1'], /does nothing in mode 'threshold'/],
    [['check', clean, '--fail-on', 'never'], /Allowed choices are info, warning, critical/],
    [['check', '-', '-'], /standard input \(-\) can be read once/],
  ])('%j is refused with exit code 2 and a hint', (args, message) => {
    const { status, stderr } = telltale(args)
    expect(stderr).toMatch(message)
    expect(status).toBe(2)
  })

  it('exits with 2, not with the 1 of an alert, where a log may not be read', () => {
    const runs = mkdtempSync(join(tmpdir(), 'telltale-cli-locked-'))
    const line = { v: 1, type: 'event', run: 'r', writer: 'w', seq: 1, time: 1, phase: 'iteration_end', iteration: 0 }
    for (const name of ['open', 'locked']) {
      mkdirSync(join(runs, name))
      writeFileSync(join(runs, name, 'events-w.jsonl'), `${JSON.stringify(line)}\n`)
    }
    const locked = join(runs, 'locked', 'events-w.jsonl')
    chmodSync(runs, 0o755)
    chmodSync(locked, 0)
    // The superuser may read everything; nobody may not.
    const superuser = process.getuid?.() === 0
    const asNobody = (path: string) =>
      spawnSync(process.execPath, [main, 'check', path, '--json'], {
        encoding: 'utf8',
        cwd: runs,
        ...(superuser ? { uid: 65534, gid: 65534 } : {}),
      })
    for (const path of [runs, join(runs, 'locked'), locked]) {
      const { status, stdout, stderr } = asNobody(path)
      expect(status, stderr).toBe(2)
      expect(stderr).toMatch(/^telltale: .*locked.* cannot be read: EACCES/)
      expect(JSON.parse(stdout).runs).toHaveLength(path === runs ? 1 : 0)
    }
    chmodSync(join(runs, 'locked'), 0)
    const { status, stderr } = asNobody(runs)
    expect(stderr).toMatch(/locked cannot be read: EACCES/)
    expect(status).toBe(2)
    chmodSync(join(runs, 'locked'), 0o755)
    rmSync(runs, { recursive: true })
  })

  it('bears that nobody reads its output', async () => {
    for (const args of [
      ['check', clean],
      ['check', clean, '--json'],
      ['check', '--help'],
      ['check', 'nowhere'],
    ]) {
      const child = spawn(process.execPath, [main, ...args], { cwd: dir, stdio: ['ignore', 'pipe', 'pipe'] })
      child.stdout.destroy()
      if (args[1] === 'nowhere') child.stderr.destroy()
      let said = ''
      child.stderr.on('data', (text) => {
        said += text
      })
      expect(await new Promise((resolve) => child.on('exit', resolve)), said).toBe(args[1] === 'nowhere' ? 2 : 0)
    }
  })

  it('ends cleanly on Ctrl-C', async () => {
    const child = spawn(process.execPath, [main, 'check', '-'], { stdio: ['pipe', 'pipe', 'pipe'] })
    let said = ''
    child.stderr.on('data', (text) => {
      said += text
    })
    child.stdin.on('error', () => {})
    // More than a pipe holds: when it is taken, the command is reading.
    child.stdin.write('{"step":1,"loss":1}\n'.repeat(100_000), () => child.kill('SIGINT'))
    const code = await new Promise((resolve) => child.on('exit', resolve))
    expect(said).toBe('telltale: interrupted; nothing was changed\n')
    expect(code).toBe(130)
  })
})

/** A training that writes JSON lines, and whose KL leaves its limit at step 10; on SIGINT it saves and exits with 3. */
const TRAINING = `
  import { appendFileSync } from 'node:fs'
  const [, , path, steps, ms] = process.argv
  process.on('SIGINT', () => { appendFileSync(path + '.saved', 'saved'); process.exit(3) })
  for (let step = 0; step < Number(steps); step++) {
    appendFileSync(path, JSON.stringify({ step, loss: 0.1, reward: 1, frac_reward_zero_std: 0, kl: step < 10 ? 0.02 : 0.9 }) + '\\n')
    console.log("{'loss': 0.1, 'kl': " + (step < 10 ? 0.02 : 0.9) + ", 'reward': 1.0, 'frac_reward_zero_std': 0.0, 'step': " + step + '}')
    await new Promise((resolve) => setTimeout(resolve, Number(ms)))
  }
  appendFileSync(path + '.done', 'done')
`
const FIXED = ['--mode', 'threshold', '--kl-threshold', '0.3']

describe('run', () => {
  const place = join(dir, 'run')
  const training = join(place, 'training.mjs')
  beforeAll(() => {
    mkdirSync(place, { recursive: true })
    writeFileSync(training, TRAINING)
  })

  it('teaches with --help', () => {
    const help = telltale(['run', '--help'])
    expect(help.status).toBe(0)
    for (const text of ['--stop-on', '--grace', '--capture', '--path', 'Its exit code is passed on'])
      expect(help.stdout).toContain(text)
  })

  it.each([
    [['run'], /missing required argument/],
    [['run', '--grace', 'soon', '--', 'true'], /Expected a time such as 90s/],
    [['run', '--dry-run', '--', 'true'], /--dry-run needs --stop-on critical/],
    [['run', '--', 'no-such-program-here'], /no-such-program-here cannot be started/],
  ])('%j is bad usage', (args, message) => {
    const { status, stderr } = telltale(args)
    expect([status, stderr]).toEqual([2, expect.stringMatching(message)])
  })

  it('passes on the exit code, and what the training prints', () => {
    const ended = telltale([
      'run',
      '--path',
      place,
      '--',
      process.execPath,
      '-e',
      'console.log("hello"); process.exit(7)',
    ])
    expect(ended).toMatchObject({ status: 7, stdout: 'hello\n' })
    expect(telltale(['run', '--path', place, '--', 'sh', '-c', 'kill -TERM $$']).status).toBe(143)
  })

  it.each([
    ['completed', 'process.exit(0)'],
    ['failed', 'process.exit(3)'],
    ['stopped', 'process.kill(process.pid, "SIGTERM")'],
    ['crashed', 'process.kill(process.pid, "SIGKILL")'],
  ])('stores how a training that says no end itself has ended: %s', (status, end) => {
    const folder = join(place, `ended-${status}`)
    mkdirSync(folder)
    const home = { TELLTALE_DIR: join(folder, 'home') }
    const script = `import { appendFileSync } from 'node:fs'
      for (let step = 0; step < 5; step++) appendFileSync(${JSON.stringify(join(folder, 'steps.jsonl'))}, JSON.stringify({ step, loss: 1 }) + '\\n')
      ${end}`
    telltale(['run', '--path', folder, '--', process.execPath, '--input-type=module', '-e', script], home)
    const { runs } = JSON.parse(telltale(['ls', '--json'], home).stdout) as { runs: { name: string; status: string }[] }
    expect(runs).toMatchObject([{ name: 'steps', status }])
  })

  it('takes the files that its output is redirected into for no runs, unless they are named', () => {
    const folder = join(place, 'redirected')
    mkdirSync(folder)
    writeFileSync(
      join(folder, 'prints.mjs'),
      `import { writeFileSync } from 'node:fs'
      for (let step = 0; step < 3; step++) {
        console.log(JSON.stringify({ step, loss: 1 }))
        console.error(JSON.stringify({ step, loss: 2 }))
      }
      writeFileSync('log.jsonl', '{"step":0,"loss":3}\\n')`,
    )
    const runs = (more: readonly string[]) => {
      const home = mkdtempSync(join(folder, 'store-'))
      const command = [process.execPath, main, 'run', ...more, '--', process.execPath, 'prints.mjs']
      const { status } = spawnSync('sh', ['-c', '"$@" > out 2> err', 'sh', ...command], {
        ...{ cwd: folder, env: { ...process.env, TELLTALE_DIR: home } },
      })
      expect([status, readFileSync(join(folder, 'out'), 'utf8').split('\n')]).toEqual([
        0,
        expect.objectContaining({ length: 4 }),
      ])
      const listed = telltale(['ls', '--json'], { TELLTALE_DIR: home })
      return (JSON.parse(listed.stdout) as { runs: { path: string }[] }).runs
        .map(({ path }) => basename(path))
        .toSorted()
    }
    expect(runs([])).toEqual(['log.jsonl'])
    expect(runs(['--path', 'out'])).toEqual(['out'])
  })

  it('ends the training at a critical alert, with time to save', () => {
    const out = join(place, 'stopped.jsonl')
    const { status, stderr } = telltale([
      'run',
      '--path',
      place,
      '--stop-on',
      'critical',
      ...FIXED,
      '--',
      process.execPath,
      training,
      out,
      '2000',
      '20',
    ])
    expect(stderr).toMatch(/telltale: Stopping the training .*stopped: KL divergence too high/)
    expect(status).toBe(3)
    expect([existsSync(`${out}.saved`), existsSync(`${out}.done`)]).toEqual([true, false])
    const { runs } = JSON.parse(telltale(['ls', 'stopped', '--json']).stdout) as { runs: { status: string }[] }
    expect(runs).toMatchObject([{ status: 'stopped' }])
  })

  it('does not end it for what an earlier training wrote into the same file', () => {
    const out = join(place, 'again.jsonl')
    const old = Array.from({ length: 30 }, (_, step) =>
      JSON.stringify({ step, loss: 0.1, reward: 1, frac_reward_zero_std: 0, kl: step < 10 ? 0.02 : 0.9 }),
    )
    writeFileSync(out, `${old.join('\n')}\n`)
    // As old as what was there before: its last write is in the past.
    utimesSync(out, 1000, 1000)
    const healthy = `${TRAINING.replaceAll('step < 10', 'step < 1000')}`
    writeFileSync(join(place, 'healthy.mjs'), healthy)
    const { status, stderr } = telltale([
      ...['run', '--path', place, '--stop-on', 'critical', ...FIXED, '--'],
      ...[process.execPath, join(place, 'healthy.mjs'), out, '100', '20'],
    ])
    expect([status, stderr]).toEqual([0, expect.not.stringMatching(/Stopping/)])
  })

  it('says what it would have stopped, and lets it train on', () => {
    const out = join(place, 'dry.jsonl')
    const { status, stderr } = telltale([
      'run',
      '--path',
      place,
      '--stop-on',
      'critical',
      '--dry-run',
      ...FIXED,
      '--',
      process.execPath,
      training,
      out,
      '60',
      '20',
    ])
    expect([status, stderr]).toEqual([0, expect.stringMatching(/dry: would be stopped now \(--dry-run\)/)])
    expect(existsSync(`${out}.done`)).toBe(true)
  })

  it('takes it from a configuration that trainings are stopped, and from flags that they are not, or not for this kind', () => {
    const place = join(dir, 'configured')
    mkdirSync(place)
    const config = join(place, 'settings.json')
    writeFileSync(config, '{"stopOn": "critical", "mode": "threshold", "klThreshold": 0.3}')
    const high = Array.from({ length: 5 }, (_, step) => `{"step":${step},"kl_div":${step < 3 ? 0.01 : 0.9}}`).join(
      '\\n',
    )
    const run = (...flags: string[]) => {
      rmSync(join(place, 'log.jsonl'), { force: true })
      return telltale([
        'run',
        '--no-store',
        '--config',
        config,
        '--path',
        place,
        ...flags,
        '--',
        'sh',
        '-c',
        `printf '${high}\\n' >> ${join(place, 'log.jsonl')}`,
      ])
    }
    expect(run('--dry-run')).toMatchObject({
      status: 0,
      stderr: expect.stringMatching(/: would be stopped now \(--dry-run\)/),
    })
    expect(run('--dry-run', '--ignore', 'kl-explosion')).toEqual({ status: 0, stdout: '', stderr: '' })
    expect(run('--dry-run', '--no-stop-on')).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/--dry-run needs --stop-on/),
    })
  })

  it('ends one that ignores SIGINT after the grace', () => {
    const script = `process.on('SIGINT', () => {}); ${TRAINING.replace(/process\.on.*\n/, '\n')}`
    const stubborn = join(place, 'stubborn.mjs')
    writeFileSync(stubborn, script.replace(/^(.*?)(import .*?\n)/s, '$2$1'))
    const out = join(place, 'stubborn.jsonl')
    const { status, stderr } = telltale([
      'run',
      '--path',
      place,
      '--stop-on',
      'critical',
      '--grace',
      '300ms',
      ...FIXED,
      '--',
      process.execPath,
      stubborn,
      out,
      '2000',
      '20',
    ])
    expect([status, stderr]).toEqual([143, expect.stringMatching(/goes on after the grace: SIGTERM/)])
  })

  it('with --capture follows what the training prints, from a file', () => {
    const away = join(dir, 'away.jsonl')
    const { status, stdout } = telltale([
      'run',
      '--capture',
      '--path',
      join(dir, 'nothing-here'),
      '--stop-on',
      'critical',
      ...FIXED,
      '--',
      process.execPath,
      training,
      away,
      '2000',
      '20',
    ])
    const [, log] = /What the training prints goes to (\S+)/.exec(stdout)!
    expect(readFileSync(join(dir, log!), 'utf8')).toContain("'step': 12")
    expect([status, stdout]).toEqual([3, expect.stringMatching(/Stopping the training/)])
  })

  it('killed with -9 leaves the training running to its end', async () => {
    const out = join(place, 'survivor.jsonl')
    const watcher = spawn(
      process.execPath,
      [main, 'run', '--path', place, '--', process.execPath, training, out, '60', '50'],
      { cwd: dir, stdio: 'ignore' },
    )
    while (!existsSync(out)) await new Promise((resolve) => setTimeout(resolve, 20))
    watcher.kill('SIGKILL')
    await new Promise((resolve) => watcher.once('close', resolve))
    expect(existsSync(`${out}.done`)).toBe(false)
    while (!existsSync(`${out}.done`)) await new Promise((resolve) => setTimeout(resolve, 50))
    expect(readFileSync(out, 'utf8').trim().split('\n')).toHaveLength(60)
    expect(existsSync(`${out}.saved`)).toBe(false)
  })
})

describe('watch', () => {
  it('teaches with --help, and refuses what cannot be', () => {
    expect(telltale(['watch', '--help']).stdout).toContain('--on-critical')
    for (const [args, message] of [
      [['watch'], /missing required argument/],
      [['watch', 'a', '--dry-run'], /--dry-run needs --stop-on critical/],
      [['watch', 'a', '--ignore', 'nonsense'], /Expected one of reward-hacking/],
      [['watch', 'a', '--on-critical', '"x'], /has a " that is not closed/],
      [['watch', '-', '-'], /can be read once/],
      [['watch', 'a', '--map', 'x'], /Expected OLD=NEW/],
    ] as const) {
      const { status, stderr } = telltale([...args])
      expect([status, stderr]).toEqual([2, expect.stringMatching(message)])
    }
  })

  it('reads standard input to its end', () => {
    const lines = Array.from({ length: 30 }, (_, step) =>
      JSON.stringify({ step, loss: 1, kl_div: step < 20 ? 0.01 : 0.9 }),
    )
    const { status, stdout } = spawnSync(process.execPath, [main, 'watch', '-', '--json', ...FIXED], {
      encoding: 'utf8',
      input: `${lines.join('\n')}\n`,
    })
    const said = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string; iteration?: number })
    expect(status).toBe(0)
    expect(said.map(({ type }) => type).toSorted()).toEqual(['alert', 'iteration', 'run'])
    expect(said.find(({ type }) => type === 'iteration')).toMatchObject({ iteration: 29 })
    const ignored = spawnSync(process.execPath, [main, 'watch', '-', '--json', '--ignore', 'kl-explosion', ...FIXED], {
      encoding: 'utf8',
      input: `${lines.join('\n')}\n`,
    })
    const alerts = ignored.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string; alert?: object })
      .filter(({ type }) => type === 'alert')
    expect(alerts).toMatchObject([{ alert: { kind: 'kl-explosion', severity: 'critical', muted: true } }])
  })

  it('ends cleanly on Ctrl-C', async () => {
    const place = join(dir, 'watched')
    mkdirSync(place, { recursive: true })
    writeFileSync(join(place, 'a.jsonl'), '{"step":0,"loss":1,"kl_div":0.1}\n{"step":1,"loss":1,"kl_div":0.1}\n')
    const watcher = spawn(process.execPath, [main, 'watch', place], { cwd: dir })
    let text = ''
    watcher.stdout.on('data', (data: Buffer) => {
      text += data.toString('utf8')
      if (text.includes('iteration 1')) watcher.kill('SIGINT')
    })
    const [code] = await new Promise<[number | null]>((resolve) => watcher.once('close', (one) => resolve([one])))
    expect([code, text]).toEqual([130, expect.stringContaining('a: running, iteration 1')])
  })
})

describe('the demo', () => {
  const out = join(dir, 'short')

  it('runs from pre-trained model to report', () => {
    const { status, stdout, stderr } = telltale([
      'demo',
      '--iterations',
      '3',
      '--batch-size',
      '8',
      '--output-dir',
      out,
      '--verbose',
    ])
    expect(stderr).toBe('')
    expect(status).toBe(0)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: piped output has no escape
    expect(stdout).not.toMatch(/\u001b/)
    expect(stdout).toContain('Starting training with monitoring...')
    expect(stdout).toContain(`Reports saved to: ${out}`)
    for (const file of [
      'loss_curves.png',
      'rewards.png',
      'kl_divergence.png',
      'quality_metrics.png',
      'ppo_mechanics.png',
      'training_report.md',
      'training_report.json',
      'training_report.html',
    ]) {
      expect(stdout).toContain(`  - ${file}`)
      expect(existsSync(join(out, file)), file).toBe(true)
    }
    // The other eight, each with its cause.
    const [, others = ''] = stdout.split('Other scenarios (npm run demo -- --scenario NAME):\n')
    expect(others.match(/^ {2}[a-z-]+ +\S.*$/gm)).toHaveLength(8)
    expect(others).toMatch(/^ {2}healthy +nothing is wrong$/m)
    expect(readFileSync(join(out, 'training_report.md'), 'utf8')).toContain('## PPO Mechanics')
  })

  it('keeps an earlier run of the folder', () => {
    const { status } = telltale(['demo', '--iterations', '1', '--batch-size', '8', '--output-dir', out])
    expect(status).toBe(0)
    expect(readdirSync(join(out, 'previous-runs'))).toHaveLength(1)
  })
})

describe('looking back', () => {
  const trl = join(root, 'test', 'fixtures', 'text-sources', 'trl-grpo')
  const env = { TELLTALE_DIR: join(dir, 'kept') }

  it('imports, lists, shows, asks and forgets', () => {
    expect(telltale(['ls'], env).stdout).toMatch(/^No runs/)
    expect(telltale(['import', trl], env)).toMatchObject({ status: 0, stdout: 'trl-grpo: 12 iterations, no alerts\n' })
    expect(statSync(env.TELLTALE_DIR).mode & 0o777).toBe(0o700)
    expect(telltale(['ls'], env).stdout).toMatch(/trl-grpo +completed +12\/12/)
    expect(JSON.parse(telltale(['ls', '--json', '--status', 'completed'], env).stdout)).toMatchObject({
      runs: [{ name: 'trl-grpo' }],
    })
    expect(telltale(['show', '@last'], env).stdout).toMatch(/^trl-grpo {2}completed/)
    expect(telltale(['show', 'trl', '--gpus', '0'], env)).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/Expected an integer from 1 to 1,000,000/),
    })
    const shown = JSON.parse(telltale(['show', 'trl', '--gpus', '8', '--json'], env).stdout) as {
      afterOnset: unknown
      series: { name: string; buckets: unknown[] }[]
    }
    expect(shown.series.find(({ name }) => name === 'reward/score')?.buckets).toHaveLength(12)
    expect(shown.afterOnset).toBeNull()
    const sql = "SELECT count(*) AS n FROM points WHERE series = 'reward/score'"
    expect(telltale(['query', sql], env).stdout).toBe('n\n12\n')
    expect(telltale(['samples', 'trl'], env).stdout).toMatch(/^No answers are kept/)
    expect(telltale(['tag', 'trl', 'good', 'v1.2/x'], env).stdout).toBe('trl-grpo: good, v1.2/x\n')
    expect(telltale(['tag', 'trl', '--remove', 'v1.2/x'], env).stdout).toBe('trl-grpo: good\n')
    expect(telltale(['tag', 'trl', 'a b'], env).stderr).toMatch(/expected at most 64 letters/)
    expect(telltale(['note', 'trl', 'the first one that worked'], env).status).toBe(0)
    expect(telltale(['show', 'trl'], env).stdout).toMatch(
      /tags: good\n {2}\d{4}-\d\d-\d\d {2}the first one that worked/,
    )
    expect(telltale(['ls', '--tag', 'good'], env).stdout).toMatch(/trl-grpo/)
    expect(telltale(['ls', '--tag', 'none'], env).stdout).toMatch(/^No runs/)
    expect(telltale(['prune', '--older-than', '0m'], env).stdout).toBe('0 runs\n')
    expect(telltale(['prune', '--older-than', 'long'], env)).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/such as 30d/),
    })
    expect(telltale(['export', 'trl', '--format', 'csv'], env).stdout).toMatch(/^step,\S+\n1,[\s\S]*\n12,[^\n]*\n$/)
    const compared = telltale(['compare', '@last', 'trl-grpo'], env)
    expect(compared.stdout).toMatch(/No setting differs/)
    for (const [name, beginning] of [
      ['curves.png', '\u0089PNG'],
      ['curves.SVG', '<svg'],
    ] as const) {
      const file = join(dir, name)
      const drawn = telltale(['compare', 'trl', '@last', '--png', file], env)
      expect(drawn).toMatchObject({
        status: 0,
        stdout: expect.stringMatching(/curves\.(png|SVG): 9 series; --series NAME/),
      })
      expect(readFileSync(file, 'latin1').slice(0, 4)).toBe(beginning)
      expect(readdirSync(dir).filter((one) => one.startsWith('.curves'))).toEqual([])
      const asked = telltale(['compare', 'trl', 'trl', '--json', '--png', file, '--series', 'reward/score'], env)
      expect(JSON.parse(asked.stdout)).toMatchObject({ runs: [{}, {}], drawn: { file, series: ['reward/score'] } })
    }
    for (const [more, what] of [
      [['--png', 'curves.jpg'], /expected a name that ends in \.png or \.svg/],
      [['--png', join(main, 'below.png')], /cannot be (made|written)/],
      [['--png', 'x.png', '--series', 'none'], /no run has a series "none"; they have reward\/score/],
      [['--png', 'x.png', '--width', '4'], /Expected an integer from 5 to 40/],
    ] as const)
      expect(telltale(['compare', 'trl', 'trl', ...more], env)).toMatchObject({
        status: 2,
        stderr: expect.stringMatching(what),
      })
    expect(telltale(['compare', 'trl'], env)).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/two runs or more/),
    })
    // Read again from where it stands, and stored in its own place.
    expect(telltale(['import', '@last'], env)).toMatchObject({
      status: 0,
      stdout: 'trl-grpo: 12 iterations, no alerts\n',
    })
    expect(JSON.parse(telltale(['explain', 'trl', 'kl-explosion', '--json'], env).stdout)).toMatchObject({
      runs: [{ run: 'trl-grpo', iterations: 12 }],
    })
    const checked = telltale(['check', '@last', '--json'], env)
    expect([checked.status, checked.stderr]).toEqual([0, ''])
    expect(JSON.parse(checked.stdout)).toMatchObject({ runs: [{ run: 'trl-grpo', path: expect.any(String) }] })
    // A path that is there is meant before a run of that name.
    writeFileSync(join(env.TELLTALE_DIR, 'trl-grpo'), '{"step":0,"loss":1}\n')
    const here = spawnSync(process.execPath, [main, 'check', 'trl-grpo', '--json'], {
      ...{ encoding: 'utf8', cwd: env.TELLTALE_DIR, env: { ...process.env, ...env } },
    })
    expect(JSON.parse(here.stdout)).toMatchObject({ runs: [{ path: 'trl-grpo', iterations: 1 }] })
    expect(telltale(['check', 'no-such-run'], env)).toMatchObject({
      ...{ status: 2, stderr: expect.stringMatching(/no-such-run cannot be read/) },
    })
    expect(telltale(['check', '--help']).stdout).toMatch(/or @last\./)
    expect(JSON.parse(telltale(['doctor', '@last', '--json'], env).stdout)).toMatchObject({
      runs: [{ run: 'trl-grpo' }],
    })
    expect(telltale(['doctor', 'nonsense'], env)).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/nonsense cannot be read/),
    })
    for (const verb of ['check', 'import', 'explain', 'doctor', 'report'])
      expect(telltale([verb, '--help'], env).stdout).toMatch(/What is no path is a run that is stored/)
    expect(telltale(['verify'], env)).toMatchObject({ status: 0, stdout: 'sound: 1 runs\n' })
    const asJson = (...args: string[]) => JSON.parse(telltale([...args, '--json'], env).stdout) as unknown
    const run = { run: 'trl-grpo', name: 'trl-grpo' }
    expect(asJson('verify')).toEqual({ problems: [], holes: [] })
    expect(asJson('tag', 'trl', 'seen')).toMatchObject({ ...run, tags: expect.arrayContaining(['seen']) })
    expect(asJson('note', 'trl', 'again')).toMatchObject({
      ...run,
      notes: expect.arrayContaining([expect.objectContaining({ text: 'again' })]),
    })
    expect(asJson('prune', '--older-than', '0m')).toEqual({ dryRun: false, forgotten: [] })
    expect(asJson('rm', 'trl')).toMatchObject({ forgotten: [run] })
    telltale(['import', trl], env)
    expect(telltale(['rm', 'trl'], env).stdout).toBe('forgotten: trl-grpo\n')
    expect(telltale(['show', 'trl'], env)).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/no run is stored yet/),
    })
    expect(telltale(['query', 'DROP TABLE runs'], env)).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/expected a SELECT/),
    })
    expect(telltale(['ls', '--status', 'odd'], env)).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/expected running, completed/),
    })
  })

  it('keeps what was muted while it was watched, in every view of it', () => {
    const place = join(dir, 'muted')
    mkdirSync(place)
    const more = { TELLTALE_DIR: join(place, 'data') }
    const path = join(place, 'loud.jsonl')
    const line = (step: number) => `${JSON.stringify({ step, loss: 1, kl_div: step < 20 ? 0.01 : 0.9 })}\n`
    writeFileSync(path, Array.from({ length: 30 }, (_, step) => line(step)).join(''))
    // A training that is over at once: the run is what is there already.
    const training = ['sh', '-c', `sleep 1; touch ${path}`]
    const { status, stderr } = telltale(
      ['run', '--path', place, '--stop-on', 'critical', '--ignore', 'kl-explosion', ...FIXED, '--', ...training],
      more,
    )
    expect([status, stderr]).toEqual([0, ''])
    expect(telltale(['ls'], more).stdout).toMatch(/loud .* 1 alert, muted$/m)
    expect(JSON.parse(telltale(['ls', '--json'], more).stdout).runs).toMatchObject([
      { alerts: 1, criticalAlerts: 0, mutedAlerts: 1 },
    ])
    expect(telltale(['show', 'loud'], more).stdout).toMatch(
      /^Alerts {2}1 alert, muted\n.* critical, muted KL explosion/m,
    )
    expect(JSON.parse(telltale(['show', 'loud', '--json'], more).stdout).alerts).toMatchObject([{ muted: true }])
    const out = join(place, 'report')
    expect(telltale(['report', 'loud', ...FIXED, '--output-dir', out], more).status).toBe(0)
    expect(readFileSync(join(out, 'training_report.md'), 'utf8')).toContain('**Muted:** KL explosion (critical at')
    expect(readFileSync(join(out, 'training_report.html'), 'utf8')).toContain(
      '<strong>Muted:</strong> KL explosion (critical at',
    )
    expect(JSON.parse(readFileSync(join(out, 'training_report.json'), 'utf8')).alerts).toMatchObject([{ muted: true }])
  })

  it('a watch keeps what it sees, and goes on where it can keep nothing', async () => {
    const place = join(dir, 'kept-live')
    mkdirSync(join(place, 'runs'), { recursive: true })
    writeFileSync(join(place, 'runs', 'one.jsonl'), '{"step":0,"loss":1}\n{"step":1,"loss":2}\n{"step":2,"loss":3}\n')
    for (const [more, expected] of [
      [{ TELLTALE_DIR: join(place, 'data') }, null],
      [{ TELLTALE_DIR: join(place, 'runs', 'one.jsonl', 'below') }, /nothing is kept of these runs: .*cannot be made/],
    ] as const) {
      const child = spawn(process.execPath, [main, 'watch', 'runs', '--json'], {
        cwd: place,
        env: { ...process.env, ...more },
      })
      let output = ''
      child.stdout.on('data', (piece) => {
        output += piece
      })
      while (!output.includes('"iteration":')) await new Promise((resolve) => setTimeout(resolve, 20))
      child.kill('SIGINT')
      await new Promise((resolve) => child.on('exit', resolve))
      if (expected) expect(output).toMatch(expected)
      else expect(telltale(['show', 'one'], more).stdout).toMatch(/loss\S* +1\.00 +(2|3)\.00/)
    }
  })
})

describe('alerts that reach a person', () => {
  const place = join(dir, 'person')
  const got: { change: string; name: string; severity: string }[] = []
  let server: Server
  let env: NodeJS.ProcessEnv
  const lines = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, i) => {
      const step = from + i
      return `${JSON.stringify({ step, reward: 1, frac_reward_zero_std: 0, loss: 0.1, kl: step >= 20 && step < 30 ? 0.9 : 0.02 })}\n`
    }).join('')
  const until = async (condition: () => boolean) => {
    while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20))
  }

  beforeAll(async () => {
    mkdirSync(join(place, 'runs'), { recursive: true })
    server = createServer((request, response) => {
      let body = ''
      request.on('data', (piece) => {
        body += piece
      })
      request.on('end', () => {
        const { notifications } = JSON.parse(body) as {
          notifications: { change: string; name: string; alert: { severity: string } }[]
        }
        for (const { change, name, alert } of notifications) got.push({ change, name, severity: alert.severity })
        response.end()
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    env = { ...process.env, HOOK: `http://127.0.0.1:${(server.address() as AddressInfo).port}/secret-path` }
    writeFileSync(
      join(place, 'telltale.config.json'),
      JSON.stringify({ mode: 'threshold', webhooks: [{ urlFrom: 'HOOK' }] }),
    )
    writeFileSync(join(place, 'runs', 'mine.jsonl'), lines(0, 10))
  })
  afterAll(() => void server.close())

  it('are told once each: raised, and passed; a watch that begins later tells none of them again', async () => {
    const start = () =>
      spawn(process.execPath, [main, 'watch', 'runs', '--json'], { cwd: place, env, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    const first = start()
    first.stdout!.on('data', (piece) => {
      output += piece
    })
    await until(() => output.includes('"type":"run"'))
    appendFileSync(join(place, 'runs', 'mine.jsonl'), lines(10, 25))
    await until(() => got.length === 1)
    appendFileSync(join(place, 'runs', 'mine.jsonl'), lines(25, 60))
    await until(() => got.length === 2)
    expect(got).toEqual([
      { change: 'opened', name: 'mine', severity: 'critical' },
      { change: 'resolved', name: 'mine', severity: 'critical' },
    ])
    first.kill('SIGINT')
    await new Promise((resolve) => first.on('exit', resolve))
    const second = start()
    let again = ''
    second.stdout!.on('data', (piece) => {
      again += piece
    })
    await until(() => again.includes('"type":"alert"'))
    appendFileSync(join(place, 'runs', 'mine.jsonl'), lines(60, 70))
    await until(() => again.includes('"iteration":68'))
    second.kill('SIGINT')
    await new Promise((resolve) => second.on('exit', resolve))
    expect(got).toHaveLength(2)
    expect(output + again).not.toContain('secret-path')
  })

  it('notify --test says what became of each', () => {
    const run = (more: NodeJS.ProcessEnv, args: string[] = []) =>
      spawnSync(process.execPath, [main, 'notify', '--test', ...args], {
        cwd: place,
        env: { ...env, ...more },
        encoding: 'utf8',
      })
    // The server is in this process, which waits: only that it is not reached can be seen here.
    const away = run({ HOOK: 'http://127.0.0.1:1/secret-path' })
    expect([away.status, away.stdout]).toEqual([
      1,
      expect.stringMatching(/^webhook HOOK \(json\): did not arrive: .*tried 3 times/),
    ])
    expect(away.stdout + away.stderr).not.toContain('secret-path')
    expect(run({}, ['--severity', 'info'])).toMatchObject({
      status: 2,
      stdout: expect.stringMatching(/not sent: it hears of warning/),
    })
    const json = run({ HOOK: 'http://127.0.0.1:1/secret-path' }, ['--json'])
    expect([json.status, json.stderr]).toEqual([1, ''])
    expect(json.stdout).not.toContain('secret-path')
    expect(JSON.parse(json.stdout)).toEqual({
      severity: 'critical',
      targets: [
        { name: 'webhook HOOK', form: 'json', state: 'failed', problem: expect.stringMatching(/tried 3 times/) },
      ],
    })
    expect(JSON.parse(run({}, ['--json', '--severity', 'info']).stdout).targets).toEqual([
      { name: 'webhook HOOK', form: 'json', state: 'not-sent', problem: 'it hears of warning and above' },
    ])
    const unset = run({ HOOK: '' })
    expect([unset.status, unset.stderr]).toEqual([
      2,
      expect.stringMatching(/HOOK: the environment variable is not set/),
    ])
    expect(telltale(['notify', '--test']).stderr).toMatch(
      /telltale\.config\.json, which is not in this folder, names no webhook/,
    )
    expect(telltale(['notify']).stderr).toMatch(/say --test/)
  })

  it('a configuration that starts programs is not taken from what is watched', () => {
    const folder = join(dir, 'untrusted')
    mkdirSync(join(folder, 'runs'), { recursive: true })
    writeFileSync(join(folder, 'telltale.config.json'), JSON.stringify({ onAlert: 'touch started' }))
    for (const path of ['.', '..', folder]) {
      const { status, stderr } = spawnSync(process.execPath, [main, 'watch', path], { cwd: folder, encoding: 'utf8' })
      expect([status, stderr]).toEqual([2, expect.stringMatching(/names a program to start: say --config/)])
    }
  })

  it('a program that takes its time does not hold up the end', async () => {
    const folder = join(dir, 'slow-program')
    mkdirSync(folder)
    writeFileSync(join(folder, 'a.jsonl'), lines(0, 10))
    const slow = `sh -c 'echo $$ > slow.pid; exec sleep 600'`
    const args = [main, 'watch', 'a.jsonl', '--json', '--mode', 'threshold', '--on-alert', slow]
    const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] })
    let output = ''
    child.stdout.on('data', (piece) => {
      output += piece
    })
    await until(() => output.includes('"type":"run"'))
    appendFileSync(join(folder, 'a.jsonl'), lines(10, 25))
    const started = () =>
      existsSync(join(folder, 'slow.pid')) ? Number(readFileSync(join(folder, 'slow.pid'), 'utf8')) : 0
    await until(() => output.includes('"type":"alert"') && started() > 0)
    const ended = new Promise((resolve) => child.on('exit', resolve))
    child.kill('SIGINT')
    expect(await ended).toBe(130)
    process.kill(started())
  })

  it('a configuration that is wrong is bad usage, before anything is watched', () => {
    writeFileSync(join(place, 'wrong.json'), '{"webhook": []}')
    for (const args of [
      ['watch', 'runs'],
      ['check', 'runs'],
      ['run', '--', 'true'],
    ]) {
      const { status, stderr } = spawnSync(
        process.execPath,
        [main, args[0]!, '--config', 'wrong.json', ...args.slice(1)],
        { cwd: place, env, encoding: 'utf8' },
      )
      expect([status, stderr]).toEqual([2, expect.stringMatching(/webhook is unknown: did you mean webhooks\?/)])
    }
  })
})

describe('looking into runs', () => {
  const trl = join(root, 'test', 'fixtures', 'text-sources', 'trl-grpo')
  const guide = readFileSync(join(root, 'docs', 'guide', 'look-into-a-run.md'), 'utf8')

  it('doctor says of the run in the guide what the guide shows', () => {
    const [, args, shown] = /<!-- telltale (doctor [^>]*) -->\n```\n([^`]*)```/.exec(guide)!
    const { status, stdout } = spawnSync(process.execPath, [main, ...args!.split(' ')], {
      encoding: 'utf8',
      cwd: root,
      env: { ...process.env, COLUMNS: '100', LANG: 'C.UTF-8', LC_ALL: '', NO_COLOR: '1' },
    })
    expect([status, stdout.trim()]).toEqual([0, shown!.trim()])
  })

  it('doctor and explain print JSON for programs', () => {
    const doctor = telltale(['doctor', trl, '--json'])
    expect(doctor.status).toBe(0)
    expect(JSON.parse(doctor.stdout)).toMatchObject({
      runs: [{ trainer: 'trl-grpo', source: 'trainer-state' }],
      errors: [],
    })
    const explain = telltale(['explain', trl, 'kl-explosion', '--json'])
    expect(JSON.parse(explain.stdout)).toMatchObject({ runs: [{ kinds: [{ kind: 'kl-explosion', watched: true }] }] })
    const machine = telltale(['doctor', '--json'], { TELLTALE_PYTHON: '/no/such/python' })
    expect(JSON.parse(machine.stdout)).toMatchObject({ machine: [{ what: 'Node' }, {}, {}, {}, {}, {}, {}, {}] })
  })

  it('report writes what a monitor would have written', () => {
    const out = join(dir, 'reported')
    const { status, stdout } = telltale(['report', trl, '--output-dir', out])
    expect([status, stdout]).toEqual([0, expect.stringContaining('training_report.html')])
    expect(readFileSync(join(out, 'trl-grpo', 'training_report.md'), 'utf8')).toContain(
      'The run completed all 12 iterations',
    )
    expect(existsSync(join(out, 'trl-grpo', 'rewards.png'))).toBe(true)
  })

  it.each([
    [['explain'], /missing required argument/],
    [['explain', trl, 'no-such-kind'], /Allowed choices are reward-hacking/],
    [['explain', trl, '--mode', 'threshold'], /unknown option/],
    [['report', join(dir, 'nothing')], /nothing cannot be read/],
    [['doctor', join(dir, 'nothing')], /nothing cannot be read/],
    [['report', trl, '--output-dir', join(main, 'below')], /cannot be (made|written)/],
  ])('%j is bad usage', (args, message) => {
    const { status, stderr } = telltale(args)
    expect([status, stderr]).toEqual([2, expect.stringMatching(message)])
  })
})

describe('signals', () => {
  function start(name: string): {
    child: ChildProcess
    out: string
    output: () => string
    ended: Promise<{ code: number | null; signal: string | null }>
  } {
    const out = join(dir, name)
    const child = spawn(
      process.execPath,
      [main, 'demo', '--iterations', '200', '--batch-size', '8', '--output-dir', out],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    )
    let text = ''
    child.stdout!.on('data', (data) => {
      text += data
    })
    child.stderr!.on('data', (data) => {
      text += data
    })
    const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) =>
      child.on('exit', (code, signal) => resolve({ code, signal })),
    )
    return { child, out, output: () => text, ended }
  }

  async function until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise((resolve) => setTimeout(resolve, 50))
  }

  const events = (out: string) => {
    const name = existsSync(out) ? readdirSync(out).find((file) => file.endsWith('.jsonl')) : undefined
    return name ? readFileSync(join(out, name), 'utf8') : ''
  }

  it('Ctrl-C in mid-run leaves plots and a report of what there was', async () => {
    const { child, out, output, ended } = start('interrupted')
    await until(() => events(out).includes('"phase":"iteration_end","iteration":2'))
    child.kill('SIGINT')
    expect(await ended).toMatchObject({ signal: null, code: 130 })
    expect(output()).toContain('Early stopping: interrupted by SIGINT')
    expect(existsSync(join(out, 'rewards.png'))).toBe(true)
    const report = JSON.parse(readFileSync(join(out, 'training_report.json'), 'utf8')) as {
      summary: { status: string }
    }
    expect(JSON.stringify(report)).toContain('interrupted by SIGINT')
    expect(events(out)).toContain('"type":"end","run"')
  })

  it('Ctrl-C before the first iteration still leaves a report', async () => {
    const { child, out, output, ended } = start('early')
    await until(() => output().includes('Answers for the judge'))
    child.kill('SIGINT')
    await ended
    expect(output()).toContain('Reports saved to')
    expect(existsSync(join(out, 'training_report.md'))).toBe(true)
  })

  it('the second Ctrl-C ends at once, and the log has its end', async () => {
    const { child, out, ended } = start('twice')
    await until(() => events(out).includes('"phase":"iteration_end","iteration":0'))
    child.kill('SIGINT')
    child.kill('SIGINT')
    await new Promise((resolve) => setTimeout(resolve, 20))
    child.kill('SIGINT')
    expect(await ended).toMatchObject({ code: 130 })
    expect(events(out)).toContain('"phase":"training_end"')
  })

  it('kill -9 leaves a log that can be read to its last line', async () => {
    const { child, out, ended } = start('killed')
    await until(() => events(out).includes('"phase":"iteration_end","iteration":3'))
    child.kill('SIGKILL')
    await ended
    const lines = events(out).split('\n')
    expect(lines.pop()).toBe('')
    const parsed = lines.map((line) => JSON.parse(line) as { seq: number })
    expect(parsed.map(({ seq }) => seq)).toEqual(parsed.map((_, i) => i + 1))
  })
})

describe('the log under kill -9', () => {
  it('has every event whose onEvent had returned, several processes at once', async () => {
    const script = `
      import { writeSync } from 'node:fs'
      import { TrainingMonitor } from ${JSON.stringify(join(root, 'dist', 'index.js'))}
      const monitor = new TrainingMonitor({ outputDir: process.argv[1], runId: 'shared' })
      for (let iteration = 0; ; iteration++) {
        monitor.onEvent({ phase: 'iteration_end', iteration, metrics: { reward: iteration }, metadata: { responses: ['an answer'] } })
        writeSync(1, iteration + '\\n')
      }`
    const out = join(dir, 'durable')
    const writers = await Promise.all(
      [0, 1].map(async () => {
        const child = spawn(process.execPath, ['--input-type=module', '-e', script, out], {
          stdio: ['ignore', 'pipe', 'inherit'],
        })
        let acknowledged = ''
        child.stdout.on('data', (data) => {
          acknowledged += data
          if (acknowledged.length > 20_000) child.kill('SIGKILL')
        })
        await new Promise((resolve) => child.on('close', resolve))
        return Number(acknowledged.slice(0, acknowledged.lastIndexOf('\n')).split('\n').at(-1))
      }),
    )
    const logs = readdirSync(out).filter((name) => name.endsWith('.jsonl'))
    expect(logs).toHaveLength(2)
    const newest = logs.map((name) => {
      const lines = readFileSync(join(out, name), 'utf8')
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as { seq: number; iteration?: number })
      expect(lines.map(({ seq }) => seq)).toEqual(lines.map((_, i) => i + 1))
      return Math.max(...lines.map(({ iteration }) => iteration ?? -1))
    })
    for (const [i, iteration] of newest.toSorted((a, b) => a - b).entries())
      expect(iteration).toBeGreaterThanOrEqual(writers.toSorted((a, b) => a - b)[i]!)
  })
})
