import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'

const cli = new URL('../../dist/cli/main.js', import.meta.url).pathname
const dir = realpathSync(mkdtempSync(join(tmpdir(), 'telltale-network-')))
afterAll(() => rmSync(dir, { recursive: true, force: true }))
const shared = join(dir, 'shared')
const data = join(shared, 'data')
mkdirSync(shared)
// No network file system can be mounted in a test: Node says of this one folder that it is NFS.
const preload = join(dir, 'nfs.mjs')
writeFileSync(
  preload,
  `import fs from 'node:fs'
  import { syncBuiltinESMExports } from 'node:module'
  const { statfsSync } = fs
  fs.statfsSync = (path) => ({ ...statfsSync(path), ...(path.startsWith(${JSON.stringify(shared)}) ? { type: 0x6969 } : {}) })
  syncBuiltinESMExports()`,
)

function telltale(machine: string, ...args: readonly string[]) {
  const { stdout, stderr, status } = spawnSync(process.execPath, [cli, ...args], {
    encoding: 'utf8',
    env: {
      ...process.env,
      ...{ TELLTALE_DIR: data, XDG_CACHE_HOME: join(dir, machine), NO_COLOR: '1' },
      NODE_OPTIONS: `--import ${preload}`,
    },
  })
  const notes = stderr.split('\n').filter((line) => line.includes('is on NFS'))
  return { stdout, stderr, status, notes }
}

// What is preloaded is Linux's number.
it.skipIf(process.platform !== 'linux')(
  'a store whose data folder is on a network is on this machine, for every verb',
  () => {
    const runs = join(dir, 'runs')
    mkdirSync(runs)
    writeFileSync(
      join(runs, 'one.jsonl'),
      Array.from({ length: 30 }, (_, step) => `${JSON.stringify({ step, reward: step, loss: 1 })}\n`).join(''),
    )
    const count = 'SELECT count(*) FROM runs'
    for (const [args, expected] of [
      [['import', runs], /^one: 30 iterations/],
      [['ls'], /^one /m],
      [['show', 'one'], /^one /],
      [['export', 'one', '--format', 'csv'], /^step,/],
      [['query', count], /\n1\n$/],
      [['verify'], /^sound: 1 runs/],
      [['rebuild'], /1 runs, sound/],
      [['report', 'one', '--output-dir', join(dir, 'report')], /training_report\.html/],
      [['run', '--json', '--', process.execPath, '-e', 'console.log("{\\"step\\":0,\\"loss\\":1}")'], /./],
    ] as const) {
      const said = telltale('a', ...args)
      expect(said, args[0]).toMatchObject({ status: 0, stdout: expect.stringMatching(expected) })
      expect(said.notes, args[0]).toHaveLength(1)
      expect(said.notes[0]).toContain(`the store is ${join(dir, 'a', 'telltale')}/`)
    }
    expect(existsSync(join(data, 'telltale.db'))).toBe(false)
    const doctor = telltale('a', 'doctor', '--json')
    expect(JSON.parse(doctor.stdout).machine).toContainEqual({
      ...{ what: 'store', state: 'note', todo: expect.any(String) },
      said: expect.stringContaining(join(dir, 'a', 'telltale')),
    })
    // Another machine has a store of its own, and makes it of the runs.
    expect(telltale('b', 'ls').stdout).toMatch(/^No runs/)
    expect(telltale('b', 'rebuild').stderr).toContain('no run is stored: say where the runs are')
    expect(telltale('b', 'rebuild', runs)).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('1 runs, sound'),
    })
    expect(telltale('b', 'query', count).stdout).toMatch(/\n1\n$/)
  },
)
