// Every public item with what its docstring has: the exports of the four entries, and the members of their classes, interfaces
// and object types. What is inherited from elsewhere (Error's `message`, say) is not ours to document.
import { ReflectionKind } from 'typedoc'

/** @returns items in the order of the entries; a name that two entries export is counted once. */
export function publicItems(project) {
  return project.children.flatMap((entry) =>
    entry.children
      .filter((item) => !item.kindOf(ReflectionKind.Reference))
      .flatMap((item) => [
        described(item, entry.name),
        ...members(item).map((member) => described(member, entry.name)),
      ]),
  )
}

function members(item) {
  const children = item.children ?? item.type?.declaration?.children ?? []
  const objectTypes = item.kindOf(
    ReflectionKind.Class | ReflectionKind.Interface | ReflectionKind.TypeAlias | ReflectionKind.Enum,
  )
  // A class says in its own docstring how it is made.
  return objectTypes
    ? children.filter((member) => !member.inheritedFrom && !member.kindOf(ReflectionKind.Constructor))
    : []
}

function described(item, entry) {
  const comments = [item, ...(item.signatures ?? []), item.getSignature, item.setSignature]
    .concat(item.type?.declaration?.signatures ?? [])
    .map((one) => one?.comment)
    .filter((comment) => comment)
  const examples = comments.flatMap((comment) => comment.blockTags.filter(({ tag }) => tag === '@example'))
  return {
    entry,
    name: item.getFullName().replace(`${entry}.`, ''),
    kind: ReflectionKind[item.kind],
    documented: comments.some((comment) => text(comment.summary).length > 0),
    example: examples.map(({ content }) => text(content)).join('\n') || null,
  }
}

function text(parts) {
  return parts
    .map((part) => part.text)
    .join('')
    .trim()
}
