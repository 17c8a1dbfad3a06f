import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { afterAll, describe, expect, it } from 'vitest'
import { bellOptions, ignoreOption, stopOnOptions } from './source-options.ts'
import { withConfig } from './with-config.ts'

const dir = mkdtempSync(join(tmpdir(), 'telltale-with-config-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

/** What a verb is given: these arguments, with this configuration. */
function given(args: readonly string[], settings: object): object {
  const config = join(dir, 'settings.json')
  writeFileSync(config, JSON.stringify(settings))
  const command = new Command()
  for (const option of [...bellOptions(), ...stopOnOptions(''), ignoreOption()]) command.addOption(option)
  return withConfig({ ...command.parse(args, { from: 'user' }).opts(), config }, { acts: true })
}

describe('flags and a configuration', () => {
  it.each([
    [[], {}, {}],
    [['--bell'], {}, { bell: true }],
    [[], { bell: true }, { bell: true }],
    [['--no-bell'], { bell: true }, { bell: false }],
    [['--bell'], { bell: false }, { bell: true }],
    [[], { stopOn: 'critical' }, { stopOn: 'critical' }],
    [['--stop-on', 'critical'], {}, { stopOn: 'critical' }],
    [['--no-stop-on'], { stopOn: 'critical' }, { stopOn: false }],
    [['--ignore', 'stall'], { ignore: ['loss-spike'] }, { ignore: new Set(['loss-spike', 'stall']) }],
  ])('%j with %j is %j', (args, settings, expected) => {
    expect(given(args, settings)).toEqual({ webhooks: [], ...expected })
  })
})
