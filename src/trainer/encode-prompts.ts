import { TelltaleError } from '../errors.ts'
import type { Tokenizer } from './tokenizer.ts'

/**
 * Prompts as token ids.
 *
 * @throws TelltaleError `bad-option` for no prompts, or one that is empty or no text.
 */
export function encodePrompts(prompts: readonly string[], tokenizer: Tokenizer): { text: string; ids: Int32Array }[] {
  if (!Array.isArray(prompts) || prompts.length === 0)
    throw new TelltaleError('bad-option', 'prompts is empty; training needs at least one')
  return prompts.map((text, i) => {
    const ids = typeof text === 'string' ? tokenizer.encode(text) : new Int32Array(0)
    if (ids.length === 0)
      throw new TelltaleError(
        'bad-option',
        `prompt ${i} is ${typeof text === 'string' ? 'empty' : `a ${typeof text}`}; expected a text with at least one word`,
      )
    return { text, ids }
  })
}

/** Padding on the left, so that every response begins at one place. */
export function padLeft(ids: Int32Array, length: number, padId: number, text: string): Int32Array {
  if (ids.length > length) {
    throw new TelltaleError(
      'bad-option',
      `the prompt ${JSON.stringify(text.slice(0, 80))} has ${ids.length} tokens; at most ${length} fit`,
    )
  }
  const row = new Int32Array(length).fill(padId)
  row.set(ids, length - ids.length)
  return row
}
