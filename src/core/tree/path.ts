/** Znode paths: their parts, and the names of sequential nodes. */

const SEQUENCE_DIGITS = 10

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
