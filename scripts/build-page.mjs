// Bundles the script of training_report.html, with the modules of ECharts that it draws with, into one file, and puts it
// with its style into a folder. Part of the build; by itself it renews both in dist/.
//   node scripts/build-page.mjs
import { copyFileSync, mkdirSync, readFileSync, renameSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'rolldown'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const source = join(root, 'src', 'outputs', 'report', 'page')

/** @param {string} dist folder of the build */
export async function buildPage(dist) {
  const folder = join(dist, 'outputs', 'report', 'page')
  mkdirSync(folder, { recursive: true })
  const fresh = join(folder, `page.${process.pid}.tmp`)
  await build({
    input: join(source, 'main.ts'),
    platform: 'browser',
    logLevel: 'warn',
    output: { file: fresh, format: 'iife', minify: true },
    treeshake: true,
  })
  // The page has the script within itself, where these would end it.
  const danger = /<\/script|<!--|<script/i.exec(readFileSync(fresh, 'utf8'))
  if (danger) throw new Error(`the page's script contains ${danger[0]}, which would end it; write it as two strings`)
  renameSync(fresh, join(folder, 'page.js'))
  copyFileSync(join(source, 'page.css'), join(folder, 'page.css'))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildPage(join(root, 'dist'))
