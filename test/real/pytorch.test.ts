import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, it } from 'vitest'
import { startBackend } from '../../src/trainer/backend.ts'
import { weightsOf } from '../../src/trainer/model.ts'
import { readSafetensors, writeSafetensors } from '../../src/trainer/safetensors.ts'
import { CASE, makeCase } from '../pytorch-case.fixture.ts'

const python = process.env.TELLTALE_PYTHON ?? 'python3'
const script = fileURLToPath(new URL('../../scripts/golden/ppo_update.py', import.meta.url))
const golden = new URL('../golden/pytorch-update.json', import.meta.url)
const dir = mkdtempSync(join(tmpdir(), 'telltale-pytorch-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

function need(module: string, install: string): void {
  try {
    execFileSync(python, ['-c', `import ${module}`], { stdio: 'ignore' })
  } catch {
    throw new Error(`${python} has no ${module}. Install it with: ${install}  (TELLTALE_PYTHON names another Python)`)
  }
}

it('PyTorch comes to the committed values again', async () => {
  need('torch', 'python3 -m pip install torch==2.13.0')
  await startBackend()
  const { policy, reference, value, rows, mask, scores, oldLogProbs, valueShift } = makeCase()
  const plain = (model: typeof policy) =>
    Object.fromEntries(
      Object.entries(weightsOf(model)).map(([name, { shape, data }]) => [name, { shape, data: Array.from(data) }]),
    )
  const path = join(dir, 'case.json')
  writeFileSync(
    path,
    JSON.stringify({
      ...CASE,
      policy: plain(policy),
      reference: plain(reference),
      value: plain(value),
      rows: rows.map((row) => [...row]),
      mask,
      scores,
      oldLogProbs,
      valueShift,
    }),
  )
  const remade = execFileSync(python, [script, path], { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
  if (process.env.UPDATE_GOLDEN) writeFileSync(golden, `${remade}\n`)
  const [ours, theirs] = [JSON.parse(remade), JSON.parse(readFileSync(golden, 'utf8'))] as [unknown, unknown]
  compare(ours, theirs, '')
})

function compare(a: unknown, b: unknown, path: string): void {
  if (typeof b === 'number') expect(Math.abs((a as number) - b), path).toBeLessThan(1e-9 * Math.max(1, Math.abs(b)))
  else if (typeof b === 'object' && b !== null)
    for (const key of Object.keys(b))
      compare((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key], `${path}/${key}`)
}

it('Python’s safetensors reads ours, and ours reads Python’s', () => {
  need('safetensors', 'python3 -m pip install safetensors numpy')
  const ours = join(dir, 'ours.safetensors')
  const theirs = join(dir, 'theirs.safetensors')
  const tensors = {
    'h.0.weight': { shape: [2, 3], data: Float32Array.of(1, -2, 3.5, Number.POSITIVE_INFINITY, 1e-30, 0) },
    scalar: { shape: [], data: Float32Array.of(7) },
  }
  writeSafetensors(ours, tensors, { note: 'from us' })
  const code = `
import sys
import numpy
from safetensors import safe_open
from safetensors.numpy import save_file
with safe_open(sys.argv[1], framework="numpy") as f:
    tensors = {name: f.get_tensor(name) for name in f.keys()}
    metadata = f.metadata()
save_file({name: numpy.asarray(tensor * 2) for name, tensor in tensors.items()}, sys.argv[2], metadata={"note": metadata["note"] + ", and back"})
`
  execFileSync(python, ['-c', code, ours, theirs])
  const read = readSafetensors(theirs)
  expect(read.metadata).toEqual({ note: 'from us, and back' })
  expect(Array.from(read.tensors['h.0.weight']!.data)).toEqual([
    2,
    -4,
    7,
    Number.POSITIVE_INFINITY,
    Math.fround(2e-30),
    0,
  ])
  expect(read.tensors.scalar).toMatchObject({ shape: [] })
})
