/**
 * The form of a trainer's table: which of its names mean what, and how far they can be trusted.
 *
 * @module
 */
import type { CanonicalName } from './canonical.ts'

/** A further series that follows from a value: `one-minus` is 1 - x, `negate` is -x. */
export interface Derivation {
  readonly canonical: CanonicalName
  readonly transform: 'one-minus' | 'negate'
}

/** Attributes in which a trainer's series differs from its canonical meaning. */
export interface AliasAttributes {
  readonly estimator?: 'k1' | 'k2' | 'k3'
  readonly reduction?: string
  readonly masked?: boolean
  readonly unit?: string
  /** `exact` where it is left out. */
  readonly reliability?: 'biased' | 'unusable'
  /** Why it is not exact, or what a reader has to know. */
  readonly why?: string
}

/** What one name of a trainer means. */
export interface Alias extends AliasAttributes {
  /** Absent where the values have no canonical meaning as they are: the series keeps its own name. */
  readonly canonical?: CanonicalName
  /**
   * The name of this table that it stands in for: another version's or setting's name for the same series, normally not
   * logged beside it.
   */
  readonly insteadOf?: string
  readonly derives?: readonly Derivation[]
}

/** Names of the form `<prefix><something><suffix>`, which become `<canonicalPrefix><something><canonicalSuffix>`. */
export interface AliasPattern extends AliasAttributes {
  readonly prefix: string
  readonly suffix?: string
  readonly canonicalPrefix: string
  readonly canonicalSuffix?: string
}

/** The names of one trainer. */
export interface TrainerTable {
  readonly aliases: Readonly<Record<string, Alias>>
  readonly patterns?: readonly AliasPattern[]
  /** The trainer is recognised where all names of one of these sets are logged. */
  readonly signatures: readonly (readonly string[])[]
}
