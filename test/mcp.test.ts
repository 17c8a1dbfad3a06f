import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { afterAll, beforeAll, expect, it } from 'vitest'

// The protocol's own client, and the command as an agent starts it.
const root = fileURLToPath(new URL('../', import.meta.url))
const main = join(root, 'dist', 'cli', 'main.js')
const dir = mkdtempSync(join(tmpdir(), 'telltale-mcp-'))
const env = { ...process.env, TELLTALE_DIR: dir } as Record<string, string>
const client = new Client({ name: 'test', version: '1' })

beforeAll(async () => {
  if (!existsSync(main)) execFileSync(process.execPath, [join(root, 'scripts', 'build.mjs')])
  execFileSync(process.execPath, [main, 'import', join(root, 'test', 'fixtures', 'text-sources')], { env })
  await client.connect(new StdioClientTransport({ command: process.execPath, args: [main, 'mcp'], env }))
})
afterAll(async () => {
  await client.close()
  rmSync(dir, { recursive: true, force: true })
})

async function call(name: string, args: Record<string, unknown> = {}) {
  const { content, isError = false } = await client.callTool({ name, arguments: args })
  const [{ text }] = content as [{ text: string }]
  return { isError, text, json: isError ? null : (JSON.parse(text) as unknown) }
}

it('offers what can be read, and nothing that writes', async () => {
  const { tools } = await client.listTools()
  expect(tools.map(({ name }) => name)).toEqual([
    'list_runs',
    'describe_run',
    'alerts',
    'compare_runs',
    'query_series',
    'samples',
  ])
  for (const { annotations, description } of tools) {
    expect(annotations?.readOnlyHint).toBe(true)
    expect(description!.length).toBeGreaterThan(20)
  }
})

it('lists, describes, compares, and gives series in buckets', async () => {
  const runs = (await call('list_runs')).json as { name: string; path: string }[]
  expect(runs.map(({ name }) => name)).toContain('trl-grpo')
  const described = (await call('describe_run', { run: 'trl-grpo' })).json as {
    series: { name: string; last: unknown }[]
    notWatched: string[]
  }
  expect(described).toMatchObject({ trainer: 'trl-grpo', status: 'completed', settings: { max_steps: 12 } })
  expect(described.notWatched.join(' ')).toContain('no quality signal')
  const buckets = (await call('query_series', { run: 'trl-grpo', series: 'reward/score', buckets: 3 }))
    .json as unknown[]
  expect(buckets).toHaveLength(3)
  expect((await call('alerts', { run: 'trl-grpo' })).json).toEqual([])
  const others = runs.filter(({ name }) => name !== 'trl-grpo').map(({ path }) => path)
  expect((await call('compare_runs', { runs: ['trl-grpo', others[0]] })).json).toMatchObject({ runs: [{}, {}] })
  expect((await call('samples', { run: 'trl-grpo' })).json).toEqual([])
})

it('says what is wrong with a question', async () => {
  expect(await call('describe_run', { run: 'nobody' })).toMatchObject({
    isError: true,
    text: expect.stringContaining('no stored run is called'),
  })
  expect(await call('query_series', { run: 'trl-grpo', series: 'x' })).toMatchObject({
    isError: true,
    text: expect.stringMatching(/it has .*loss\/total/),
  })
})
