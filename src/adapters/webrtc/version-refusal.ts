/** The sentence of two pages that share no protocol version: both builds say and know it. */
import { LINK_PROTOCOL_MAX, LINK_PROTOCOL_MIN, type Hello } from './hello.ts'

/** null when both speak some version. */
export function versionRefusal(theirs: Hello): string | null {
  const { protocolMin, protocolMax } = theirs
  if (protocolMax >= LINK_PROTOCOL_MIN && protocolMin <= LINK_PROTOCOL_MAX) return null
  return (
    `one page speaks link protocol ${LINK_PROTOCOL_MIN}-${LINK_PROTOCOL_MAX}, the other ` +
    `${protocolMin}-${protocolMax}: reload the older page`
  )
}

export function isVersionRefusal(refusal: string): boolean {
  return refusal.includes('link protocol')
}
