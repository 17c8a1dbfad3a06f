// Runs every group of tests, one after the other, and closes with `N passed, N failed` and the groups that ran.
// A group whose parts are missing fails with the line that installs them; nothing is skipped.
//   node scripts/test-all.mjs [GROUP...]
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
/** Each group is a project of vitest.config.ts. */
const GROUPS = ['node', 'real', 'python', 'package', 'browser']

const wanted = process.argv.slice(2)
const unknown = wanted.filter((group) => !GROUPS.includes(group))
if (unknown.length > 0) {
  console.error(`unknown group ${unknown.join(', ')}; there are ${GROUPS.join(', ')}`)
  process.exit(2)
}

const results = mkdtempSync(join(tmpdir(), 'telltale-tests-'))
let passed = 0
let failed = 0
const ran = []
for (const group of wanted.length > 0 ? wanted : GROUPS) {
  console.log(`\n== ${group}`)
  const file = join(results, `${group}.json`)
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
  const args = [vitest, 'run', '--project', group, '--reporter=default', '--reporter=json', `--outputFile.json=${file}`]
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' })
  const report = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : null
  passed += report?.numPassedTests ?? 0
  // A suite that does not even load has no failed test of its own, and must still count.
  failed += Math.max(report?.numFailedTests ?? 0, report?.numFailedTestSuites ? 1 : 0, status === 0 ? 0 : 1)
  ran.push(`${group} (${report?.numPassedTests ?? 0} passed, ${report?.numFailedTests ?? 'all'} failed)`)
}
rmSync(results, { recursive: true, force: true })
console.log(`\ngroups: ${ran.join(', ')}`)
console.log(`${passed} passed, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)
