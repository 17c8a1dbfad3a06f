import fc from 'fast-check'
import { expect, it } from 'vitest'
import { LoggedIterations } from './logged-iterations.ts'

it('counts what a run has logged and not done again, whatever its rhythm', () => {
  const steps = fc.array(fc.record({ gap: fc.integer({ min: 1, max: 4 }), back: fc.option(fc.nat(40), { freq: 12 }) }))
  fc.assert(
    fc.property(steps, (all) => {
      let counted = new LoggedIterations()
      let listed: number[] = []
      for (const { gap, back } of all) {
        if (back !== null) {
          const to = Math.max(0, (listed.at(-1) ?? 0) - back)
          counted.fallBack(to)
          listed = listed.filter((iteration) => iteration < to)
        }
        const next = (listed.at(-1) ?? 0) + gap
        counted.add(next)
        listed.push(next)
        expect(counted.count).toBe(listed.length)
      }
      const again = new LoggedIterations()
      again.restore(counted.save())
      counted = again
      expect(counted.count).toBe(listed.length)
    }),
  )
})

it('keeps little of a run that logs without a rhythm, and still counts it', () => {
  const counted = new LoggedIterations()
  let iteration = 0
  for (let i = 0; i < 20_000; i++) {
    iteration += 1 + ((i * i) % 7)
    counted.add(iteration)
  }
  expect(counted.count).toBe(20_000)
  expect(counted.save().length).toBeLessThanOrEqual(1000)
  // The newest are known one by one.
  counted.fallBack(iteration)
  expect(counted.count).toBe(19_999)
})
