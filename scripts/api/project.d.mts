/** What the tests use of typedoc's model. */
export interface Project {
  readonly children: readonly { readonly name: string }[]
}
export function readProject(options?: Readonly<Record<string, unknown>>): Promise<{
  readonly project: Project
  readonly app: { generateDocs(project: Project, folder: string): Promise<void> }
}>
