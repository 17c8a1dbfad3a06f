import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newReadReport } from '../../src/log/read-report.ts'
import { readRun } from '../../src/log/read-run.ts'
import { needPython, runPython } from './python.fixture.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const dir = mkdtempSync(join(tmpdir(), 'telltale-client-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))
beforeAll(needPython)

describe('the Python client', () => {
  it('passes its own tests, and Telltale reads every log that they left', async () => {
    const kept = join(dir, 'pytest')
    const done = runPython([
      '-m',
      'pytest',
      '-q',
      '-p',
      'no:cacheprovider',
      'tests',
      `--basetemp=${kept}`,
      '-o',
      'tmp_path_retention_policy=all',
    ])
    expect(done.status, done.stdout + done.stderr).toBe(0)
    expect(done.stdout).not.toMatch(/skipped|xfailed/)
    const logs = readdirSync(kept, { recursive: true, encoding: 'utf8' }).filter(
      (path) => /events-\w+\.jsonl$/.test(path) && !/current/.test(path) && statSync(join(kept, path)).isFile(),
    )
    const folders = new Set(logs.map((path) => dirname(path)))
    expect(folders.size).toBeGreaterThan(40)
    for (const folder of folders) {
      const report = newReadReport()
      let lines = 0
      for await (const line of readRun(join(kept, folder), report)) if (line) lines++
      expect(lines, folder).toBeGreaterThanOrEqual(2)
      // The disk that was full has left half a line; nothing else may.
      expect(report.damagedCount, `${folder}: ${JSON.stringify(report.damaged)}`).toBe(folder.endsWith('full') ? 1 : 0)
      expect(report.repeated, folder).toBe(0)
      if (!folder.endsWith('full')) expect(report.missing, folder).toBe(0)
    }
  })

  it('has types that mypy --strict finds nothing in', () => {
    const { status, stdout } = runPython(['-m', 'mypy', '--strict', `--cache-dir=${join(dir, 'mypy')}`, 'telltale'])
    expect(status, stdout).toBe(0)
  })

  it('has examples in its docstrings that print what they say', () => {
    const { status, stdout } = runPython(['-m', 'doctest', 'telltale/__init__.py', '-v'])
    expect(status, stdout).toBe(0)
    expect(stdout).toMatch(/\d\d passed/)
  })

  it('runs the Python of its documents', () => {
    const documents = ['python/README.md', 'docs/guide/watch-a-python-training.md']
    const blocks = documents.flatMap((path) => [
      ...readFileSync(join(root, path), 'utf8').matchAll(/```python\n([\s\S]*?)\n```/g),
    ])
    expect(blocks.length).toBeGreaterThan(3)
    for (const [i, [, code]] of blocks.entries()) {
      const cwd = join(dir, `document-${i}`)
      mkdirSync(cwd)
      // What a reader has already: a model, data, a trainer.
      const { status, stderr } = runPython(['-c', `from documented import *\n${code}`], cwd)
      expect(status, `${code}\n${stderr}`).toBe(0)
    }
  })

  it('measures what a call costs', () => {
    const { status, stdout, stderr } = runPython(['bench.py', '--json', '--calls', '500'])
    expect(status, stderr).toBe(0)
    const { rows } = JSON.parse(stdout) as { rows: { numbers: number; p50_us: number; p99_us: number }[] }
    console.info(
      rows.map(({ numbers, p50_us, p99_us }) => `${numbers} numbers: ${p50_us} us, p99 ${p99_us} us`).join('; '),
    )
    expect(rows.map(({ numbers }) => numbers)).toEqual([1, 1, 20, 20, 100, 100])
  })

  it('is built as wheel and sdist, and either installs with its types and nothing else', () => {
    const out = join(dir, 'dist')
    const built = runPython(['-m', 'build', '--outdir', out, '.'])
    expect(built.status, built.stdout + built.stderr).toBe(0)
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
    const files = readdirSync(out).sort()
    expect(files).toEqual([`telltale_monitor-${version}-py3-none-any.whl`, `telltale_monitor-${version}.tar.gz`])
    for (const file of files) {
      const target = join(dir, `installed-${file}`)
      const installed = runPython(['-m', 'pip', 'install', '--quiet', '--target', target, join(out, file)])
      expect(installed.status, installed.stderr).toBe(0)
      expect(readdirSync(target).sort()).toEqual(['telltale', `telltale_monitor-${version}.dist-info`])
      expect(readdirSync(join(target, 'telltale'))).toEqual(expect.arrayContaining(['__init__.py', 'py.typed']))
      const script = `import sys; sys.path.insert(0, ${JSON.stringify(target)}); import telltale; print(telltale.__file__, telltale.__version__)`
      const used = runPython(['-I', '-c', script], dir)
      expect(used.stdout, used.stderr).toBe(`${join(target, 'telltale', '__init__.py')} ${version}\n`)
    }
  })
})
