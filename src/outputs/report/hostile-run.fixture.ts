/** A run in which everything that comes from outside is hostile, for the tests of the reports. */
import type { TrainingEventInit } from '../../events.ts'
import { COMPARISONS, comparator, recordedRun } from './recorded-run.fixture.ts'
import type { ReportInput } from './report-input.ts'

/** Escapes of a terminal, HTML that runs, ends of scripts, Markdown, changes of direction, a separator of lines. */
export const EVIL =
  '\u001b[2J</script><script>window.__pwned=1;alert(1)</script><!--<img src=x onerror="window.__pwned=2">\u2028[a](http://evil.example)|`__proto__`\u202e\n# Heading\n'

/** A megabyte on one line. */
export const MEGABYTE = '<b>x</b> '.repeat(120_000)

/** Runs it: hostile names, texts, reasons, errors, callbacks and configuration; NaN and infinite values; two attempts. */
export function hostileRun(): ReportInput {
  const input = recordedRun({
    iterations: 30,
    name: EVIL,
    end: { status: 'failed', error: EVIL + MEGABYTE },
    extraMetrics: (i) => ({
      [EVIL]: 1,
      ['__proto__']: 2,
      'a|b': 3,
      constructor: 4,
      '`': 5,
      loss: [Number.NaN, Number.POSITIVE_INFINITY, 1e300, -1e300, 0.5][i % 5]!,
    }),
    before: (i, monitor) => {
      if (i !== 3) return
      const config = JSON.parse('{"__proto__": {"polluted": true}}') as Record<string, unknown>
      const again: TrainingEventInit = {
        phase: 'training_start',
        iteration: 0,
        metadata: { config: Object.assign(config, { [EVIL]: EVIL, long: MEGABYTE }) },
      }
      monitor.onEvent(again)
      monitor.requestEarlyStop(EVIL, { severity: 'warning' })
      monitor.registerCallback({
        name: EVIL,
        onEvent() {
          throw new Error(EVIL)
        },
      })
    },
  })
  const pair = COMPARISONS[0]!.pairs[0]!
  return {
    ...input,
    comparator: comparator([
      {
        ...COMPARISONS[0]!,
        metrics: JSON.parse('{"__proto__": 1, "quality/x": 2}') as Record<string, number>,
        pairs: [
          {
            ...pair,
            prompt: EVIL,
            original: EVIL.repeat(10_000),
            updated: EVIL + MEGABYTE,
            measures: { [EVIL]: { original: 1, updated: 2 } },
            diff: {
              ...pair.diff,
              words: [
                { kind: 'kept', text: EVIL },
                { kind: 'added', text: EVIL.repeat(10_000) },
              ],
            },
          },
        ],
      },
    ]),
  }
}
