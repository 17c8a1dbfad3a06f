// How long `import 'telltale'` takes over bare Node: 15 processes each, interleaved.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { quantiles } from './measure.mjs'

export function start() {
  const entry = fileURLToPath(new URL('../dist/index.js', import.meta.url))
  const run = (code) => {
    const started = process.hrtime.bigint()
    spawnSync(process.execPath, ['--input-type=module', '-e', code])
    return Number(process.hrtime.bigint() - started) / 1e6
  }
  const [bare, telltale, differences] = [[], [], []]
  for (let i = 0; i < 15; i++) {
    bare.push(run(''))
    telltale.push(run(`import ${JSON.stringify(entry)}`))
    differences.push(telltale[i] - bare[i])
  }
  const difference = quantiles(differences).p50
  return {
    question: "How long does import 'telltale' take over bare Node, in milliseconds?",
    goal: '50 or less',
    reached: difference <= 50,
    limits:
      'nearly all of it is finding, reading and compiling our own files one by one, on a machine whose bare Node takes as long as the figure beside it says; a bundle would do that once',
    bareNode: quantiles(bare).p50,
    withTelltale: quantiles(telltale).p50,
    difference,
  }
}
