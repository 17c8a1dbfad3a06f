/** What the numbers of a series mean: attributes, not only a name. */
export interface SeriesInfo {
  /** Telltale's name, such as `kl_ref/token`; equal to `original` for a name that no table knows. */
  readonly canonical: string
  /** The name that the trainer gave it. */
  readonly original: string
  /** `nats/token`, `reward`, `fraction`, …; empty where unknown. */
  readonly unit: string
  /** Which of Schulman's estimators of the KL divergence; k1 may be negative, k2 and k3 may not. */
  readonly estimator?: 'k1' | 'k2' | 'k3'
  /** How it was reduced, such as `mean over response tokens`. */
  readonly reduction: string
  /** Whether padding was left out; null where unknown. */
  readonly masked: boolean | null
  /** The direction that is bad for training, or null where neither is. */
  readonly badDirection: 'up' | 'down' | null
  /** How far it can be trusted: `unusable` ones are kept but no detector should read them. */
  readonly reliability: 'exact' | 'biased' | 'unusable'
  /** Why it is not exact. */
  readonly why?: string
}
