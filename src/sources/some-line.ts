import { growingFile } from './growing-file.ts'

const PIECE_BYTES = 1024 * 1024
/** Characters of a line that are looked at. */
const MAX_CHARACTERS = 64 * 1024

/** Whether one of the whole lines in the first `maxBytes` of a file is as asked. False where the file cannot be read. */
export function someLine(
  path: string,
  maxBytes: number,
  separator: string | RegExp,
  is: (line: string) => boolean,
): boolean {
  try {
    const file = growingFile(path)
    let carry = ''
    while (file.offset < maxBytes) {
      const { bytes, more } = file.read(PIECE_BYTES)
      const lines = (carry + bytes.toString('utf8')).split(separator)
      carry = lines.pop()!.slice(0, MAX_CHARACTERS)
      if (lines.some(is)) return true
      if (!more) return false
    }
  } catch {
    // Whoever reads the file says why it cannot be read.
  }
  return false
}
