/**
 * JSON in the form of ZooKeeper's admin server: two spaces, a space before the colon, 64-bit
 * numbers as numbers.
 */
export type JsonValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue }

export function jsonText(value: JsonValue, indent = ''): string {
  if (typeof value === 'bigint') return String(value)
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : '"NaN"'
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  if (isList(value)) {
    if (value.length === 0) return '[ ]'
    return `[ ${value.map((item) => jsonText(item, indent)).join(', ')} ]`
  }
  const rows = Object.entries(value)
  if (rows.length === 0) return '{ }'
  const inner = `${indent}  `
  const lines = rows.map(
    ([key, item]) => `${inner}${JSON.stringify(key)} : ${jsonText(item, inner)}`,
  )
  return `{\n${lines.join(',\n')}\n${indent}}`
}

function isList(value: readonly JsonValue[] | object): value is readonly JsonValue[] {
  return Array.isArray(value)
}
