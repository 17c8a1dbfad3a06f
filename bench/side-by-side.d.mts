/** A kept result of bench/rivals.mjs: each tool's figures by their names. */
export interface RivalsResult {
  readonly bench: { tools: Record<string, Record<string, unknown>> }
}

/** docs/side-by-side.md as a kept result of bench/rivals.mjs makes it. */
export function sideBySideMarkdown(result: RivalsResult): string
