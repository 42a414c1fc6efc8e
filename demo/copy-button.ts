/** Wires a button that copies text and says so; falls back to a selected text when refused. */
export function copyButton(
  button: HTMLButtonElement,
  said: HTMLElement,
  text: () => string,
  shown?: HTMLElement,
): void {
  button.addEventListener('click', () => {
    const done = (message: string) => {
      said.textContent = message
    }
    // The clipboard exists only in secure contexts and may be refused.
    const clipboard = 'clipboard' in navigator ? navigator.clipboard : null
    const copied = clipboard?.writeText(text()) ?? Promise.reject(new Error('no clipboard here'))
    copied.then(
      () => done('Copied'),
      () => {
        if (shown === undefined) return done('Refused: copy the address of this page instead')
        getSelection()?.selectAllChildren(shown)
        done('Press Ctrl+C to copy the marked link')
      },
    )
  })
}
