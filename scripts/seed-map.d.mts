export const SEED_MAP: readonly {
  readonly plan: string
  readonly kind: string
  readonly file: string
  readonly ours: string
  readonly note?: string
}[]
export function seedMapMarkdown(): string
