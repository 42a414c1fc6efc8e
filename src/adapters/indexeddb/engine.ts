/** Whose IndexedDB this is: two of its dangers depend on that. */
export function isChromium(): boolean {
  return navigator.userAgent.includes('Chrome/')
}
