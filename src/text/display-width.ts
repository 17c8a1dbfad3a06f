import { createRequire } from 'node:module'
import type stringWidth from 'string-width'

const require = createRequire(import.meta.url)
let measure: typeof stringWidth | null = null

/**
 * Columns of a terminal that a text takes. The package that knows the tables of wide characters is loaded when the first text
 * is measured: it takes longer to load than everything that a program needs to be watched.
 */
export function displayWidth(text: string): number {
  measure ??= (require('string-width') as { default: typeof stringWidth }).default
  return measure(text)
}
