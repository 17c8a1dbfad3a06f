import { describe, expect, it } from 'vitest'
import { manualClock } from '../../time.ts'
import { createEmulator, leavesCursorHidden } from './emulator.fixture.ts'
import { createProgress } from './progress.ts'

const env = { TERM: 'xterm', LANG: 'C.UTF-8' }

describe('progress of stages', () => {
  it.each([30, 80, 120])('is painted in place and leaves a line a stage at %i columns', async (columns) => {
    const emulator = createEmulator(columns, 10)
    const clock = manualClock()
    const progress = createProgress({ stream: emulator.stream, clock, env })
    progress.start('Reward model', 40)
    for (let i = 1; i <= 20; i++) {
      clock.advanceMs(500)
      progress.update(i, `loss ${(1 / i).toFixed(3)}`)
    }
    const [open, ...rest] = (await emulator.everything()).filter((line) => line !== '')
    expect(rest).toEqual([])
    expect(open).toMatch(/^ {2}Reward model .*20\/40/)
    if (columns >= 80) expect(open).toMatch(/━+╸?─+ {2}20\/40 {2}ETA 10s {2}loss 0\.050$/)
    progress.done('accuracy 0.84')
    progress.start('PPO', 5)
    progress.close()
    const lines = await emulator.everything()
    expect(lines[0]).toMatch(/^✓ Reward model/)
    if (columns >= 80) expect(lines[0]).toMatch(/10s {2}accuracy 0\.84$/)
    expect(leavesCursorHidden(emulator.takeWritten())).toBe(false)
  })

  it('says without a terminal when a stage starts and when it ends', () => {
    const written: string[] = []
    const clock = manualClock()
    const progress = createProgress({ stream: { write: (chunk) => written.push(chunk) }, clock, env })
    progress.start('Drafts\u001b[2J', 10)
    for (let i = 0; i < 10; i++) progress.update(i)
    clock.advanceMs(3000)
    progress.done()
    progress.start('Given up', 10)
    progress.update(3)
    progress.start('Next', 10)
    progress.close()
    progress.update(4)
    progress.done()
    expect(written.join('').split('\n')).toEqual([
      'Drafts ...',
      '✓ Drafts                      3.0s',
      'Given up ...',
      '■ Given up                    3/10  0.0s',
      'Next ...',
      '',
    ])
  })

  it('paints at most five times a second', () => {
    const emulator = createEmulator(80, 10)
    const clock = manualClock()
    const progress = createProgress({ stream: emulator.stream, clock, env })
    progress.start('Stage', 1000)
    let paints = 0
    for (let i = 0; i < 1000; i++) {
      clock.advanceMs(1)
      emulator.takeWritten()
      progress.update(i)
      if (emulator.takeWritten() !== '') paints++
    }
    expect(paints).toBe(5)
    progress.close()
  })
})
