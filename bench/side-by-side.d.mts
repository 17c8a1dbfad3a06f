/** docs/side-by-side.md as a kept result of bench/rivals.mjs makes it. */
export function sideBySideMarkdown(result: unknown): string
