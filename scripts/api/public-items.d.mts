import type { Project } from './project.mjs'

/** One export, or one member of an export. */
export interface PublicItem {
  /** Entry of the package, such as `telltale/trainer`. */
  readonly entry: string
  /** Such as `RLAIFTrainer.train`. */
  readonly name: string
  /** As typedoc calls it: `Class`, `Function`, `Method`, … */
  readonly kind: string
  readonly documented: boolean
  /** Text of its `@example`, or null. */
  readonly example: string | null
}
export function publicItems(project: Project): readonly PublicItem[]
