import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { type FoundRun, runFinder } from './find-runs.ts'

const fixtures = new URL('../../test/fixtures/text-sources/', import.meta.url).pathname
const dir = mkdtempSync(join(tmpdir(), 'telltale-find-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

let count = 0
let root = ''
beforeEach(() => {
  root = join(dir, `root-${count++}`)
  mkdirSync(root)
})

const put = (path: string, text: string) => {
  mkdirSync(join(root, path, '..'), { recursive: true })
  writeFileSync(join(root, path), text)
}
const said = (runs: readonly FoundRun[]) =>
  runs.map(({ name, parts }) => [name, parts.map(({ format }) => format.name)])
const find = async (path = root) => (await runFinder([path]).find()).runs
const line = '{"step":1,"loss":0.5}\n'

describe('the runs below a folder', () => {
  it('are one where checkpoints and what was printed are in one output folder', async () => {
    cpSync(join(fixtures, 'trl-grpo'), join(root, 'out'), { recursive: true })
    expect(said(await find())).toEqual([['out', ['trainer-state', 'console']]])
  })

  it('have the name of the folder above where their own says nothing', async () => {
    cpSync(join(fixtures, 'trl-grpo'), join(root, 'grpo-7/output'), { recursive: true })
    expect((await find()).map(({ name }) => name)).toEqual(['grpo-7'])
  })

  it('of the same name are told apart by as few folders above their own as it takes, whatever files they have', async () => {
    cpSync(join(fixtures, 'trl-grpo'), join(root, 'good/out'), { recursive: true })
    cpSync(join(fixtures, 'trl-grpo/checkpoint-4'), join(root, 'bad/out/checkpoint-4'), { recursive: true })
    for (const place of ['a/try', 'b/try']) put(`${place}/steps.jsonl`, line)
    expect((await find()).map(({ name }) => name)).toEqual(['a-try-steps', 'b-try-steps', 'bad-out', 'good-out'])
  })

  it('take no file of another folder, however near it is', async () => {
    put('run.jsonl', line)
    cpSync(join(fixtures, 'console/verl.log'), join(root, 'unrelated/verl.log'))
    cpSync(join(fixtures, 'trl-grpo/checkpoint-4'), join(root, 'sub/checkpoint-4'), { recursive: true })
    expect(said(await find())).toEqual([
      ['run', ['jsonl']],
      ['sub', ['trainer-state']],
      ['verl', ['console']],
    ])
  })

  it('are as many as files where a folder has several of a kind, and nobody knows whose the others are', async () => {
    put('a.jsonl', line)
    put('b.jsonl', line)
    cpSync(join(fixtures, 'console/verl.log'), join(root, 'train.log'))
    expect((await find()).map(({ parts }) => parts.length)).toEqual([1, 1, 1])
  })

  it('of verl have the answers of their rollouts', async () => {
    cpSync(join(fixtures, 'verl'), join(root, 'verl'), { recursive: true })
    expect(said(await find())).toEqual([['verl', ['verl', 'jsonl']]])
  })

  it('are neither data sets, nor readmes, nor tables without a step, nor what another program prints', async () => {
    put('data.jsonl', '{"prompt":"a","chosen":"b","rejected":"c"}\n'.repeat(10))
    put('README.txt', 'step one: read this\n')
    put('requirements.txt', 'torch==2.13.0\n')
    put('results.csv', 'name,score\na,1\n')
    put('server.log', "GET / {'status': 200}\n")
    put('config.json', '{"step": 3}')
    put('previous-runs/old/events-w.jsonl', '{"v":1,"type":"run"}\n')
    put('node_modules/x/run.jsonl', line)
    put('noise.jsonl', '\0\u0001\u0002')
    expect(await find()).toEqual([])
  })

  it('are found once through cycles of links, and links to nowhere hold up nothing', async () => {
    put('a/run.jsonl', line)
    symlinkSync(root, join(root, 'a', 'loop'))
    symlinkSync(join(root, 'a'), join(root, 'again'))
    symlinkSync(join(root, 'nowhere'), join(root, 'broken'))
    expect(said(await find())).toEqual([['run', ['jsonl']]])
  })

  it('have their own names, and are found once, where a link leads to the newest of them', async () => {
    for (const name of ['run-1', 'run-2']) put(`runs/${name}/train.jsonl`, line)
    for (const newest of ['run-1', 'run-2']) {
      rmSync(join(root, 'latest'), { force: true })
      symlinkSync(join(root, 'runs', newest), join(root, 'latest'))
      rmSync(join(root, 'latest.jsonl'), { force: true })
      symlinkSync(join(root, 'runs', newest, 'train.jsonl'), join(root, 'latest.jsonl'))
      const found = await find()
      expect(found.map(({ name }) => name)).toEqual(['run-1', 'run-2'])
      expect(found.flatMap(({ parts }) => parts.map(({ path }) => path))).toEqual(
        ['run-1', 'run-2'].map((name) => join(root, 'runs', name, 'train.jsonl')),
      )
    }
  })

  it('that begin later are found by looking again, also in a file that was empty', async () => {
    const finder = runFinder([root])
    put('a.jsonl', '')
    put('train.log', 'Loading weights\n')
    expect((await finder.find()).runs).toEqual([])
    put('a.jsonl', line)
    put('b.jsonl', line)
    cpSync(join(fixtures, 'console/verl.log'), join(root, 'train.log'))
    const runs = (await finder.find()).runs
    expect(runs.map(({ name }) => name)).toEqual(['a', 'b', expect.stringContaining('root-')])
    expect((await finder.find()).runs.map(({ key }) => key)).toEqual(runs.map(({ key }) => key))
  })

  it('are thousands', async () => {
    for (let i = 0; i < 3000; i++) put(`run-${i}/run.jsonl`, line)
    const runs = await find()
    expect(runs).toHaveLength(3000)
    expect(new Set(runs.map(({ key }) => key)).size).toBe(3000)
    expect(new Set(runs.map(({ name }) => name)).size).toBe(3000)
  })

  it('tell what cannot be read', async () => {
    const { runs, unreadable } = await runFinder([join(root, 'missing')]).find()
    expect(runs).toEqual([])
    expect(unreadable).toMatchObject([{ problem: expect.stringMatching(/missing cannot be read: ENOENT/) }])
  })

  it('end the search when they are told to', async () => {
    put('a/run.jsonl', line)
    await expect(runFinder([root]).find(AbortSignal.abort())).rejects.toThrow()
  })
})

describe('a file that is named', () => {
  it('is read alone, and even where nothing is recognised in it', async () => {
    put('a.jsonl', line)
    put('train.log', 'nothing\n')
    put('strange', 'nothing\n')
    expect(said(await find(join(root, 'a.jsonl')))).toEqual([['a', ['jsonl']]])
    expect(said(await find(join(root, 'strange')))).toEqual([['strange', ['jsonl']]])
  })
})
