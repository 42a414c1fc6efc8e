/** The DTLS fingerprint of a session description: what the browser will check the other end by. */

const LINE = /^a=fingerprint:(\S+)[ \t]+([0-9A-Fa-f:]+)[ \t]*\r?$/gm
const SHA256 = /^(?:[0-9A-F]{2}:){31}[0-9A-F]{2}$/

/**
 * null unless the description names exactly one fingerprint, of SHA-256: a browser accepts any of
 * several, so with two nobody could say which one a signature is about.
 */
export function fingerprintOf(sdp: string): string | null {
  let found: string | null = null
  for (const [, algorithm = '', digest = ''] of sdp.matchAll(LINE)) {
    const one = digest.toUpperCase()
    if (algorithm.toLowerCase() !== 'sha-256' || !SHA256.test(one)) return null
    if (found !== null && found !== one) return null
    found = one
  }
  return found
}
