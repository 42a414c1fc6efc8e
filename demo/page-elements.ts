/** The element with this id, of this class; a page that lacks it is a programming error. */
export function element<T extends HTMLElement>(id: string, type: new () => T): T {
  const found = document.getElementById(id)
  if (!(found instanceof type)) throw new Error(`the page lacks #${id}`)
  return found
}

/** Touched only when it changes: live regions speak of every change, and selections end with it. */
export function showText(target: Element, text: string): void {
  if (target.textContent !== text) target.textContent = text
}

/** A small element with text; text is never parsed as markup. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  text: string,
  className?: string,
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag)
  made.textContent = text
  if (className !== undefined) made.className = className
  return made
}

/** A link that opens a machine in a tab of its own process: one crash must not take two tabs. */
export function openMachineLink(href: string, text: string, primary: boolean): HTMLAnchorElement {
  const link = make('a', text, primary ? 'button primary' : 'button')
  link.href = href
  link.target = '_blank'
  link.rel = 'noopener'
  return link
}
