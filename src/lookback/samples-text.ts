/**
 * Answers that were kept, as lines for people. Everything in them may be hostile.
 *
 * @module
 */
import { displayText } from '../outputs/terminal/display-text.ts'
import { formatValue } from '../outputs/terminal/format-value.ts'
import { glyphsFor } from '../outputs/terminal/glyphs.ts'
import { indentLines, type Line, renderLine, span, wrapLine } from '../outputs/terminal/spans.ts'
import { showsUnicode, sizeOf, type TerminalStream, wantsColor } from '../outputs/terminal/terminal-traits.ts'
import type { StoredSample } from '../stores/store.ts'

const MAX_WIDTH = 110
const MAX_WRAPPED = 20

/** Which answers are shown, and how many. */
export interface SampleChoice {
  readonly prompt?: string
  readonly worst?: boolean
  readonly limit: number
}

/** The newest last; with `worst` those with the smallest rewards first, which leaves out answers without one. */
export function chooseSamples(
  samples: readonly StoredSample[],
  { prompt, worst, limit }: SampleChoice,
): readonly StoredSample[] {
  const asked = prompt === undefined ? samples : samples.filter((one) => one.prompt.includes(prompt))
  if (!worst) return asked.slice(-limit)
  return asked
    .filter(({ reward }) => !Number.isNaN(reward))
    .toSorted((a, b) => a.reward - b.reward)
    .slice(0, limit)
}

export function samplesText(
  samples: readonly StoredSample[],
  stream: TerminalStream,
  env: NodeJS.ProcessEnv,
): readonly string[] {
  const glyphs = glyphsFor(showsUnicode(env))
  const width = Math.min(MAX_WIDTH, sizeOf(stream).columns)
  const lines = samples.flatMap(({ iteration, prompt, response, reward }): Line[] => [
    [
      span(`iteration ${iteration}`, 'strong'),
      span(Number.isNaN(reward) ? '' : `  reward ${formatValue(reward, glyphs)}`),
    ],
    ...(prompt === ''
      ? []
      : indentLines(2, wrapLine([span(displayText(prompt, 2000), 'dim')], width - 2, MAX_WRAPPED, glyphs))),
    ...indentLines(2, wrapLine([span(displayText(response, 2000))], width - 2, MAX_WRAPPED, glyphs)),
    [],
  ])
  const color = wantsColor(stream, env)
  return lines.slice(0, -1).map((line) => renderLine(line, color))
}
