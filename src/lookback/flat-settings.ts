/** Settings in which runs may differ, at the most. */
export const MAX_SETTINGS = 500

/** Nested settings by their path, such as `optim.lr`, with their values as JSON. */
export function flatSettings(config: Readonly<Record<string, unknown>>): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  const walk = (value: unknown, path: string, depth: number): void => {
    if (typeof value === 'object' && value !== null && !Array.isArray(value) && depth < 8)
      for (const [key, inner] of Object.entries(value)) walk(inner, path === '' ? key : `${path}.${key}`, depth + 1)
    else if (found.size < 4 * MAX_SETTINGS) found.set(path, JSON.stringify(value) ?? 'undefined')
  }
  walk(config, '', 0)
  return found
}
