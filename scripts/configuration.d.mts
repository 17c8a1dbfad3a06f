export function configurationMarkdown(schema: object): string
