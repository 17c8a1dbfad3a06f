// The public items of the package as typedoc sees them: what the reference is made of and what the tests count.
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import { Application, LogLevel } from 'typedoc'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')

/** The files that the entries of package.json are built from. Each names its entry in its `@module` line. */
const ENTRY_FILES = ['src/index.ts', 'src/trainer/index.ts', 'src/outputs/plots/index.ts', 'src/testing/index.ts']

/**
 * Reads the sources.
 *
 * @returns typedoc's application and its model, one module an entry.
 * @throws Error where a comment says what is not so, such as a parameter that does not exist.
 */
export async function readProject(options = {}) {
  const problems = []
  const app = await Application.bootstrapWithPlugins({
    entryPoints: ENTRY_FILES.map((file) => join(root, file)),
    basePath: root,
    tsconfig: join(root, 'tsconfig.json'),
    name: 'Telltale',
    readme: 'none',
    // A source file has no address before it is published; its name is enough to find it.
    disableSources: true,
    disableGit: true,
    excludePrivate: true,
    // Tables whose keys are the names of a type: the type lists them.
    // A line of our own log: what it is the wire format says.
    intentionallyNotExported: ['TRAINER_TABLES', 'PPO_FIELDS', 'WireLine'],
    logLevel: 'Warn',
    ...options,
  })
  app.logger.log = (message, level) => {
    if (level >= LogLevel.Warn) problems.push(stripVTControlCharacters(message))
  }
  const project = await app.convert()
  if (project) app.validate(project)
  if (!project || problems.length > 0) throw new Error(`typedoc has found problems:\n${problems.join('\n')}`)
  return { app, project }
}
