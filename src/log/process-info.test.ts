import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { isAlive, ownProcess, processFrom, withoutSecrets } from './process-info.ts'

describe('whether a process goes on', () => {
  it('is known of this machine, whoever has the number now', async () => {
    const me = ownProcess()
    expect(isAlive(me)).toBe(true)
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
    await once(child, 'spawn')
    const other = { ...me, pid: child.pid!, startTicks: null }
    expect(isAlive(other)).toBe(true)
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(isAlive(other)).toBe(false)
    // The same number, but a process that began at another time.
    if (me.startTicks !== null) expect(isAlive({ ...me, startTicks: '1' })).toBe(false)
  })

  it('is not known of another machine or container', () => {
    const me = ownProcess()
    expect(isAlive({ ...me, host: 'elsewhere' })).toBe(null)
    expect(isAlive({ ...me, pidNamespace: 'pid:[1]' })).toBe(null)
  })
})

it('a command is kept without what opens a door', () => {
  expect(
    withoutSecrets([
      'python',
      'train.py',
      '--api-key',
      'sk-1',
      '--lr=1e-5',
      '--hf_token=hf_1',
      '--name',
      'a run',
      'WANDB_API_KEY=x',
    ]),
  ).toBe('python train.py --api-key *** --lr=1e-5 --hf_token=*** --name "a run" WANDB_API_KEY=***')
})

it('what a log says of its process is checked', () => {
  const me = ownProcess()
  expect(processFrom(JSON.parse(JSON.stringify(me)))).toEqual(me)
  for (const wrong of [
    null,
    1,
    [],
    {},
    { host: 'h' },
    { host: 'h', pid: -1 },
    { host: 'h', pid: '1' },
    { host: 1, pid: 1 },
  ])
    expect(processFrom(wrong)).toBe(null)
  const odd = processFrom(
    JSON.parse('{"host":"h","pid":1,"versions":{"__proto__":"x","a":1,"b":"2"},"git":{"commit":5}}'),
  )
  expect(odd).toMatchObject({ versions: { b: '2' }, git: null, command: '' })
})
