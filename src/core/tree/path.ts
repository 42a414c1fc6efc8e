/** Znode paths: syntax, parts, and the names of sequential nodes. */

const SEQUENCE_DIGITS = 10

/**
 * Why `path` is no legal znode path, in ZooKeeper's words, or null when it is one (D40).
 *
 * Only writes are checked this way at the server (D41): a read of an illegal path simply finds no
 * node.
 */
export function validatePath(path: string): string | null {
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

/** '/a/b' → '/a', '/a' → '/'. For a path with no slash, and for the root itself, '/'. */
export function parentOf(path: string): string {
  const slash = path.lastIndexOf('/')
  return slash <= 0 ? '/' : path.slice(0, slash)
}

/** '/a/b' → 'b', '/' → ''. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

export function joinPath(parent: string, name: string): string {
  return parent === '/' || parent === '' ? `/${name}` : `${parent}/${name}`
}

/**
 * The name of a sequential child: the prefix and the parent's stored cversion before this create,
 * as an int in ten places. Past 2 147 483 647 the int wraps and the sign takes one place (D14).
 */
export function sequentialName(prefix: string, storedCversion: number): string {
  const counter = storedCversion | 0
  const digits = String(Math.abs(counter))
  return counter < 0
    ? `${prefix}-${digits.padStart(SEQUENCE_DIGITS - 1, '0')}`
    : prefix + digits.padStart(SEQUENCE_DIGITS, '0')
}

const SLASH = 0x2f
const DOT = 0x2e

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
