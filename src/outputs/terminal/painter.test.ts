import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createEmulator, leavesCursorHidden } from './emulator.fixture.ts'
import { createPainter } from './painter.ts'

const line = fc
  .string({ unit: fc.constantFrom('a', 'b', 'c', ' ', '漢', '─'), maxLength: 9 })
  .map((text) => text.trimEnd())

describe('the painter', () => {
  it('leaves on the screen exactly what it was given, whatever it painted before', async () => {
    const step = fc.record({
      lines: fc.array(line, { maxLength: 7 }),
      above: fc.option(fc.array(line, { maxLength: 3 })),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
        const emulator = createEmulator(20, 8)
        const painter = createPainter((text) => emulator.stream.write(text))
        const stays: string[] = []
        let shown: readonly string[] = []
        for (const { lines, above } of steps) {
          if (above) {
            painter.printAbove(above, lines)
            stays.push(...above)
          } else painter.paint(lines)
          shown = lines
          const expected = [...stays, ...shown]
          while (expected.at(-1) === '') expected.pop()
          expect(await emulator.everything()).toEqual(expected)
        }
      }),
      { numRuns: 60, seed: 2 },
    )
  })

  it('writes nothing for an equal frame, and one line for one changed line', () => {
    let written = ''
    const painter = createPainter((text) => {
      written += text
    })
    const lines = Array.from({ length: 30 }, (_, i) => `line ${i} ${'x'.repeat(90)}`)
    painter.paint(lines)
    expect(written.length).toBeGreaterThan(3000)
    written = ''
    painter.paint([...lines])
    expect(written).toBe('')
    painter.paint(lines.with(7, 'changed'))
    expect(written).toContain('changed')
    expect(written.length).toBeLessThan(50)
  })

  it('hides the cursor while it paints and gives it back below', async () => {
    const emulator = createEmulator(20, 6)
    const painter = createPainter((text) => emulator.stream.write(text))
    painter.finish()
    expect(emulator.takeWritten()).toBe('')
    painter.paint(['one', 'two'])
    painter.paint(['one', 'three'])
    const painted = emulator.takeWritten()
    expect(leavesCursorHidden(painted)).toBe(true)
    expect(painted.split('\u001b[?25l')).toHaveLength(2)
    painter.finish()
    expect(leavesCursorHidden(painted + emulator.takeWritten())).toBe(false)
    expect(await emulator.cursor()).toEqual({ x: 0, y: 2 })
    painter.finish()
    expect(emulator.takeWritten()).toBe('')
  })

  it('sends each update as one synchronised whole', () => {
    const writes: string[] = []
    const painter = createPainter((text) => writes.push(text))
    painter.paint(['a', 'b'])
    painter.paint(['a', 'c'])
    painter.printAbove(['stays'], ['a', 'd'])
    expect(writes).toHaveLength(3)
    for (const text of writes) expect(text.startsWith('\u001b[?2026h') && text.endsWith('\u001b[?2026l')).toBe(true)
  })
})
