import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const dir = mkdtempSync(join(tmpdir(), 'telltale-package-'))
const run = (command: string, args: string[]) =>
  execFileSync(command, args, {
    cwd: dir,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, npm_config_loglevel: 'error' },
  })

/** The package as a stranger gets it: packed, installed from the tarball into an empty folder, used from there. */
describe('the packed package', () => {
  let packed: { filename: string; files: { path: string }[] }

  beforeAll(() => {
    const output = execFileSync('npm', ['pack', '--json', '--pack-destination', dir], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    packed = (JSON.parse(output.slice(output.indexOf('[\n'))) as (typeof packed)[])[0]!
    writeFileSync(join(dir, 'package.json'), JSON.stringify({ name: 'stranger', private: true, type: 'module' }))
    run('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', join(dir, packed.filename)])
  }, 180_000)

  afterAll(() => rmSync(dir, { recursive: true, force: true }))

  it('holds what it needs and no sources, tests or outputs', () => {
    const paths = packed.files.map(({ path }) => path)
    for (const path of [
      'dist/index.js',
      'dist/index.d.ts',
      'dist/cli/main.js',
      'dist/trainer/index.js',
      'dist/outputs/report/page/page.js',
      'dist/outputs/report/page/page.css',
      'README.md',
      'LICENSE',
    ]) {
      expect(paths).toContain(path)
    }
    expect(paths.filter((path) => /\.test\.|^src\/|^test\/|^output\//.test(path))).toEqual([])
  })

  it('is imported from JavaScript by every one of its entries', () => {
    writeFileSync(
      join(dir, 'use.mjs'),
      `import { TrainingMonitor } from 'telltale'
import { RLAIFTrainer } from 'telltale/trainer'
import { PlotManager } from 'telltale/plots'
import { manualClock } from 'telltale/testing'
const monitor = new TrainingMonitor({ clock: manualClock() })
monitor.onEvent({ phase: 'iteration_end', iteration: 0, metrics: { reward: 2 } })
console.log(monitor.getMetricsStore().latest('reward'), typeof RLAIFTrainer, typeof PlotManager)
`,
    )
    expect(run(process.execPath, ['use.mjs'])).toBe('2 function function\n')
  })

  it('is imported from TypeScript with nodenext resolution', () => {
    writeFileSync(
      join(dir, 'use.ts'),
      `import { createTrainingEvent, type TrainingCallback, TrainingMonitor, TrainingPhase } from 'telltale'
import type { RLAIFTrainer } from 'telltale/trainer'
import type { PlotManager } from 'telltale/plots'
import { testDetector } from 'telltale/testing'
const callback: TrainingCallback = { onEvent: (event) => void event.getMetric('reward', 0).toFixed(2) }
new TrainingMonitor().registerCallback(callback, { phases: [TrainingPhase.ITERATION_END] })
createTrainingEvent({ phase: 'iteration_end', iteration: 0 })
export type Both = [RLAIFTrainer, PlotManager, typeof testDetector]
`,
    )
    writeFileSync(
      join(dir, 'tsconfig.json'),
      JSON.stringify({
        compilerOptions: {
          module: 'nodenext',
          target: 'es2022',
          lib: ['es2023', 'esnext.disposable'],
          strict: true,
          noEmit: true,
          skipLibCheck: false,
          types: ['node'],
          typeRoots: [join(root, 'node_modules', '@types')],
        },
        files: ['use.ts'],
      }),
    )
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
    let problems = ''
    try {
      run(process.execPath, [tsc, '-p', '.'])
    } catch (error) {
      problems = (error as { stdout: string }).stdout
    }
    // The declarations of the autodiff package name browser types; ours have to be right.
    expect(problems.split('\n').filter((line) => line !== '' && !line.startsWith('node_modules/@jax-js'))).toEqual([])
  })

  it('runs the demo', () => {
    const output = run('npx', ['telltale', 'demo', '--iterations', '3', '--output-dir', 'out'])
    expect(output).toContain('Reports saved to: out')
    for (const file of [
      'training_report.md',
      'training_report.json',
      'training_report.html',
      'rewards.png',
      'loss_curves.png',
    ]) {
      expect(existsSync(join(dir, 'out', file)), file).toBe(true)
    }
    expect(readFileSync(join(dir, 'out', 'training_report.md'), 'utf8')).toContain('# Training Report')
  })
})
