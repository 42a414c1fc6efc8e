/** The rules for znode paths (D40), with the words of ZooKeeper's PathUtils. */

const SLASH = 0x2f
const DOT = 0x2e

/**
 * Why `path` is no legal znode path, in ZooKeeper's words, or null when it is one (D40).
 *
 * Only writes are checked this way at the server (D41): a read of an illegal path simply finds no
 * node.
 */
export function znodePathProblem(path: string): string | null {
  if (path.length === 0) return 'Path length must be > 0'
  if (path.charCodeAt(0) !== SLASH) return 'Path must start with / character'
  if (path.length === 1) return null
  if (path.endsWith('/')) return 'Path must not end with / character'
  let segmentStart = 1
  for (let i = 1; i <= path.length; i++) {
    const code = i < path.length ? path.charCodeAt(i) : SLASH
    if (code === SLASH) {
      const reason = segmentFault(path, segmentStart, i)
      if (reason !== null) return invalid(path, reason)
      segmentStart = i + 1
    } else if (code === 0) {
      return invalid(path, `null character not allowed @${i}`)
    } else if (isForbidden(code)) {
      return invalid(path, `invalid character @${i}`)
    }
  }
  return null
}

function segmentFault(path: string, start: number, end: number): string | null {
  const length = end - start
  if (length === 0) return `empty node name specified @${end}`
  if (length > 2 || path.charCodeAt(start) !== DOT) return null
  if (length === 2 && path.charCodeAt(start + 1) !== DOT) return null
  return `relative paths not allowed @${end - 1}`
}

/**
 * Control characters, surrogates with the private use area, and the specials block. NUL is not
 * here.
 */
function isForbidden(code: number): boolean {
  if (code < 0x7f) return code <= 0x1f
  return code <= 0x9f || (code >= 0xd800 && code <= 0xf8ff) || code >= 0xfff0
}

function invalid(path: string, reason: string): string {
  return `Invalid path string "${path}" caused by ${reason}`
}
