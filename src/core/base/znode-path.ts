/** The rules for znode paths (D40), with the words of ZooKeeper's PathUtils. */

/** null when `path` may name a znode; else what is wrong with it, in ZooKeeper's words. */
export function znodePathProblem(path: string): string | null {
  if (path.length === 0) return 'Path length must be > 0'
  if (path[0] !== '/') return 'Path must start with / character'
  if (path.length === 1) return null
  if (path.endsWith('/')) return 'Path must not end with / character'
  for (let at = 1; at < path.length; at++) {
    const reason = problemAt(path, at)
    if (reason !== null) return `Invalid path string "${path}" caused by ${reason} @${at}`
  }
  return null
}

function problemAt(path: string, at: number): string | null {
  const unit = path.charCodeAt(at)
  if (unit === 0) return 'null character not allowed'
  const before = path[at - 1]
  if (path[at] === '/') return before === '/' ? 'empty node name specified' : null
  if (path[at] === '.') {
    const isLast = at + 1 === path.length || path[at + 1] === '/'
    const isWhole = before === '/' || (before === '.' && path[at - 2] === '/')
    return isLast && isWhole ? 'relative paths not allowed' : null
  }
  return isForbiddenUnit(unit) ? 'invalid character' : null
}

/** Controls, and U+D800–F8FF: so no character beyond the basic plane either. */
function isForbiddenUnit(unit: number): boolean {
  return (
    unit <= 0x1f ||
    (unit >= 0x7f && unit <= 0x9f) ||
    (unit >= 0xd800 && unit <= 0xf8ff) ||
    unit >= 0xfff0
  )
}
