import { plainText } from '../text/plain-text.ts'

/** A line for the person at the terminal, beside what the command prints. */
export function say(text: string): void {
  process.stderr.write(`telltale: ${plainText(text)}\n`)
}
