/** The `ip` scheme: an IPv4 or IPv6 address with an optional number of leading bits (A5). */

const IPV4_BYTES = 4
const IPV6_GROUPS = 8

/** Is `expression` a legal id of scheme ip? */
export function isIpExpression(expression: string): boolean {
  return parseExpression(expression) !== null
}

/** Does the address of a connection lie in the range of an ACL's id? Never for odd addresses. */
export function matchesIp(address: string, expression: string): boolean {
  const range = parseExpression(expression)
  const bytes = parseAddress(address)
  if (range === null || bytes === null || bytes.length !== range.bytes.length) return false
  for (let i = 0; i < bytes.length; i++) {
    const bits = Math.min(Math.max(range.bits - 8 * i, 0), 8)
    const mask = (0xff << (8 - bits)) & 0xff
    if ((((bytes[i] ?? 0) ^ (range.bytes[i] ?? 0)) & mask) !== 0) return false
  }
  return true
}

interface AddressRange {
  readonly bytes: Uint8Array
  /** Leading bits that must agree. */
  readonly bits: number
}

function parseExpression(expression: string): AddressRange | null {
  const slash = expression.indexOf('/')
  const bytes = parseAddress(slash === -1 ? expression : expression.slice(0, slash))
  if (bytes === null) return null
  const widest = 8 * bytes.length
  if (slash === -1) return { bytes, bits: widest }
  const digits = expression.slice(slash + 1)
  if (!/^\+?\d{1,9}$/.test(digits)) return null
  const bits = Number(digits)
  return bits <= widest ? { bytes, bits } : null
}

function parseAddress(address: string): Uint8Array | null {
  if (address.includes(':')) return parseIpv6(address)
  return parseIpv4(address)
}

function parseIpv4(address: string): Uint8Array | null {
  const parts = address.split('.')
  if (parts.length !== IPV4_BYTES) return null
  const bytes = new Uint8Array(IPV4_BYTES)
  for (const [i, part] of parts.entries()) {
    if (!/^\+?\d{1,9}$/.test(part) || Number(part) > 255) return null
    bytes[i] = Number(part)
  }
  return bytes
}

/** Hexadecimal groups only; `::` stands for at least one group of zeros. */
function parseIpv6(address: string): Uint8Array | null {
  const halves = address.split('::')
  if (halves.length > 2) return null
  const [left = '', right] = halves
  const head = left === '' && right !== undefined ? [] : left.split(':')
  const tail = right === undefined || right === '' ? [] : right.split(':')
  const given = head.length + tail.length
  if (right === undefined ? given !== IPV6_GROUPS : given >= IPV6_GROUPS) return null
  const groups = [...head, ...Array<string>(IPV6_GROUPS - given).fill('0'), ...tail]
  const bytes = new Uint8Array(2 * IPV6_GROUPS)
  for (const [i, group] of groups.entries()) {
    if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return null
    const value = parseInt(group, 16)
    bytes[2 * i] = value >> 8
    bytes[2 * i + 1] = value
  }
  return bytes
}
