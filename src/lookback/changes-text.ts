/**
 * Changed answers, as lines for people. Everything in them may be hostile.
 *
 * @module
 */
import { displayText } from '../outputs/terminal/display-text.ts'
import { formatValue } from '../outputs/terminal/format-value.ts'
import { glyphsFor } from '../outputs/terminal/glyphs.ts'
import { indentLines, type Line, renderLine, span, wrapLine } from '../outputs/terminal/spans.ts'
import { showsUnicode, sizeOf, type TerminalStream, wantsColor } from '../outputs/terminal/terminal-traits.ts'
import type { AnswerChange } from './answer-changes.ts'
import { wordDiffLine } from './word-diff.ts'

const MAX_WIDTH = 110
const MAX_WRAPPED = 40

export function changesText(
  changes: readonly AnswerChange[],
  stream: TerminalStream,
  env: NodeJS.ProcessEnv,
): readonly string[] {
  const glyphs = glyphsFor(showsUnicode(env))
  const color = wantsColor(stream, env)
  const width = Math.min(MAX_WIDTH, sizeOf(stream).columns)
  const lines = changes.flatMap(({ prompt, earlier, newest, similarity, words }): Line[] => {
    const rewards = Number.isNaN(earlier.reward + newest.reward)
      ? ''
      : `  reward ${formatValue(earlier.reward, glyphs)} to ${formatValue(newest.reward, glyphs)}`
    const diff = wordDiffLine(words, color)
    return [
      ...wrapLine(
        [
          span(`iteration ${earlier.iteration} to ${newest.iteration}`, 'strong'),
          span(rewards),
          span(`  similarity ${similarity.toFixed(2)}`, 'dim'),
        ],
        width,
        2,
        glyphs,
      ),
      ...indentLines(2, wrapLine([span(displayText(prompt, 2000), 'dim')], width - 2, MAX_WRAPPED, glyphs)),
      ...indentLines(
        2,
        wrapLine(diff.length === 0 ? [span('(both are empty)', 'dim')] : diff, width - 2, MAX_WRAPPED, glyphs),
      ),
      [],
    ]
  })
  return lines.slice(0, -1).map((line) => renderLine(line, color))
}
