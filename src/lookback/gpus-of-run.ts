import { flatSettings } from './flat-settings.ts'

/** Settings that say with how many GPUs a run trains, as trainers and launchers call them. */
const IN_ALL = ['world_size', 'num_processes', 'n_gpus', 'num_gpus', 'gpus']
/** GPUs of a node, and nodes, where they stand side by side. */
const BY_NODES = [
  ['n_gpus_per_node', 'nnodes'],
  ['num_gpus_per_node', 'num_nodes'],
  ['gpus_per_node', 'nodes'],
  ['gpus_per_node', 'num_nodes'],
  ['nproc_per_node', 'nnodes'],
  ['gpus', 'num_nodes'],
] as const

const MAX_GPUS = 1_000_000

/** How many GPUs a run has, by its settings, and by which of them. */
export interface GpusOfRun {
  readonly gpus: number
  readonly by: string
}

/** @returns null where the settings do not say. */
export function gpusOfRun(config: Readonly<Record<string, unknown>>): GpusOfRun | null {
  const settings = flatSettings(config)
  // What stands nearest to the top is about the whole run.
  const paths = [...settings.keys()].sort((a, b) => a.split('.').length - b.split('.').length)
  for (const [each, nodes] of BY_NODES) {
    for (const path of paths.filter((one) => nameOf(one) === each)) {
      const beside = `${path.slice(0, -each.length)}${nodes}`
      const product = countOf(settings.get(path)) * countOf(settings.get(beside))
      if (isCount(product)) return { gpus: product, by: `${path} × ${beside}` }
    }
  }
  for (const name of IN_ALL) {
    const path = paths.find((one) => nameOf(one) === name && isCount(countOf(settings.get(one))))
    if (path !== undefined) return { gpus: countOf(settings.get(path)), by: path }
  }
  return null
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1)
}

/** A number, a number in quotes, or the length of a list of GPUs; NaN for anything else. */
function countOf(json: string | undefined): number {
  if (json === undefined) return Number.NaN
  const value: unknown = json === 'undefined' ? undefined : JSON.parse(json)
  if (Array.isArray(value)) return value.length
  if (typeof value === 'string') return /^\d{1,7}$/.test(value) ? Number(value) : Number.NaN
  return typeof value === 'number' ? value : Number.NaN
}

function isCount(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= MAX_GPUS
}
