import { OWN_LOOP_KEYS } from '../../events.ts'
import type { Alias, TrainerTable } from '../alias.ts'
import { CANONICAL_METRICS, type CanonicalName } from '../canonical.ts'

/** A loop of one's own: the plan's keys. The first name of a canonical one is the main one, the others stand in for it. */
export const OWN_LOOP: TrainerTable = { signatures: [], aliases: ownAliases() }

function ownAliases(): Record<string, Alias> {
  const aliases: Record<string, Alias> = Object.create(null)
  const main = new Map<CanonicalName, string>()
  for (const [name, canonical] of Object.entries(OWN_LOOP_KEYS)) {
    if (!isCanonical(canonical)) continue
    const first = main.get(canonical)
    if (first === undefined) main.set(canonical, name)
    aliases[name] = first === undefined ? { canonical } : { canonical, insteadOf: first }
  }
  return aliases
}

function isCanonical(name: string): name is CanonicalName {
  return Object.hasOwn(CANONICAL_METRICS, name)
}
