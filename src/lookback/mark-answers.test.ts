import { describe, expect, it } from 'vitest'
import type { StoredRun } from '../stores/store.ts'
import type { RunComparison } from './compare-runs.ts'
import { compareText } from './compare-text.ts'
import { markAnswers } from './mark-answers.ts'

const LEFT = 'mix flour and water, let it rise'
const RIGHT = 'mix flour and gold, let it rise now'
const THIRD = 'mix oil and water'

describe('words that differ', () => {
  it('are marked in the answer that has them', () => {
    expect(markAnswers([LEFT, RIGHT]).map((words) => words.map(({ kind, text }) => [kind, text.trim()]))).toEqual([
      [
        ['kept', 'mix flour and'],
        ['removed', 'water,'],
        ['kept', 'let it rise'],
      ],
      [
        ['kept', 'mix flour and'],
        ['added', 'gold,'],
        ['kept', 'let it rise'],
        ['added', 'now'],
      ],
    ])
  })

  it('leave every answer whole; in the first of several are marked those that no other has', () => {
    const answers = [LEFT, RIGHT, THIRD]
    const marked = markAnswers(answers)
    const whole = marked.map((words) => words.map(({ text }) => text.trim()).join(' '))
    expect(whole).toEqual(answers)
    expect(marked[0]!.filter(({ kind }) => kind === 'removed').map(({ text }) => text)).toEqual(['water,'])
    expect(markAnswers(['', 'new', ''])).toEqual([[], [{ kind: 'added', text: 'new' }], []])
    expect(markAnswers(['gone', '', ''])[0]).toEqual([{ kind: 'removed', text: 'gone' }])
  })
})

describe('answers of runs', () => {
  const comparison = (...responses: string[]): RunComparison => ({
    runs: responses.map(
      (_, i) => ({ name: `run ${i}`, status: 'completed', iterations: 9, trainer: 'own-loop' }) as StoredRun,
    ),
    ...{ settings: [], series: [], alerts: responses.map(() => []) },
    answers: [
      {
        prompt: 'bread?\u001b[31m',
        answers: responses.map((response, i) => ({ iteration: 9, response, reward: i === 1 ? Number.NaN : 0.5 })),
      },
    ],
  })
  const text = (of: RunComparison, columns: number, color = false) =>
    compareText(of, 0, { isTTY: color, columns, write: () => true }, { LANG: 'C.UTF-8', TERM: 'xterm' })

  it('stand side by side where there is room, with marks that need no colour, or in the colours of a diff', () => {
    const plain = text(comparison(LEFT, RIGHT), 110)
    expect(plain).toContain(`    ${'run 0 at 9, reward 0.500:'.padEnd(54)}run 1 at 9:`)
    expect(plain).toContain(
      `    ${'mix flour and [-water,-] let it rise'.padEnd(54)}mix flour and {+gold,+} let it rise {+now+}`,
    )
    expect(plain.join('\n')).not.toContain('\u001b')
    const coloured = text(comparison(LEFT, RIGHT), 110, true).join('\n')
    expect(coloured).toContain('mix flour and \u001b[31mwater,\u001b[0m let it rise')
    expect(coloured).toContain('mix flour and \u001b[32mgold,\u001b[0m let it rise \u001b[32mnow\u001b[0m')
  })

  it('stand one below the other where there is none', () => {
    expect(text(comparison(LEFT, RIGHT), 60).slice(-4)).toEqual([
      '    run 0 at 9, reward 0.500:',
      '      mix flour and [-water,-] let it rise',
      '    run 1 at 9:',
      '      mix flour and {+gold,+} let it rise {+now+}',
    ])
  })

  it('say what is the same and what is empty, and stay within the width whatever they are', () => {
    const said = text(comparison(LEFT, LEFT, ''), 140).join('\n')
    expect(said).toMatch(/mix flour and water, let it rise +\(the same as the first\) +\(empty\)/)
    const hostile = `\u001b[2J${'漢字'.repeat(400)} {+x+} \u202e${'word '.repeat(300)}`
    for (const columns of [30, 60, 100, 160])
      for (const count of [2, 3, 8])
        for (const line of text(comparison(...Array.from({ length: count }, (_, i) => hostile.slice(i))), columns)) {
          expect(line.length).toBeLessThanOrEqual(columns)
          expect(line).not.toContain('\u001b')
        }
  })
})
