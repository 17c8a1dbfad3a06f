/**
 * Turns anything into JSON text without ever throwing: metadata comes from the training loop by reference and may hold
 * models, tensors, cycles, getters that throw, big integers or megabytes.
 *
 * @module
 */

/** Limits of {@link plainJson}; depth 64 is the wire format's. */
export const MAX_DEPTH = 64
const MAX_NODES = 20_000
const MAX_TEXT = 1024 * 1024

interface Budget {
  nodes: number
  characters: number
  cut: boolean
}

/**
 * JSON text of `value` as far as it is plain data: what is not (functions, symbols, class instances beyond their own
 * fields, what lies beyond the limits) is left out or shortened, and `cut` says so. Non-finite numbers become strings.
 */
export function plainJson(
  value: unknown,
  without?: ReadonlySet<string>,
): { readonly text: string; readonly cut: boolean } {
  const budget: Budget = { nodes: MAX_NODES, characters: MAX_TEXT, cut: false }
  try {
    return { text: JSON.stringify(plain(value, budget, 0, [], without)) ?? 'null', cut: budget.cut }
  } catch {
    return { text: 'null', cut: true }
  }
}

function plain(value: unknown, budget: Budget, depth: number, path: object[], without?: ReadonlySet<string>): unknown {
  if (--budget.nodes < 0 || budget.characters < 0) {
    budget.cut = true
    return undefined
  }
  switch (typeof value) {
    case 'string': {
      const kept = value.length > budget.characters ? value.slice(0, Math.max(0, budget.characters)) : value
      if (kept.length < value.length) budget.cut = true
      budget.characters -= kept.length
      return kept
    }
    case 'number':
      return Number.isFinite(value) ? value : String(value)
    case 'boolean':
      return value
    case 'bigint':
      return String(value)
    case 'object':
      break
    default:
      if (value !== undefined) budget.cut = true
      return undefined
  }
  if (value === null) return null
  if (depth >= MAX_DEPTH || path.includes(value)) {
    budget.cut = true
    return null
  }
  if (ArrayBuffer.isView(value)) {
    budget.cut = true
    return `binary data of ${value.byteLength} bytes`
  }
  path.push(value)
  try {
    return Array.isArray(value)
      ? plainArray(value, budget, depth, path)
      : plainRecord(value, budget, depth, path, without)
  } catch {
    budget.cut = true
    return null
  } finally {
    path.pop()
  }
}

function plainArray(value: readonly unknown[], budget: Budget, depth: number, path: object[]): unknown[] {
  const items: unknown[] = []
  for (const item of value) {
    if (budget.nodes <= 0) {
      budget.cut = true
      break
    }
    items.push(plain(item, budget, depth + 1, path) ?? null)
  }
  return items
}

function plainRecord(
  value: object,
  budget: Budget,
  depth: number,
  path: object[],
  without?: ReadonlySet<string>,
): unknown {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString()
  // Errors have no fields of their own to speak of, and their text is what a reader wants.
  if (value instanceof Error) return { name: value.name, message: value.message }
  const record: Record<string, unknown> = Object.create(null)
  for (const key of Object.keys(value)) {
    if (budget.nodes <= 0) {
      budget.cut = true
      break
    }
    if (without?.has(key)) continue
    budget.characters -= key.length
    const item = readField(value, key, budget, depth, path)
    if (item !== undefined) record[key.length > 1000 ? `${key.slice(0, 1000)}…` : key] = item
  }
  return record
}

/** A getter that throws costs its own field, not the others. */
function readField(value: object, key: string, budget: Budget, depth: number, path: object[]): unknown {
  try {
    return plain((value as Record<string, unknown>)[key], budget, depth + 1, path)
  } catch {
    budget.cut = true
    return undefined
  }
}
