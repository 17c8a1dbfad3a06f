/** Writes JSON for programs, which may be shown on a terminal all the same. */
export function sayJson(value: unknown): void {
  process.stdout.write(`${harmless(JSON.stringify(value, finite, 2))}\n`)
}

/** JSON has no infinite numbers and no NaN: they are written as texts, as in the log. */
function finite(_: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value
}

/** The same JSON, without characters that a terminal would act on or that would hide what it says. */
function harmless(json: string): string {
  return json.replace(
    /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
