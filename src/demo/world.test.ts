import { describe, expect, it } from 'vitest'
import { randomStream } from '../trainer/random.ts'
import { CONSTITUTION, goldOf, type Principle } from './constitution.ts'
import { corpusAnswer, vocabularyWords } from './corpus.ts'
import { grammarOf, isClear } from './grammar.ts'
import { prefersFirst } from './judge.ts'
import { PROMPT_KINDS } from './language.ts'
import { loadPretrained, pretrain, recipeHash, worldTokenizer } from './pretrain.ts'
import { HELD_OUT_PROMPTS, PROMPT_LENGTH, promptOf, RESPONSE_LENGTH, TRAINING_PROMPTS } from './prompts.ts'
import { reviseDraft } from './revision.ts'
import { pretrainedDir } from './run-demo.ts'

const bread = promptOf('how do i bake bread ?')!
const theft = promptOf('how do i steal a car ?')!
const principle = (id: Principle['id']) => CONSTITUTION.find((entry) => entry.id === id)!

describe('the world', () => {
  it('has at least 250 words, 200 prompts of six kinds, and prompts that are never trained on', () => {
    expect(new Set(vocabularyWords()).size).toBeGreaterThanOrEqual(250)
    expect(TRAINING_PROMPTS.length).toBeGreaterThanOrEqual(200)
    expect(new Set(TRAINING_PROMPTS.map(({ topic }) => topic.kind))).toEqual(new Set(PROMPT_KINDS))
    const training = new Set(TRAINING_PROMPTS.map(({ text }) => text))
    expect(HELD_OUT_PROMPTS.length).toBeGreaterThanOrEqual(30)
    expect(HELD_OUT_PROMPTS.filter(({ text }) => training.has(text))).toEqual([])
    expect(new Set(HELD_OUT_PROMPTS.map(({ topic }) => topic.ask)).size).toBe(HELD_OUT_PROMPTS.length)
  })

  it('is spoken whole by its tokenizer, and fits', () => {
    const tokenizer = worldTokenizer()
    const random = randomStream(1)
    for (const { text, topic } of [...TRAINING_PROMPTS, ...HELD_OUT_PROMPTS]) {
      expect(tokenizer.decode(tokenizer.encode(text))).toBe(text)
      expect(tokenizer.encode(text).length).toBeLessThanOrEqual(PROMPT_LENGTH)
      const answer = corpusAnswer(topic, random).text
      expect([...tokenizer.encode(answer)]).not.toContain(tokenizer.unknownId)
      expect(tokenizer.encode(answer).length).toBeLessThan(RESPONSE_LENGTH)
    }
  })

  it('has answers of every kind, most of them clear', () => {
    const random = randomStream(2)
    const kinds = new Map<string, number>()
    let clear = 0
    for (let i = 0; i < 2000; i++) {
      const { kind, text } = corpusAnswer(TRAINING_PROMPTS[i % TRAINING_PROMPTS.length]!.topic, random)
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
      if (isClear(text)) clear++
    }
    expect([...kinds.keys()].toSorted()).toEqual([
      'boastful',
      'evasive',
      'good',
      'harmful',
      'rambling',
      'refusing',
      'rude',
    ])
    expect(clear / 2000).toBeGreaterThan(0.95)
  })
})

describe('the grammar', () => {
  it('knows sentences, with and without "then", and sees salad and repetition', () => {
    expect(isClear('mix flour with warm water . then add some salt and yeast .')).toBe(true)
    expect(grammarOf('start with warm water . start with warm water .')).toEqual({
      strangeShare: expect.any(Number),
      repeats: 1,
    })
    expect(grammarOf('room room cold soup the the').strangeShare).toBeGreaterThan(0.5)
    expect(isClear('')).toBe(false)
  })
})

describe('the constitution', () => {
  it('has six principles, each of which disagrees with every other somewhere', () => {
    expect(CONSTITUTION.map(({ id }) => id)).toEqual(['helpful', 'harmless', 'kind', 'honest', 'brief', 'clear'])
    const random = randomStream(3)
    // Better and worse answers alike: of the corpus, and of words in no order.
    const words = vocabularyWords()
    const answers = TRAINING_PROMPTS.flatMap((prompt) => [
      { prompt, answer: corpusAnswer(prompt.topic, random).text },
      {
        prompt,
        answer: `${corpusAnswer(prompt.topic, random).text} ${words[random.integer(words.length)]} ${words[random.integer(words.length)]} .`,
      },
      { prompt, answer: corpusAnswer(prompt.topic, random).text.repeat(2) },
      { prompt, answer: `${corpusAnswer(prompt.topic, random).text} everyone knows that .` },
    ])
    for (const a of CONSTITUTION) {
      for (const b of CONSTITUTION) {
        if (a === b) continue
        const disagreement = TRAINING_PROMPTS.some((prompt) => {
          const own = answers.filter((entry) => entry.prompt.topic === prompt.topic).map(({ answer }) => answer)
          return own.some((x) =>
            own.some((y) => a.judge(prompt, x) > a.judge(prompt, y) && b.judge(prompt, x) < b.judge(prompt, y)),
          )
        })
        expect(disagreement, `${a.id} against ${b.id}`).toBe(true)
      }
    }
  })

  it.each([
    ['helpful', bread, 'mix flour with warm water .', 'i will not help with that .'],
    ['harmless', theft, 'i will not help with that . it is against the law .', 'take the keys at night .'],
    ['kind', bread, 'mix flour with warm water .', 'mix flour with warm water . you are so stupid .'],
    ['honest', bread, 'mix flour with warm water .', 'mix flour with warm water . this always works .'],
    ['brief', bread, 'mix flour with warm water .', 'mix flour with warm water . '.repeat(4)],
    ['clear', bread, 'mix flour with warm water .', 'mix water flour warm with . add some salt and yeast .'],
  ] as const)('%s prefers what it should, and its revision repairs what it criticises', (id, prompt, better, worse) => {
    const { judge, revise } = principle(id)
    expect(judge(prompt, better)).toBeGreaterThan(judge(prompt, worse))
    expect(judge(prompt, revise(prompt, worse, randomStream(1)))).toBeGreaterThan(judge(prompt, worse))
  })

  it('gives gold as the sum of its parts', () => {
    const { total, parts } = goldOf(bread, 'mix flour with warm water . then add some salt and yeast . enjoy !')
    expect(total).toBeCloseTo(
      Object.values(parts).reduce((a, b) => a + b),
      12,
    )
    expect(total).toBeGreaterThan(goldOf(bread, 'nobody likes you .').total)
  })
})

describe('the judge', () => {
  it('errs in 10 to 20 % of pairs, repeats by seed, and is fair where answers are equal', () => {
    const random = randomStream(5)
    let wrong = 0
    let compared = 0
    for (let i = 0; i < 4000; i++) {
      const prompt = TRAINING_PROMPTS[i % TRAINING_PROMPTS.length]!
      const [a, b] = [corpusAnswer(prompt.topic, random).text, corpusAnswer(prompt.topic, random).text]
      const difference = goldOf(prompt, a).total - goldOf(prompt, b).total
      const label = prefersFirst(prompt, a, b, random)
      if (difference === 0) wrong += 0.5
      else if (label !== difference > 0) wrong++
      compared++
    }
    expect(wrong / compared).toBeGreaterThan(0.1)
    expect(wrong / compared).toBeLessThan(0.2)
    const equal = Array.from({ length: 1000 }, () => prefersFirst(bread, 'x', 'x', random)).filter(Boolean).length
    expect(Math.abs(equal - 500)).toBeLessThan(80)
  })
})

describe('revisions', () => {
  it('touch only what the principle criticises, and always fit', () => {
    const random = randomStream(7)
    let revised = 0
    for (let i = 0; i < 600; i++) {
      const prompt = TRAINING_PROMPTS[i % TRAINING_PROMPTS.length]!
      const revision = reviseDraft(prompt, corpusAnswer(prompt.topic, random).text, random)
      expect(revision.revised.split(' ').length).toBeLessThan(RESPONSE_LENGTH)
      if (revision.critique === null) expect(revision.revised).toBe(revision.draft)
      else if (revision.revised !== revision.draft) {
        revised++
        expect(revision.principle.judge(prompt, revision.revised)).toBeGreaterThan(
          revision.principle.judge(prompt, revision.draft),
        )
      }
    }
    expect(revised).toBeGreaterThan(100)
  })
})

describe('the shipped model', () => {
  it('was made from this recipe and this language', async () => {
    const { record, tokenizer } = await loadPretrained(pretrainedDir())
    expect(record.recipeHash).toBe(recipeHash())
    expect(tokenizer.tokens).toEqual(worldTokenizer().tokens)
    expect(record.finalLoss).toBeLessThan(0.5)
  })

  it('begins to be made again with the same losses', async () => {
    const { record } = await loadPretrained(pretrainedDir())
    const { losses } = await pretrain({ steps: 5 })
    expect(losses).toHaveLength(5)
    // Another processor may round differently; the recipe is the same to four digits.
    for (const [i, loss] of losses.entries()) expect(Math.abs(loss - record.firstLosses[i]!)).toBeLessThan(1e-3)
  })

  it('is refused, with the command that makes it, where it is missing or of another recipe', async () => {
    await expect(loadPretrained('/nonexistent')).rejects.toMatchObject({
      code: 'missing-part',
      message: expect.stringContaining('npm run demo:pretrain'),
    })
  })
})
