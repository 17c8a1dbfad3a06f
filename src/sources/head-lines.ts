/** The whole lines at the beginning of a file, and what follows the last of them. */
export function headLines(head: Uint8Array): { readonly lines: readonly string[]; readonly torn: string } {
  const text = new TextDecoder().decode(head).replace(/^\ufeff/, '')
  const pieces = text.split(/\r?\n/)
  const torn = pieces.pop() ?? ''
  return { lines: pieces.filter((line) => line.trim() !== ''), torn }
}

/** Whether the beginning of a file is text: a zero byte is in no text file, and in nearly every other. */
export function isText(head: Uint8Array): boolean {
  return head.length > 0 && !head.includes(0)
}
