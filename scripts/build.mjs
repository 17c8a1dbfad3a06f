// Builds dist/: the library's JavaScript and types with tsc, then the chart code as one file, so that drawing a
// figure loads 0.6 MB instead of the whole of echarts, and the script of the HTML report. Run by `npm run build` and, through `prepare`, by `npm ci`.
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, renameSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'rolldown'
import { buildPage } from './build-page.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const require = createRequire(import.meta.url)

// Built beside and put in place when it is whole, so that a failed build leaves the old one.
const fresh = join(root, 'build', 'dist')
rmSync(fresh, { recursive: true, force: true })
const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin', 'tsc')
const compiled = spawnSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.json'), '--outDir', fresh], {
  stdio: 'inherit',
})
if (compiled.status !== 0) process.exit(compiled.status ?? 1)

const chart = join(fresh, 'outputs', 'plots', 'echarts.js')
await build({
  input: chart,
  platform: 'node',
  logLevel: 'warn',
  output: { file: chart, format: 'esm', minify: true },
  treeshake: true,
})
await buildPage(fresh)
// The demo's pre-trained model is data, which the compiler leaves behind.
cpSync(join(root, 'src', 'demo', 'pretrained'), join(fresh, 'demo', 'pretrained'), { recursive: true })
chmodSync(join(fresh, 'cli', 'main.js'), 0o755)
// Two renames, so that whoever reads dist/ meanwhile (tests do) does not find it half removed.
const old = join(root, 'build', 'old-dist')
rmSync(old, { recursive: true, force: true })
if (existsSync(join(root, 'dist'))) renameSync(join(root, 'dist'), old)
renameSync(fresh, join(root, 'dist'))
rmSync(old, { recursive: true, force: true })
