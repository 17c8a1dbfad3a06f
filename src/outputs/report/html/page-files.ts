/**
 * Script and style of the page, which the build puts into `dist/`.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { TelltaleError } from '../../../errors.ts'

/** Beside this file in the package; in a checkout, where the sources run as they are, in what the build made of them. */
const FOLDERS = ['../page/', '../../../../dist/outputs/report/page/']

/** Text of `page.js` or `page.css`. @throws TelltaleError `missing-part`. */
export function pageFile(name: 'page.js' | 'page.css'): string {
  const paths = FOLDERS.map((folder) => fileURLToPath(new URL(`${folder}${name}`, import.meta.url)))
  const path = paths.find((candidate) => existsSync(candidate))
  if (path === undefined) {
    throw new TelltaleError(
      'missing-part',
      `${name}, a part of the HTML report, is not at ${paths[0]}; in a checkout run npm run build, elsewhere install telltale again`,
    )
  }
  return readFileSync(path, 'utf8')
}

/** The source expression by which a Content-Security-Policy allows exactly this text. */
export function hashSource(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
}
