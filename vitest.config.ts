import { defineConfig } from 'vitest/config'

// No test asserts how long something takes: the limits only end what hangs, also on a machine that does other work.
const limits = { testTimeout: 300_000, hookTimeout: 300_000, pool: 'forks' } as const

// One project a group: `npm test` runs `node` alone; groups that need more than Node have a name of their own.
export default defineConfig({
  test: {
    // Some test files train for minutes: every core is worth having.
    maxWorkers: '100%',
    projects: [
      {
        test: {
          name: 'node',
          include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
          exclude: ['test/package/**', 'test/real/**', 'test/browser/**', 'test/python/**'],
          ...limits,
          // The wasm back end is steadier without V8's dynamic tiering (docs/decisions/0003).
          execArgv: ['--no-wasm-dynamic-tiering', '--expose-gc'],
        },
      },
      // Needs PyTorch and safetensors for Python: makes the golden values anew and compares.
      { test: { name: 'real', include: ['test/real/**/*.test.ts'], ...limits } },
      // Needs what python/tests/requirements.txt lists: trains with the Python client for real.
      { test: { name: 'python', include: ['test/python/**/*.test.ts'], ...limits } },
      // Needs the npm registry: installs the packed package into an empty folder.
      { test: { name: 'package', include: ['test/package/**/*.test.ts'], ...limits } },
      // Needs Chromium: opens the HTML report from disk, as a reader does.
      { test: { name: 'browser', include: ['test/browser/**/*.test.ts'], ...limits } },
    ],
  },
})
