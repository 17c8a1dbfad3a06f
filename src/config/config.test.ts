import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, describe, expect, it } from 'vitest'
import { configurationMarkdown } from '../../scripts/configuration.mjs'
import { runCommand } from '../cli/run.ts'
import { watchCommand } from '../cli/watch.ts'
import { webhookTargets } from '../outputs/webhook/webhook-targets.ts'
import { loadConfig } from './load-config.ts'
import { configJsonSchema } from './schema.ts'

const place = mkdtempSync(join(tmpdir(), 'telltale-config-'))
afterAll(() => rmSync(place, { recursive: true, force: true }))

let number = 0
function file(content: unknown): string {
  const path = join(place, `${number++}.json`)
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}

describe('a configuration', () => {
  it('need not be there, unless it was named', () => {
    expect(loadConfig(undefined, place)).toEqual({ file: null, config: {} })
    expect(() => loadConfig('none.json', place)).toThrow(/none\.json cannot be read/)
    writeFileSync(join(place, 'telltale.config.json'), '{"ignore": ["stall"]}')
    expect(loadConfig(undefined, place)).toEqual({
      file: join(place, 'telltale.config.json'),
      config: { ignore: ['stall'] },
    })
  })

  it.each([
    ['{', /is no JSON/],
    [{ falseAlarmrate: 1 }, /falseAlarmrate is unknown: did you mean falseAlarmRate\?/],
    [{ 'false-alarm-rate': 1 }, /false-alarm-rate is unknown: did you mean falseAlarmRate\?/],
    [{ something: 1 }, /something is unknown; known are mode, preset, /],
    [{ falseAlarmRate: 2 }, /falseAlarmRate is 2; expected at most 0\.5/],
    [{ ignore: ['kl'] }, /ignore\[0\] is "kl"; expected one of reward-hacking, /],
    [{ webhooks: [{}] }, /webhooks\[0\]\.urlFrom is missing; expected string/],
    [{ webhooks: [{ urlFrom: 'A B' }] }, /webhooks\[0\]\.urlFrom is "A B"; expected a name of letters/],
    [{ webhooks: [{ url: 'x', urlFrom: 'A' }] }, /webhooks\[0\]\.url is unknown: write urlFrom/],
    [[], /the whole is \[\]; expected object/],
    [{ bell: 'yes\u001b[31m' }, /bell is "yes.*"; expected boolean/],
  ])('%j: says the key, what was expected and what came', (content, message) => {
    expect(() => loadConfig(file(content))).toThrow(message)
  })

  it('never says an address that stands where it should not', () => {
    const path = file({ webhooks: [{ urlFrom: 'https://hooks.slack.com/services/T/B/secret' }] })
    expect(() => loadConfig(path)).toThrow(/holds an address; expected the name of an environment variable/)
    expect(() => loadConfig(path)).not.toThrow(/secret"/)
  })

  const address = 'https://hooks.slack.com/services/T/B/sesame'
  it.each([
    { webhooks: address },
    { webhooks: [address] },
    { webhooks: { url: address } },
    { webhooks: [{ [address]: 1 }] },
    { webhooks: [{ urlFrom: ` ${address}` }] },
    { webhooks: [{ urlFrom: [address] }] },
    { webhooks: [{ urlFrom: address.slice(8) }] },
    { webhooks: [{ urlFrom: 'A', form: address }] },
    { ignore: address },
    { [address]: 1 },
    `{\n"webhooks": [{"urlFrom": ${address}}]}`,
    `{"webhooks": [{"urlFrom": "${address}\n"}]}`,
  ])('never says an address: %j', (content) => {
    let said: unknown
    try {
      loadConfig(file(content))
    } catch (error) {
      said = error
    }
    expect(said).toMatchObject({ code: 'bad-option' })
    // With its cause and whatever else it holds.
    expect(inspect(said)).not.toMatch(/sesame|hooks\.slack|https:/)
  })

  it('names the line of what is no JSON', () => {
    expect(() => loadConfig(file('{\n  "bell": true,\n  "ignore": yes\n}'))).toThrow(/is no JSON: .*in line 3$/)
  })

  it('takes addresses from the environment, and says which variable is wrong', () => {
    const { config } = loadConfig(
      file({ webhooks: [{ urlFrom: 'HOOK' }, { urlFrom: 'OTHER', form: 'json', severity: 'critical' }] }),
    )
    const env = { HOOK: 'https://hooks.slack.com/services/x', OTHER: 'http://localhost:1/x' }
    expect(webhookTargets(config.webhooks ?? [], env)).toEqual([
      { name: 'webhook HOOK', url: env.HOOK, form: 'slack', severity: 'warning' },
      { name: 'webhook OTHER', url: env.OTHER, form: 'json', severity: 'critical' },
    ])
    expect(() => webhookTargets(config.webhooks ?? [], { HOOK: env.HOOK })).toThrow(
      /OTHER: the environment variable is not set/,
    )
    expect(() => webhookTargets(config.webhooks ?? [], { HOOK: 'secret-words', OTHER: env.OTHER })).toThrow(
      /HOOK: .* no address/,
    )
    expect(() => webhookTargets(config.webhooks ?? [], { HOOK: 'secret-words', OTHER: env.OTHER })).not.toThrow(
      /secret-words/,
    )
  })
})

it('the page of all keys is up to date, and the flags that it names are there', () => {
  const page = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8')
  // `npm run build && npm run docs -- configuration` writes it anew.
  expect(page).toBe(configurationMarkdown(configJsonSchema()))
  const flags = new Set(page.match(/(?<=`)--[a-z-]+/g))
  expect(flags.size).toBeGreaterThan(10)
  for (const command of [watchCommand(), runCommand()]) {
    const known = command.options.map(({ long }) => long)
    expect([...flags].filter((flag) => !known.includes(flag))).toEqual([])
  }
})

it('the JSON schema and the page about it are up to date', async () => {
  const schema = `${JSON.stringify(configJsonSchema(), null, 2)}\n`
  const root = new URL('../../', import.meta.url)
  await expect(schema).toMatchFileSnapshot(new URL('telltale.config.schema.json', root).pathname)
  const page = readFileSync(new URL('docs/guide/be-called.md', root), 'utf8')
  const { properties } = configJsonSchema() as { properties: Record<string, { description: string }> }
  for (const key of Object.keys(properties)) if (key !== '$schema') expect(page).toContain(`\`${key}\``)
})
