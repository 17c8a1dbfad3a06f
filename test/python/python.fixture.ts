import { execFileSync, type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** Where the client and its tests are. */
export const PYTHON_FOLDER = join(root, 'python')
const python = process.env.TELLTALE_PYTHON ?? 'python3'

/** Fails with the line that installs what is missing: nothing is skipped. */
export function needPython(): void {
  const wanted = ['torch', 'trl', 'transformers', 'lightning', 'requests', 'pytest', 'mypy', 'build']
  try {
    const find = `import importlib.util as u; print(*[m for m in ${JSON.stringify(wanted)} if u.find_spec(m) is None])`
    const missing = execFileSync(python, ['-c', find], { encoding: 'utf8' }).trim()
    if (missing === '') return
    throw new Error(`it has no ${missing}`)
  } catch (error) {
    throw new Error(
      `${python} cannot run the tests of the Python client (${(error as Error).message}). Install what they need with: ` +
        'python3 -m pip install -r python/tests/requirements.txt  (TELLTALE_PYTHON names another Python)',
    )
  }
}

const environment = (more: NodeJS.ProcessEnv) => {
  const { TELLTALE_DIR, TELLTALE_RUN_ID, TELLTALE_STOP, RANK, ...rest } = process.env
  return {
    ...rest,
    PYTHONPATH: [PYTHON_FOLDER, join(PYTHON_FOLDER, 'tests')].join(':'),
    PYTHONDONTWRITEBYTECODE: '1',
    // Ranks of one machine meet there, whatever its name resolves to.
    GLOO_SOCKET_IFNAME: 'lo',
    ...more,
  }
}

/** Runs Python to its end. */
export function runPython(args: readonly string[], cwd = PYTHON_FOLDER): SpawnSyncReturns<string> {
  return spawnSync(python, [...args], { encoding: 'utf8', cwd, env: environment({}), maxBuffer: 64 * 1024 * 1024 })
}

/** Starts Python; `ended` resolves with what it came to. */
export function startPython(args: readonly string[], more: NodeJS.ProcessEnv = {}) {
  const child = spawn(python, [...args], { cwd: PYTHON_FOLDER, env: environment(more) })
  let output = ''
  const take = (piece: Buffer) => {
    output += piece
  }
  child.stdout.on('data', take)
  child.stderr.on('data', take)
  const ended = new Promise<{ readonly code: number | null; readonly output: string }>((resolve) => {
    child.on('close', (code) => resolve({ code, output }))
  })
  return { child, ended, running: () => child.exitCode === null && child.signalCode === null }
}
