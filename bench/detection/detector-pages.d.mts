/** A page with its blocks of figures as the results have them. */
export function withFigures(page: string, results: unknown): string
