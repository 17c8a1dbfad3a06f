/**
 * Makes an element; whatever comes from outside goes in as text.
 *
 * @module
 */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  className: string,
  content: string | readonly Node[] = [],
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag)
  if (className !== '') made.className = className
  if (typeof content === 'string') made.textContent = content
  else made.append(...content)
  return made
}
